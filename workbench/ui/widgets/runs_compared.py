"""Two to four runs side by side: settings that differ, held-out metrics with intervals, other results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.html import Safe, element, join, readable, table, tag
from workbench.ui.widgets.run_facts import number
from workbench.ui.widgets.run_table import OUTCOME_TONES, outcome_badge

if TYPE_CHECKING:
    from workbench.runs.side_by_side import SideBySide

_CHARACTERS = 80
_HEADS = ("run", "metric", "base", "tuned", "difference", "interval", "verdict")


def differences_html(found: SideBySide, names: Sequence[str], language: Language) -> Safe:
    """The settings in which the runs differ."""
    title = element("h4", say(language, "compared.settings"))
    if not found.differences:
        return join([title, element("p", say(language, "compared.no_difference"), class_="wb-note")])
    rows = [
        (readable(path, _CHARACTERS), *(_value(value) for value in values))
        for path, values in found.differences.items()
    ]
    return join([title, table((word(language, "compared.setting"), *_tags(names)), rows)])


def metrics_html(
    results: Sequence[Mapping[str, Any] | None], names: Sequence[str], language: Language
) -> Safe:
    """Held-out metrics with their paired intervals, from the runs' proofs; the primary ones in sight."""
    first: list[Sequence[object]] = []
    others: list[Sequence[object]] = []
    for place, result in enumerate(results):
        for proof in (result or {}).get("proofs") or ():
            if isinstance(proof, Mapping):
                rows = _rows(proof, tag(names[place], place), language)
                first += rows[:1]
                others += rows[1:]
    title = element("h4", say(language, "compared.metrics"))
    if not first:
        return join([title, element("p", say(language, "compared.no_proof"), class_="wb-note")])
    heads = [word(language, f"compared_head.{name}") for name in _HEADS]
    parts = [title, table(heads, first)]
    if others:
        summary = element("summary", say(language, "compared.others"))
        parts.append(element("details", join([summary, table(heads, others)]), data_key="others"))
    return join(parts)


def results_html(found: SideBySide, names: Sequence[str], language: Language) -> Safe:
    """Other numbers of the results."""
    rows = [
        (readable(path, _CHARACTERS), *(number(value) for value in values))
        for path, values in found.results.items()
    ]
    if not rows:
        return Safe("")
    title = element("h4", say(language, "compared.results"))
    return join([title, table((word(language, "compared.result"), *_tags(names)), rows)])


def _rows(proof: Mapping[str, Any], name: Safe, language: Language) -> list[Sequence[object]]:
    base = next((one.get("name") for one in proof.get("models") or () if one.get("role") == "base"), None)
    outcome = (proof.get("verdict") or {}).get("outcome")
    found: list[Sequence[object]] = []
    for one in proof.get("differences") or ():
        if one.get("reference") != base:
            continue
        low, high = one.get("low"), one.get("high")
        interval = (
            f"{number(low)} … {number(high)}"
            if low is not None and high is not None
            else word(language, "compared.undefined")
        )
        primary = one.get("metric") == proof.get("primary")
        found.append(
            (
                join([name, " ", readable(str(proof.get("way", "")), 40)]),
                readable(str(one.get("metric", "")), _CHARACTERS),
                number(one.get("reference_score")),
                number(one.get("candidate_score")),
                number(one.get("value")),
                interval,
                outcome_badge(outcome, language) if primary and outcome in OUTCOME_TONES else "",
            )
        )
    return found


def _tags(names: Sequence[str]) -> list[Safe]:
    return [tag(name, place) for place, name in enumerate(names)]


def _value(value: object) -> str:
    if value is None:
        return "–"
    return readable(f"{value:.6g}" if isinstance(value, float) else str(value), _CHARACTERS)
