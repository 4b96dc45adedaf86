"""Heatmaps as grids of coloured cells: one square a column, one crosshair over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.ui.widgets.html import Safe, element, join, scientific, tag
from workbench.ui.widgets.scales import Kind, difference_class, gradient_css, similarity_class

# Above this many rows a heatmap shows an even sample: more cells than that cannot be told apart.
DRAWN_ROWS = 60
# Up to this many rows a cell has room for its number.
_NUMBERED = 10


@dataclass(frozen=True)
class Heatmap:
    """One square.

    Attributes:
        label: Column, or the two columns of a difference.
        colours: Colour index of each column named in ``label``.
        values: Similarities or their differences between the drawn texts. Shape ``(rows, rows)``.
        rows: Index of the text behind each row.
        note: A few words beside the label.
        kind: Which scale; a difference is drawn on ``[-scale, scale]``.
        scale: Largest absolute difference; unused for similarities.
    """

    label: str
    colours: tuple[int, ...]
    values: NDArray[np.floating]
    rows: tuple[int, ...]
    note: str = ""
    kind: Kind = "similarity"
    scale: float = 1.0


def drawn_rows(total: int, limit: int = DRAWN_ROWS) -> tuple[int, ...]:
    """Indices of the texts that are drawn: all, or ``limit`` spread evenly, first and last included."""
    if total <= limit:
        return tuple(range(total))
    return tuple(int(index) for index in np.linspace(0, total - 1, limit).round().astype(int))


def heatmap_html(heatmap: Heatmap, alternative: str) -> Safe:
    """One square with its axis numbers. ``alternative`` says in words what a reader would see."""
    count = len(heatmap.rows)
    numbers = _axis(heatmap.rows)
    grid = element(
        "div",
        join(_cells(heatmap)),
        class_="hm-grid",
        role="img",
        tabindex="0",
        aria_label=alternative,
        style=f"--n:{count}",
        data_n=str(count),
    )
    frame = join(
        [
            element("div", numbers, class_="hm-top", aria_hidden="true", style=f"--n:{count}"),
            element("div", numbers, class_="hm-left", aria_hidden="true", style=f"--n:{count}"),
            grid,
        ]
    )
    return element(
        "figure",
        join([_caption(heatmap), element("div", frame, class_="hm-frame")]),
        class_="hm",
        data_label=heatmap.label,
        data_kind=heatmap.kind,
        data_scale=f"{heatmap.scale:.6g}",
        data_rows=",".join(map(str, heatmap.rows)),
    )


def waiting_html(label: str, colour: int, note: str) -> Safe:
    """The empty square of a column that has not arrived, or could not."""
    caption = element("figcaption", join([tag(label, colour)]))
    frame = element("div", element("div", element("span", note), class_="hm-empty"), class_="hm-frame")
    return element("figure", join([caption, frame]), class_="hm hm-wait", data_label=label)


def legend_html(kind: Kind, scale: float, title: str) -> Safe:
    """The colour scale with its two ends and zero; both themes' gradients, of which CSS shows one."""
    low, high = (
        ("\u22120.1", "1") if kind == "similarity" else (f"\u2212{scientific(scale)}", scientific(scale))
    )
    zero = 0.1 / 1.1 if kind == "similarity" else 0.5
    bars = join(
        element("span", "", class_=f"hm-bar hm-{theme}", style=f"background:{gradient_css(kind, theme)}")
        for theme in ("light", "dark")
    )
    mark = element("span", "0", class_="hm-zero", style=f"left:{zero:.1%}")
    return element(
        "div",
        join(
            [
                element("span", title),
                element("span", low),
                element("span", join([bars, mark]), class_="hm-scale"),
                element("span", high),
            ]
        ),
        class_="hm-legend",
    )


def _caption(heatmap: Heatmap) -> Safe:
    names = heatmap.label.split(" \u2212 ") if heatmap.kind == "difference" else [heatmap.label]
    tags = join((tag(name, colour) for name, colour in zip(names, heatmap.colours, strict=True)), " \u2212 ")
    return element(
        "figcaption", join([element("span", tags, class_="hm-names"), element("span", heatmap.note)])
    )


def _axis(rows: Sequence[int]) -> Safe:
    """Text numbers, thinned out so that they do not touch."""
    step = 1 if len(rows) <= 16 else 5 if len(rows) <= 32 else 10
    return join(element("span", str(row + 1) if place % step == 0 else "") for place, row in enumerate(rows))


def _cells(heatmap: Heatmap) -> list[Safe]:
    numbered = len(heatmap.rows) <= _NUMBERED
    cells: list[Safe] = []
    for value in heatmap.values.ravel():
        number = float(value)
        if heatmap.kind == "similarity":
            name = similarity_class(number)
        else:
            name = difference_class(number, heatmap.scale)
        shown = _short(number, heatmap) if numbered and np.isfinite(number) else ""
        # Unquoted attributes keep a cell at 17 bytes; the class names come from the scales alone.
        cells.append(Safe(f"<i class={name}>{shown}</i>"))
    return cells


def _short(value: float, heatmap: Heatmap) -> str:
    """A number in as few signs as a cell has room for: ``.57``, ``−.05``, ``1``.

    A difference stays blank where two digits would read as zero.
    """
    shown = f"{value:.2f}"
    if heatmap.kind == "difference" and abs(value) < 0.005:
        return ""
    whole = {"1.00": "1", "-1.00": "\u22121", "0.00": "0", "-0.00": "0"}
    return whole.get(shown, shown.replace("0.", ".").replace("-", "\u2212"))
