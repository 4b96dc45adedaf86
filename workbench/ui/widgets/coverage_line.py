"""How well the vocabularies fit the texts: one line for columns that share one, a box for a misfit."""

from __future__ import annotations

from workbench.compare.results import Coverage
from workbench.ui.errors import box_html
from workbench.ui.reasons import reason
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.widgets.html import Safe, decimal, element, join, percent, tag


def coverage_html(snapshot: Snapshot, language: Language) -> Safe:
    """Warnings first, then the figures; columns with the same figures share a line."""
    order = [column.label for column in snapshot.requested]
    found = sorted(
        snapshot.coverage, key=lambda one: order.index(one.label) if one.label in order else len(order)
    )
    warnings = join(
        _warning(snapshot, group, language) for group in _alike(found, by_warning=True) if group[0].warning
    )
    lines = join((_line(snapshot, group, language) for group in _alike(found, by_warning=False)), " ")
    return join([warnings, element("div", lines, class_="wb-coverage") if lines else Safe("")])


def _alike(found: list[Coverage], *, by_warning: bool) -> list[list[Coverage]]:
    groups: dict[object, list[Coverage]] = {}
    for one in found:
        figures = (one.unknown_share, one.tokens_per_word, one.truncated, one.empty)
        groups.setdefault(one.warning if by_warning else figures, []).append(one)
    return list(groups.values())


def _names(snapshot: Snapshot, group: list[Coverage]) -> Safe:
    return join((tag(one.label, snapshot.colour(one.label)) for one in group), " ")


def _warning(snapshot: Snapshot, group: list[Coverage], language: Language) -> Safe:
    one = group[0]
    why = reason(one.warning_key, one.warning_values, one.warning, language)
    # A script without words asks for another model; unknown tokens may be a setting's doing.
    key = "coverage.other_language" if one.warning_key.startswith("script") else "coverage.unknown_tokens"
    return box_html(say(language, key, names=_names(snapshot, group), why=why), "warn")


def _line(snapshot: Snapshot, group: list[Coverage], language: Language) -> Safe:
    one = group[0]
    figures = say(
        language,
        "coverage.line",
        names=_names(snapshot, group),
        unknown=percent(one.unknown_share),
        per_word=decimal(one.tokens_per_word, 1),
        truncated=f"{one.truncated:,}",
        texts=f"{one.texts:,}",
    )
    empty = say(language, "coverage.empty", empty=f"{one.empty:,}") if one.empty else Safe("")
    return element("span", join([figures, empty], ", ") if one.empty else figures, class_="wb-coverage-line")
