"""The stage ladder: one rung a stage, with its largest difference against the measured floor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from workbench.compare.results import Verdict
from workbench.contenders.trace_contract import STAGES
from workbench.trace.results import Difference, Rung
from workbench.ui.texts import Language, say
from workbench.ui.widgets.agreement_table import verdict_badge
from workbench.ui.widgets.html import NOTHING, Safe, element, join, scientific

_ORDER: tuple[Verdict, ...] = ("identical", "float noise", "precision", "different")
_COLUMNS = ("stage", "verdict", "size", "floor")
# Ends of the logarithmic bar.
_SMALLEST, _LARGEST = 1e-9, 10.0

Place = Literal["sound", "fault", "follows", "unseen"]


@dataclass(frozen=True)
class StageRung:
    """One stage of two pipelines.

    Attributes:
        stage: Key of ``STAGES``.
        place: The fault itself, before it, after it, or not recorded.
        rung: The value that tells most; None where nothing of the stage is compared.
    """

    stage: str
    place: Place
    rung: Rung | None


def stage_rungs(difference: Difference) -> tuple[StageRung, ...]:
    """One rung a stage, in order: the worst of its values, and of those the furthest beyond its floor."""
    named = difference.cause.stage if difference.cause else ""
    keys = list(STAGES)
    found = []
    for key in STAGES:
        rungs = [rung for rung in difference.rungs if rung.stage == key]
        worst = max(rungs, key=_weight, default=None)
        place: Place = "unseen"
        if key == named:
            place = "fault"
        elif worst is not None:
            beyond = worst.verdict in ("different", "precision")
            place = "follows" if named and beyond and keys.index(key) > 0 else "sound"
        found.append(StageRung(key, place, worst))
    return tuple(found)


def _weight(rung: Rung) -> tuple[int, float]:
    return _ORDER.index(rung.verdict), rung.max_abs / rung.limit if rung.limit else rung.max_abs


def stage_number(stage: str) -> int:
    """Place of a stage, counted from 0 as provenance is no step of the computation."""
    return list(STAGES).index(stage)


def ladder_html(difference: Difference | None, texts: int, language: Language) -> Safe:
    """The ladder as a table; without a difference its stages alone."""
    rows = (
        stage_rungs(difference)
        if difference is not None
        else tuple(StageRung(key, "unseen", None) for key in STAGES)
    )
    head = join(element("th", say(language, f"ladder.{name}"), scope="col") for name in _COLUMNS)
    body = join(_row(row, texts, difference is not None, language) for row in rows)
    shown = element(
        "table",
        join([element("thead", element("tr", head)), element("tbody", body)]),
        class_="wb-table wb-ladder",
    )
    note = element("p", say(language, "ladder.note"), class_="wb-note") if difference is not None else NOTHING
    return join([element("div", shown, class_="wb-scroll", tabindex="0"), note])


def _row(row: StageRung, texts: int, compared: bool, language: Language) -> Safe:
    name = join(
        [
            element("span", str(stage_number(row.stage)), class_="wb-tr-number"),
            element(
                "span",
                join(
                    [
                        element("b", say(language, f"stage.{row.stage}")),
                        element("small", say(language, f"stageholds.{row.stage}")),
                    ]
                ),
            ),
        ]
    )
    cells = [
        element("th", element("span", name, class_="wb-rungname"), scope="row"),
        element("td", _verdict(row, compared, language)),
        element("td", _size(row, texts, language)),
        element("td", _floor(row, language)),
    ]
    return element("tr", join(cells), class_=f"rung {row.place}", data_stage=row.stage)


def _verdict(row: StageRung, compared: bool, language: Language) -> Safe:
    if row.place == "fault":
        return element("span", join(["✕ ", say(language, "ladder.first")]), class_="wb-badge bad wb-first")
    if row.place == "follows" and row.rung is not None and row.rung.verdict == "different":
        return element("span", say(language, "ladder.follows"), class_="wb-follows")
    if row.rung is not None:
        return verdict_badge(row.rung.verdict, language)
    if not compared:
        return NOTHING
    key = "ladder.facts" if row.stage in ("provenance", "precision") else "ladder.unseen"
    return element("span", say(language, key), class_="wb-follows")


def _size(row: StageRung, texts: int, language: Language) -> Safe:
    rung = row.rung
    if rung is None:
        return NOTHING
    count = len(rung.differing_texts)
    in_texts = say(language, "ladder.texts", count=count, total=texts) if count else NOTHING
    if rung.limit == 0:
        return element("span", in_texts or "0", class_="wb-number")
    size = scientific(rung.max_abs) if math.isfinite(rung.max_abs) else say(language, "ladder.shape")
    number = element("span", size, class_="wb-number")
    return join([number, log_bar(rung.max_abs, rung.limit), element("small", in_texts)])


def _floor(row: StageRung, language: Language) -> Safe:
    if row.rung is None:
        return NOTHING
    shown = say(language, "ladder.exact") if row.rung.limit == 0 else scientific(row.rung.limit)
    return element("span", shown, class_="wb-number")


def log_bar(value: float, limit: float) -> Safe:
    """A bar on a logarithmic scale, red beyond the limit, with a tick at the limit."""
    tone = "over" if not value <= limit else "within"
    bar = element("i", "", style=f"width:{_share(value):.0%}")
    tick = element("u", "", style=f"left:{_share(limit):.0%}")
    return element("span", join([bar, tick]), class_=f"wb-tr-log {tone}", aria_hidden="true")


def _share(value: float) -> float:
    if math.isnan(value) or value > _LARGEST:
        return 1.0
    if value <= _SMALLEST:
        return 0.0
    return math.log10(value / _SMALLEST) / math.log10(_LARGEST / _SMALLEST)
