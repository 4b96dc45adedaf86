"""The Compare page from a snapshot: every section as HTML or figure, each a pure function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.compare.projection import Projection, project
from workbench.compare.results import (
    Agreement,
    ColumnFailed,
    Comparison,
    Coverage,
    EncodedColumn,
    Event,
    NoiseFloor,
    Progress,
)
from workbench.compare.similarity_matrix import cosine_matrix
from workbench.ui.errors import box_html, message_of
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say, word
from workbench.ui.verdict import verdict_html, verdict_of
from workbench.ui.widgets.agreement_table import agreement_html
from workbench.ui.widgets.coverage_line import coverage_html
from workbench.ui.widgets.heatmap import Heatmap, drawn_rows, heatmap_html, legend_html, waiting_html
from workbench.ui.widgets.html import Safe, decimal, element, join, percent, scientific, tag
from workbench.ui.widgets.map import MAP_POINTS, map_figure
from workbench.ui.widgets.opened_sentence import Opened, opened_html
from workbench.ui.widgets.pair_table import pair_table_html, point_table_html
from workbench.ui.widgets.progress_line import progress_html
from workbench.ui.widgets.sentence_list import sentence_list_html
from workbench.ui.widgets.speed_bars import speed_html

Section = Literal[
    "progress", "failures", "verdict", "coverage", "board", "pairs", "difference", "agreement",
    "map", "map_note", "points", "speed", "sentences", "opened", "hardware",
]  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a snapshot is shown.

    Attributes:
        language: Of every word.
        pair: The two columns of the difference map; None for the first two that disagree.
        opened: The opened sentence, if any.
    """

    language: Language = "en"
    pair: tuple[str, str] | None = None
    opened: Opened | None = None


def sections_after(event: Event) -> tuple[Section, ...]:
    """Which sections an event changes."""
    for kind, sections in _AFTER:
        if isinstance(event, kind):
            return sections
    agreed = any(isinstance(one, Agreement) for one in event) if isinstance(event, tuple) else False
    return ("verdict", "agreement", "difference") if agreed else ("speed",)


# The map is drawn once, at the end: every column shares its plane.
_AFTER: tuple[tuple[type, tuple[Section, ...]], ...] = (
    (Progress, ("progress",)),
    (EncodedColumn, ("board", "pairs", "verdict", "sentences")),
    (Coverage, ("coverage",)),
    (ColumnFailed, ("failures", "board", "verdict")),
    (NoiseFloor, ()),
    (
        Comparison,
        (
            "failures", "verdict", "coverage", "board", "pairs", "difference", "agreement", "map",
            "map_note", "points", "speed", "sentences", "hardware",
        ),
    ),
)  # fmt: skip

ALL_SECTIONS: tuple[Section, ...] = (*_AFTER[-1][1], "opened")


def render(snapshot: Snapshot, sections: Iterable[Section], look: Look) -> dict[str, Any]:
    """The chosen sections: HTML as ``Safe``, the map as a figure."""
    drawn = _Drawn(snapshot)
    return {section: _RENDERERS[section](drawn, look) for section in sections}


class _Drawn:
    """A snapshot with what several sections compute from it, computed once and only where it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.rows = drawn_rows(len(snapshot.texts))
        self.map_rows = drawn_rows(len(snapshot.texts), MAP_POINTS)

    @cached_property
    def matrices(self) -> dict[str, NDArray[np.float64]]:
        """Cosines between the drawn texts, by column label."""
        columns = self.snapshot.columns
        return {column.column.label: cosine_matrix(column.embeddings[list(self.rows)]) for column in columns}

    @cached_property
    def projection(self) -> Projection:
        """The map of all columns."""
        return project(self.snapshot.columns)

    @cached_property
    def points(self) -> dict[str, NDArray[np.float64]]:
        """Coordinates of the drawn points, by column label."""
        return {label: xy[list(self.map_rows)] for label, xy in self.projection.coordinates.items()}


def shown_pair(snapshot: Snapshot, wanted: tuple[str, str] | None) -> tuple[str, str] | None:
    """The pair of the difference map: the wanted one if it is here, else the one that differs most."""
    pairs = snapshot.pairs()
    if wanted in pairs:
        return wanted

    def size(pair: tuple[str, str]) -> float:
        found = snapshot.agreement(*pair)
        return found.max_abs if found and math.isfinite(found.max_abs) else -1.0

    return max(pairs, key=size) if pairs else None


def _board(drawn: _Drawn, look: Look) -> Safe:
    snapshot, language = drawn.snapshot, look.language
    squares: list[Safe] = []
    for place, column in enumerate(snapshot.requested):
        found = snapshot.column(column.label)
        if found is not None:
            squares.append(_square(drawn, found, language))
        else:
            key = "heat.failed" if column.label in snapshot.failures else "heat.waiting"
            squares.append(waiting_html(column.label, place, word(language, key)))
    head = join(
        [
            element("h2", say(language, "heat.title")),
            legend_html("similarity", 1.0, say(language, "heat.legend")),
        ]
    )
    total = len(snapshot.texts)
    note = Safe("")
    if len(drawn.rows) < total:
        sampled = say(language, "heat.sampled", shown=len(drawn.rows), total=f"{total:,}")
        note = element("p", sampled, class_="wb-note")
    return join(
        [
            element("div", head, class_="hm-head"),
            element("div", join(squares), class_="hm-board"),
            element("output", say(language, "heat.hint"), class_="hm-readout"),
            note,
        ]
    )


def _square(drawn: _Drawn, column: EncodedColumn, language: Language) -> Safe:
    label = column.column.label
    matrix = drawn.matrices[label]
    others = matrix[~np.eye(len(matrix), dtype=bool)]
    low, high = (others.min(), others.max()) if len(others) else (math.nan, math.nan)
    alternative = word(
        language,
        "heat.alt",
        count=len(matrix),
        label=label,
        low=decimal(float(low), 2),
        high=decimal(float(high), 2),
    )
    settings = column.column.settings
    note = word(language, "heat.note", pooling=settings.pooling, tokens=settings.max_length)
    colour = drawn.snapshot.colour(label)
    return heatmap_html(Heatmap(label, (colour,), matrix, drawn.rows, note), alternative)


def _difference(drawn: _Drawn, look: Look) -> Safe:
    snapshot, language = drawn.snapshot, look.language
    pair = shown_pair(snapshot, look.pair)
    if pair is None:
        return element("p", say(language, "diff.none"), class_="wb-note")
    left, right = pair
    values = drawn.matrices[left] - drawn.matrices[right]
    scale = float(np.abs(values).max(initial=0.0))
    name = f"{left} \u2212 {right}"
    note = word(language, "diff.note", scale=scientific(scale)) if scale else word(language, "diff.equal")
    alternative = word(language, "heat.alt_difference", label=name, scale=scientific(scale))
    colours = (snapshot.colour(left), snapshot.colour(right))
    heatmap = Heatmap(name, colours, values, drawn.rows, note, "difference", scale)
    legend = legend_html("difference", scale, say(language, "heat.legend")) if scale else Safe("")
    return join([element("div", heatmap_html(heatmap, alternative), class_="hm-board one"), legend])


def _pairs(drawn: _Drawn, look: Look) -> Safe:
    return pair_table_html(drawn.snapshot, drawn.matrices, drawn.rows, look.language)


def _map(drawn: _Drawn, look: Look) -> Any:
    snapshot = drawn.snapshot
    if not snapshot.columns:
        return None
    axes = (word(look.language, "map.axis", number=1), word(look.language, "map.axis", number=2))
    colours = {column.label: place for place, column in enumerate(snapshot.requested)}
    return map_figure(drawn.points, snapshot.texts, drawn.map_rows, colours, axes)


def _map_note(drawn: _Drawn, look: Look) -> Safe:
    parts = [say(look.language, "map.note")]
    if drawn.snapshot.columns:
        share = min(drawn.projection.explained.values())
        parts.append(say(look.language, "map.variance", share=percent(share)))
    if len(drawn.map_rows) < len(drawn.snapshot.texts):
        total = f"{len(drawn.snapshot.texts):,}"
        parts.append(say(look.language, "map.sampled", shown=len(drawn.map_rows), total=total))
    return element("p", join(parts, " "), class_="wb-note")


def _points(drawn: _Drawn, look: Look) -> Safe:
    snapshot = drawn.snapshot
    if not snapshot.columns:
        return element("p", say(look.language, "map.none"), class_="wb-note")
    return point_table_html(snapshot, drawn.points, drawn.map_rows, look.language)


def _progress(drawn: _Drawn, look: Look) -> Safe:
    snapshot = drawn.snapshot
    done = len(snapshot.columns) + len(snapshot.failures)
    return progress_html(snapshot.progress, done, len(snapshot.requested), look.language)


def _failures(drawn: _Drawn, look: Look) -> Safe:
    snapshot = drawn.snapshot
    return join(
        box_html(
            message_of(error, look.language),
            title=say(look.language, "error.column", name=tag(label, snapshot.colour(label))),
        )
        for label, error in snapshot.failures.items()
    )


def _hardware(drawn: _Drawn, look: Look) -> Safe:
    found = drawn.snapshot.conditions
    if found is None:
        return Safe("")
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    gpu = found.gpu or word(look.language, "hardware.no_gpu")
    text = say(
        look.language,
        "hardware.line",
        cpu=found.cpu,
        cores=found.cores,
        gpu=gpu,
        python=found.python,
        versions=versions,
    )
    return element("div", text, class_="wb-hardware")


_RENDERERS: dict[Section, Callable[[_Drawn, Look], Any]] = {
    "progress": _progress,
    "failures": _failures,
    "verdict": lambda drawn, look: verdict_html(verdict_of(drawn.snapshot, look.language)),
    "coverage": lambda drawn, look: coverage_html(drawn.snapshot, look.language),
    "board": _board,
    "pairs": _pairs,
    "difference": _difference,
    "agreement": lambda drawn, look: agreement_html(drawn.snapshot, look.language),
    "map": _map,
    "map_note": _map_note,
    "points": _points,
    "speed": lambda drawn, look: speed_html(drawn.snapshot, look.language),
    "sentences": lambda drawn, look: sentence_list_html(
        drawn.snapshot, look.opened.index if look.opened else None, look.language
    ),
    "opened": lambda drawn, look: opened_html(look.opened, drawn.snapshot.texts, look.language),
    "hardware": _hardware,
}
