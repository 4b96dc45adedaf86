"""The quiet look that every plotly figure shares: no ground of its own, mid-grey ink, faint lines."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

# Mid-grey: a figure is drawn on the server, which does not know the theme.
INK = "#808b9a"
GRID = "rgba(128,139,154,0.22)"
# From the top of the figure, not of what is drawn: a legend that gets shorter as the page gets wider would
# otherwise stay where it was and lie over the drawing.
LEGEND = {"orientation": "h", "yref": "container", "y": 1.0, "yanchor": "top", "x": 0}


def quieten(figure: go.Figure, height: int, **more: Any) -> go.Figure:
    """Give a figure the look of the app.

    Args:
        figure: Changed in place.
        height: In pixels.
        more: Further settings of the layout, which overrule the common ones.
    """
    figure.update_layout(
        **{
            "template": "none",
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": INK, "size": 11, "family": "system-ui, sans-serif"},
            "margin": {"l": 36, "r": 8, "t": 8, "b": 30},
            "legend": LEGEND,
            "height": height,
            "hoverlabel": {"align": "left"},
            **more,
        }
    )
    line = {"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": GRID, "ticks": ""}
    figure.update_xaxes(**line)
    figure.update_yaxes(**line)
    return figure
