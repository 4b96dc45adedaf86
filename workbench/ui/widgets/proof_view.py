"""A proof on the page: the verdict as a box, the differences below it, the rest to fold out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.compare.proof_reasons import ENGLISH, ENGLISH_LABELS
from workbench.ui.texts import Language, say
from workbench.ui.texts_korean_proof import KOREAN_PROOF, KOREAN_PROOF_LABELS
from workbench.ui.widgets.html import NOTHING, Safe, decimal, element, join

if TYPE_CHECKING:
    from workbench.compare.proof_results import Proof

TEMPLATES: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "ko": KOREAN_PROOF}
LABELS: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH_LABELS, "ko": KOREAN_PROOF_LABELS}
_LOOKS = {"better": ("good", "✓"), "worse": ("bad", "✗"), "not shown": ("wait", "?")}
_OPEN = frozenset({"baselines", "differences", "detectable"})


def proofs_html(proofs: Sequence[tuple[str, Proof]], language: Language) -> Safe:
    """The proofs of a run, one a way of training.

    Args:
        proofs: Name of the way and its proof.
        language: Of the words.
    """
    if not proofs:
        return NOTHING
    parts = []
    for way, proof in proofs:
        title = element("h3", say(language, "train.way_title", way=way)) if len(proofs) > 1 else NOTHING
        parts.append(element("section", join([title, proof_panel(proof, language)]), class_="wb-proof"))
    return join(parts)


def proof_panel(proof: Proof, language: Language) -> Safe:
    """One proof."""
    from workbench.compare.proof_html import sections

    labels = LABELS[language]
    shown = [
        element(
            "details",
            join([element("summary", Safe(one.title)), Safe(one.body)]),
            class_="wb-fold",
            **({"open": ""} if one.name in _OPEN else {}),
        )
        for one in sections(proof, labels)
    ]
    return join([_verdict(proof, language), *shown])


def _verdict(proof: Proof, language: Language) -> Safe:
    found = proof.verdict
    tone, sign = _LOOKS[found.outcome]
    labels = LABELS[language]
    lines = [element("p", join([labels[found.outcome], _numbers(proof)]), class_="wb-verdict-line")]
    if found.choice:
        lines.append(element("p", element("b", labels["choice"].format(choice=found.choice))))
    reasons = [element("li", f"{one.text(TEMPLATES[language])}.") for one in found.reasons]
    lines.append(element("ul", join(reasons), class_="wb-reasons"))
    inner = [element("div", sign, class_="wb-sign", aria_hidden="true"), element("div", join(lines))]
    return element("div", join(inner), class_=f"wb-verdict {tone}", role="status", data_outcome=found.outcome)


def _numbers(proof: Proof) -> Safe:
    """The primary metric before and after, in one glance."""
    from workbench.evaluation.metrics.score import Undefined

    first = next((one for one in proof.differences if one.metric == proof.primary), None)
    if first is None or isinstance(first.value, Undefined) or isinstance(first.reference_score, Undefined):
        return NOTHING
    after = first.candidate_score
    shown = f"{decimal(first.reference_score)} → {'–' if isinstance(after, Undefined) else decimal(after)}"
    return element("span", join([" · ", proof.primary, " ", element("b", shown, class_="wb-number")]))
