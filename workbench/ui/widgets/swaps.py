"""The proof: the gap of the embeddings before and after each swap, against the floor."""

from __future__ import annotations

from workbench.ui.causes import cause_sentence
from workbench.ui.texts import Language, say
from workbench.ui.trace_shown import Shown
from workbench.ui.widgets.html import NOTHING, Safe, element, join, scientific, table
from workbench.ui.widgets.ladder import log_bar, stage_number


def swaps_html(shown: Shown, language: Language) -> Safe:
    """A row a fault, in order."""
    if not shown.live:
        return element("p", say(language, "traced.file"), class_="wb-note")
    if not shown.proved:
        return element("p", say(language, "swap.wait"), class_="wb-note")
    if not shown.faults:
        return element("p", say(language, "swap.none"), class_="wb-note")
    limit = shown.difference.gap_limit
    rows: list[list[object]] = []
    for fault in shown.faults:
        stage = fault.cause.stage
        name = element(
            "span", join([f"{stage_number(stage)} ", say(language, f"stage.{stage}")]), class_="wb-number"
        )
        tone, key = ("good", "swap.closed") if fault.closed else ("warn", "swap.open")
        badge = element("span", say(language, key), class_=f"wb-badge {tone}")
        rows.append(
            [
                name,
                _gap(fault.gap_before, limit),
                join([_gap(fault.gap_after, limit), badge], " "),
                cause_sentence(fault.cause, language),
            ]
        )
    headings = [say(language, f"swap.{key}") for key in ("step", "before", "after", "why")]
    note = say(language, "swap.note", left=shown.left.name, right=shown.right.name, limit=scientific(limit))
    rest = NOTHING if shown.closed else element("p", say(language, "swap.rest"), class_="wb-box warn")
    return join(
        [table(headings, rows, class_="wb-table wb-swaps"), rest, element("p", note, class_="wb-note")]
    )


def _gap(value: float, limit: float) -> Safe:
    return join([element("span", scientific(value), class_="wb-number"), log_bar(value, limit)])
