"""The verdict of a proof: better, worse or not shown, with every reason a reader should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.compare.detectable import Detectable, more_items
from workbench.compare.forgetting import Forgetting
from workbench.compare.leaks import LeakFacts
from workbench.compare.proof_reasons import ENGLISH
from workbench.compare.reasons import reason_text
from workbench.compare.significance import Difference
from workbench.evaluation.metrics.score import Undefined

Outcome = Literal["better", "worse", "not shown"]

# Below so many items the reader is warned; as in the evaluators.
_FEW = 30
_FEW_SEEDS = 3


@dataclass(frozen=True)
class Reason:
    """One sentence of a verdict: a key of ``proof_reasons.ENGLISH`` and what fills it."""

    key: str
    values: Mapping[str, object]

    def text(self, templates: Mapping[str, str] = ENGLISH) -> str:
        """The sentence, in the language of the templates."""
        return reason_text(self.key, self.values, templates)


@dataclass(frozen=True)
class ProofVerdict:
    """What a proof says.

    Attributes:
        outcome: Tuned against its own base, on the primary metric, after Holm's correction.
        choice: Name of an untuned model that is shown to be better than the tuned one, or that has a higher
            score and is not shown to be worse; empty where there is none. With one, the tuned model may be
            better than its base and still be the wrong choice.
        reasons: The outcome's first, then what limits it.
    """

    outcome: Outcome
    choice: str
    reasons: tuple[Reason, ...]


def verdict(
    against_base: Difference,
    against_others: Sequence[Difference] = (),
    *,
    unjudged: Mapping[str, str] | None = None,
    known: Detectable | None = None,
    forgot: Sequence[Forgetting] = (),
    leak: LeakFacts | None = None,
) -> ProofVerdict:
    """Judge a tuned model.

    Args:
        against_base: On the primary metric, corrected together with the others.
        against_others: The same against each other untuned model.
        unjudged: Name of each other untuned model that could not be judged → why.
        known: What this data can show.
        forgot: What became of general sets.
        leak: What training and held-out data have in common; None where nobody looked.
    """
    outcome: Outcome = "better" if against_base.better else "worse" if against_base.worse else "not shown"
    reasons = [_main_reason(against_base, outcome)]
    if outcome == "not shown" and not against_base.undefined:
        reasons += _what_more(against_base, known)
    choice, about_others = _others(against_others)
    reasons += about_others
    reasons += [
        Reason("other-undefined", {"reference": name, "why": why.rstrip(".")})
        for name, why in (unjudged or {}).items()
    ]
    reasons += [Reason(f"forgetting-{one.state.replace(' ', '-')}", _forgetting(one)) for one in forgot]
    reasons += _limits(against_base, leak)
    return ProofVerdict(outcome, choice, tuple(reasons))


def _main_reason(difference: Difference, outcome: Outcome) -> Reason:
    values: dict[str, object] = {
        "candidate": difference.candidate,
        "reference": difference.reference,
        "metric": difference.metric,
        "items": difference.items,
        "level": difference.level,
        "alpha": difference.alpha,
    }
    if difference.undefined:
        return Reason("undefined", {**values, "why": difference.undefined})
    values |= {
        "value": 0.0 if isinstance(difference.value, Undefined) else difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": difference.adjusted_worse if outcome == "worse" else difference.adjusted_better,
    }
    if outcome == "not shown":
        if difference.error == 0 and difference.value == 0:
            return Reason("no-difference", values)
        if (difference.low or 0) > 0 or (difference.high or 0) < 0:
            p = min(difference.adjusted_better, difference.adjusted_worse)
            return Reason("not-shown-corrected", {**values, "p": p})
    return Reason(outcome.replace(" ", "-"), values)


def _what_more(difference: Difference, known: Detectable | None) -> list[Reason]:
    if known is None or known.smallest is None or isinstance(difference.value, Undefined):
        return []
    values: dict[str, object] = {
        "smallest": known.smallest,
        "power": known.power,
        "items": known.items,
        "metric": known.metric,
    }
    found = [Reason("smallest", values)]
    more = more_items(difference.value, known)
    if difference.value > 0 and more:
        found.append(Reason("more-items", {**values, "more": more, "value": difference.value}))
    elif difference.value > 0 and more is None and known.seed_error > 0:
        found.append(Reason("more-seeds", {**values, "seeds": difference.seeds}))
    return found


def _others(differences: Sequence[Difference]) -> tuple[str, list[Reason]]:
    reasons = []
    rivals: list[tuple[bool, float, str]] = []
    for difference in differences:
        values: dict[str, object] = {
            "candidate": difference.candidate,
            "reference": difference.reference,
            "metric": difference.metric,
        }
        if isinstance(difference.value, Undefined):
            reasons.append(Reason("other-undefined", {**values, "why": difference.undefined}))
            continue
        values["value"] = abs(difference.value)
        if difference.worse or (difference.value < 0 and not difference.better):
            rivals.append((difference.worse, -difference.value, difference.reference))
            reasons.append(Reason("other-better" if difference.worse else "other-ahead", values))
        else:
            reasons.append(Reason("other-beaten" if difference.better else "other-not-beaten", values))
    return (max(rivals)[2] if rivals else ""), reasons


def _forgetting(one: Forgetting) -> dict[str, object]:
    difference = one.difference
    return {
        "source": one.source,
        "margin": one.margin,
        "value": 0.0 if isinstance(difference.value, Undefined) else difference.value,
        "low": 0.0 if difference.low is None else difference.low,
        "high": 0.0 if difference.high is None else difference.high,
        "items": difference.items,
    }


def _limits(difference: Difference, leak: LeakFacts | None) -> list[Reason]:
    found = []
    if leak is None:
        found.append(Reason("leaks-unknown", {}))
    elif leak.left_out:
        found.append(Reason("leaks-left-out", {"count": len(leak.left_out), "items": leak.items}))
    if leak is not None and leak.shared_texts:
        found.append(Reason("texts-shared", {"count": leak.shared_texts, "texts": leak.held_out_texts}))
    if difference.items < _FEW:
        found.append(Reason("few-items", {"items": difference.items, "least": _FEW}))
    if difference.seeds == 1:
        found.append(Reason("one-seed", {"candidate": difference.candidate}))
    elif difference.seeds < _FEW_SEEDS:
        found.append(Reason("few-seeds", {"seeds": difference.seeds}))
    return found
