"""The two-dimensional map: each column a ring of its own size, so that coinciding points show as targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from workbench.ui.widgets.figure_layout import INK, LEGEND, quieten
from workbench.ui.widgets.html import readable

# Column colours, in the order of the columns; readable on white and on near-black, distinct under the
# common colour deficiencies. The same as .c0 … .c5 in style.css.
COLOURS = ("#2f81c7", "#d9822b", "#1a9b72", "#b565a7", "#7a6fd0", "#c94f3d")
# Outer diameter of each column's ring in pixels: largest first, the last one a dot.
_SIZES = (24, 18, 12, 9, 6, 4)
MAP_POINTS = 500
_NUMBERED = 40
_HOVER_CHARACTERS = 80


def map_figure(
    points: Mapping[str, NDArray[np.floating]],
    texts: Sequence[str],
    rows: Sequence[int],
    colours: Mapping[str, int],
    axes: tuple[str, str] = ("1", "2"),
) -> go.Figure:
    """A scatter plot of every column's points.

    Args:
        points: Column label → coordinates of the drawn texts. Shape ``(rows, 2)``.
        texts: All texts; the hover shows the first 80 characters.
        rows: Index of the text behind each point.
        colours: Column label → colour index.
        axes: Titles of the two axes.
    """
    figure = go.Figure()
    hover = [f"{row + 1}  {_wrapped(readable(texts[row], _HOVER_CHARACTERS))}" for row in rows]
    for label, xy in points.items():
        figure.add_trace(_trace(label, xy, rows, colours[label], hover))
    _number(figure, points, rows)
    quieten(
        figure,
        380,
        legend={**LEGEND, "itemsizing": "trace"},
        hovermode="closest",
        dragmode="pan",
    )
    figure.update_xaxes(title={"text": axes[0], "standoff": 4}, nticks=6)
    figure.update_yaxes(title={"text": axes[1], "standoff": 2}, nticks=6)
    return figure


def _trace(
    label: str, xy: NDArray[np.floating], rows: Sequence[int], colour: int, hover: list[str]
) -> go.Scatter:
    place = colour % len(COLOURS)
    last = place >= 2
    marker = {
        "size": _SIZES[place],
        "symbol": "circle" if last else "circle-open",
        "color": COLOURS[place],
        "line": {"width": 2.5 if not last else 0, "color": COLOURS[place]},
        "opacity": 0.95,
    }
    return go.Scatter(
        x=np.round(xy[:, 0], 5),
        y=np.round(xy[:, 1], 5),
        mode="markers",
        name=_plain(label),
        marker=marker,
        text=hover,
        customdata=list(rows),
        hovertemplate="%{text}<extra>%{fullData.name}</extra>",
    )


def _number(figure: go.Figure, points: Mapping[str, NDArray[np.floating]], rows: Sequence[int]) -> None:
    """Write the text numbers once, beside the first column's points."""
    if not points or len(rows) > _NUMBERED:
        return
    xy = next(iter(points.values()))
    figure.add_trace(
        go.Scatter(
            x=np.round(xy[:, 0], 5),
            y=np.round(xy[:, 1], 5),
            mode="text",
            text=[str(row + 1) for row in rows],
            textposition="top right",
            textfont={"size": 11, "color": INK},
            hoverinfo="skip",
            showlegend=False,
            cliponaxis=False,
        )
    )


def _plain(text: str) -> str:
    """Plotly reads a small HTML of its own in every text: take its signs away."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _wrapped(text: str, width: int = 44) -> str:
    """Escaped text broken into lines; cutting before escaping keeps entities whole."""
    return "<br>   ".join(_plain(text[start : start + width]) for start in range(0, len(text), width)) or " "
