"""The verdict in plain words: which columns agree, which do not, and the one line that says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.compare.results import Agreement, EncodedColumn
from workbench.ui.reasons import reason
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import NOTHING, Safe, cosine, element, esc, join, scientific, tag

Tone = Literal["good", "warn", "bad", "wait"]
_SIGNS: dict[Tone, str] = {"good": "≈", "warn": "~", "bad": "≠", "wait": "…"}
_AGREEING = ("identical", "float noise")
# These settings change how fast a column is, not what it says.
_WITHOUT_MEANING = ("threads", "batch_size", "device")


@dataclass(frozen=True)
class Verdict:
    """What stands at the top of the page.

    Attributes:
        tone: Colour of the line.
        sentence: Who agrees with whom.
        why: One plain line; empty while unknown.
    """

    tone: Tone
    sentence: Safe
    why: Safe = NOTHING


def verdict_html(verdict: Verdict) -> Safe:
    """The verdict line and the line under it."""
    sign = element("span", _SIGNS[verdict.tone], class_="wb-sign", aria_hidden="true")
    line = element("p", verdict.sentence, class_="wb-verdict-line")
    why = element("p", verdict.why, class_="wb-why-line")
    body = element("div", join([line, why]))
    return element("div", join([sign, body]), class_=f"wb-verdict {verdict.tone}", role="status")


def agreeing_groups(labels: Sequence[str], agreements: Sequence[Agreement]) -> list[list[str]]:
    """Columns gathered by agreement, the largest group first, else in the order of the page."""
    groups: list[list[str]] = []
    agreeing = {frozenset((one.left, one.right)) for one in agreements if one.verdict in _AGREEING}
    for label in labels:
        home = next((g for g in groups if any(frozenset((label, other)) in agreeing for other in g)), None)
        if home is None:
            groups.append([label])
        else:
            home.append(label)
    return sorted(groups, key=len, reverse=True)


def verdict_of(snapshot: Snapshot, language: Language) -> Verdict:
    """The verdict on what has arrived so far."""
    labels = [column.column.label for column in snapshot.columns]
    if not labels:
        key = "verdict.failed" if snapshot.failures else "verdict.wait"
        return Verdict("bad" if snapshot.failures else "wait", say(language, key))
    if len(labels) == 1 and len(snapshot.requested) == 1:
        return Verdict("wait", say(language, "verdict.single", name=_named(snapshot, labels)))
    if not snapshot.agreements:
        if snapshot.comparison is not None or len(labels) + len(snapshot.failures) == len(snapshot.requested):
            return Verdict("wait", say(language, "verdict.comparing"))
        return Verdict("wait", say(language, "verdict.arriving", names=_named(snapshot, labels)))
    groups = agreeing_groups(labels, snapshot.agreements)
    sentence = join([_agreement_of(snapshot, groups, language), _missing(snapshot, language)], " ")
    if len(groups) == 1:
        return Verdict("good", sentence, _why_agreeing(snapshot, language))
    others = [label for group in groups[1:] for label in group]
    verdicts = {found.verdict for label in others if (found := snapshot.agreement(groups[0][0], label))}
    return Verdict(
        "bad" if "different" in verdicts else "warn", sentence, _why_differing(snapshot, groups, language)
    )


def _named(snapshot: Snapshot, labels: Sequence[str]) -> Safe:
    return join((tag(label, snapshot.colour(label)) for label in labels), " ")


def _agreement_of(snapshot: Snapshot, groups: list[list[str]], language: Language) -> Safe:
    parts: list[Safe] = []
    main = groups[0]
    if len(main) > 1:
        parts.append(_within(snapshot, main, language))
    for group in groups[1:]:
        parts.extend(_beside(snapshot, main[0], label, language) for label in group)
    return Safe(join(parts, "; ") + ".")


def _within(snapshot: Snapshot, group: list[str], language: Language) -> Safe:
    inside = [one for one in snapshot.agreements if one.left in group and one.right in group]
    names = _named(snapshot, group)
    if all(one.verdict == "identical" for one in inside):
        return say(language, "verdict.identical", names=names)
    largest = max((one.max_abs for one in inside if one.max_abs == one.max_abs), default=0.0)
    return say(language, "verdict.agree", names=names, max=scientific(largest))


def _beside(snapshot: Snapshot, reference: str, label: str, language: Language) -> Safe:
    found = snapshot.agreement(reference, label)
    left, right = snapshot.column(reference), snapshot.column(label)
    names = {"name": _named(snapshot, [label]), "other": _named(snapshot, [reference])}
    if found is None or left is None or right is None:
        return say(language, "verdict.unknown", **names)
    if left.dim != right.dim:
        return say(language, "verdict.dims", **names, dim=right.dim, other_dim=left.dim)
    numbers = {"max": scientific(found.max_abs), "cosine": cosine(found.min_cosine)}
    if found.verdict == "precision":
        return say(language, "verdict.precision", **names, **numbers)
    return say(
        language,
        "verdict.different",
        **names,
        **numbers,
        count=len(found.differing_texts),
        total=f"{len(snapshot.texts):,}",
    )


def _missing(snapshot: Snapshot, language: Language) -> Safe:
    if not snapshot.failures:
        return Safe("")
    names = join((tag(label, snapshot.colour(label)) for label in snapshot.failures), " ")
    return say(language, "verdict.missing", names=names)


def _why_agreeing(snapshot: Snapshot, language: Language) -> Safe:
    """Settings that differ and change nothing are worth a line; else the hint at the chips."""
    for one in snapshot.agreements:
        names = [name for name in one.setting_differences if name not in _WITHOUT_MEANING]
        if names:
            settings = ", ".join(say(language, f"setting.{name}") for name in names)
            name = _named(snapshot, [one.right])
            return say(language, "why.no_effect", name=name, settings=Safe(settings))
    return say(language, "why.same")


def _why_differing(snapshot: Snapshot, groups: list[list[str]], language: Language) -> Safe:
    reference = snapshot.column(groups[0][0])
    others = say(language, "why.the_others") if len(groups[0]) > 1 else _named(snapshot, groups[0])
    lines: list[Safe] = []
    for label in (label for group in groups[1:] for label in group):
        column = snapshot.column(label)
        found = snapshot.agreement(groups[0][0], label)
        if reference is None or column is None or found is None:
            continue
        names = _Names(_named(snapshot, [label]), others)
        lines.extend(_reasons(reference, column, found, names, language))
    return join(lines, " ")


@dataclass(frozen=True)
class _Names:
    name: Safe
    others: Safe


_Why = Callable[[EncodedColumn, EncodedColumn, _Names, Language], Safe]


def _reasons(
    reference: EncodedColumn, column: EncodedColumn, found: Agreement, names: _Names, language: Language
) -> list[Safe]:
    """A sentence for each cause that was found: one that names texts if we have it, else the result's own."""
    causes = found.reason_values.get("causes")
    if not isinstance(causes, tuple) or not causes:
        return [esc(reason(found.reason_key, found.reason_values, found.reason, language))]
    return [
        _REASONS[key](reference, column, names, language)
        if key in _REASONS
        else esc(reason(key, values, found.reason, language))
        for key, values in causes
    ]


def _max_length(reference: EncodedColumn, column: EncodedColumn, names: _Names, language: Language) -> Safe:
    pairs = list(zip(reference.token_counts, column.token_counts, strict=True))
    longest = max(
        range(len(pairs)),
        key=lambda index: (abs(pairs[index][0].kept - pairs[index][1].kept), pairs[index][1].full),
    )
    left, right = pairs[longest]
    key = "why.max_length_all" if right.kept == right.full else "why.max_length_part"
    return say(
        language,
        key,
        name=names.name,
        others=names.others,
        text=longest + 1,
        full=f"{right.full:,}",
        limit=column.column.settings.max_length,
        kept=f"{right.kept:,}",
        other_kept=f"{left.kept:,}",
    )


def _normalize(reference: EncodedColumn, column: EncodedColumn, names: _Names, language: Language) -> Safe:
    bare, key = (
        (reference, "why.normalized") if column.column.settings.normalize else (column, "why.not_normalized")
    )
    norm = float(np.median(np.linalg.norm(bare.embeddings, axis=1))) if len(bare.embeddings) else 0.0
    return say(language, key, name=names.name, others=names.others, norm=f"{norm:.2f}")


def _lowercase(reference: EncodedColumn, column: EncodedColumn, names: _Names, language: Language) -> Safe:
    unknown = sum(count.unknown for count in column.token_counts)
    before = sum(count.unknown for count in reference.token_counts)
    key = "why.lowercase_off" if column.column.settings.lowercase is False else "why.lowercase_other"
    return say(
        language, key, name=names.name, others=names.others, unknown=f"{unknown:,}", before=f"{before:,}"
    )


def _plain(setting: str) -> _Why:
    """The reason that needs nothing but the two values."""

    def reason(reference: EncodedColumn, column: EncodedColumn, names: _Names, language: Language) -> Safe:
        value = getattr(column.column.settings, setting)
        other = getattr(reference.column.settings, setting)
        # A flag's sentence depends on which side has it, a name's on the two names.
        key = f"why.{setting}_{str(value).lower()}" if isinstance(value, bool) else f"why.{setting}"
        return say(language, key, name=names.name, others=names.others, value=value, other=other)

    return reason


def _model(reference: EncodedColumn, column: EncodedColumn, names: _Names, language: Language) -> Safe:
    models = {"model": column.column.model, "other_model": reference.column.model}
    return say(language, "why.model", name=names.name, others=names.others, **models)


# Cause of a difference → its sentence on this page.
_REASONS: dict[str, _Why] = {
    "model": _model,
    "prompt": _plain("prompt"),
    "lowercase": _lowercase,
    "max_length": _max_length,
    "use_mask": _plain("use_mask"),
    "pooling": _plain("pooling"),
    "normalize": _normalize,
}
