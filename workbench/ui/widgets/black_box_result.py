"""What a black-box search found: the smallest set of changes, and the nearest other recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.ui.errors import box_html
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.agreement_table import verdict_badge
from workbench.ui.widgets.html import Safe, cosine, element, join, readable, scientific, table

if TYPE_CHECKING:
    from workbench.trace.black_box import BlackBox

_PROMPT_CHARACTERS = 60


def black_box_html(found: BlackBox, language: Language) -> Safe:
    """A sentence, and a table of the nearest recipes."""
    changes = changes_told(found.best.changes, language)
    if not found.reproduced:
        told = say(
            language,
            "blackbox.nothing",
            tried=f"{found.tried:,}",
            cosine=cosine(found.best.cosine_mean),
            changes=changes,
        )
    elif found.best.changes:
        told = say(language, "blackbox.changed", changes=element("b", changes))
    else:
        told = say(language, "blackbox.own")
    headings = [say(language, f"blackbox.{key}") for key in ("recipe", "verdict", "gap", "cosine")]
    rows = [
        [
            changes_told(one.changes, language),
            verdict_badge(one.verdict, language),
            element("span", scientific(one.max_abs), class_="wb-number"),
            element("span", cosine(one.cosine_mean), class_="wb-number"),
        ]
        for one in (found.best, *found.others)
    ]
    return join(
        [
            box_html(told, "info" if found.reproduced else "warn"),
            table(headings, rows, class_="wb-table wb-recipes"),
            element("p", say(language, "blackbox.compared", count=len(found.texts)), class_="wb-note"),
        ]
    )


def changes_told(changes: Mapping[str, Any], language: Language) -> Safe:
    """The changed toggles in words."""
    if not changes:
        return say(language, "blackbox.unchanged")
    return join(
        (say(language, f"toggle.{name}", value=_value(value, language)) for name, value in changes.items()),
        ", ",
    )


def _value(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return word(language, "choice.yes" if value else "choice.no")
    return (
        f"“{readable(value, _PROMPT_CHARACTERS)}”" if isinstance(value, str) and " " in value else str(value)
    )
