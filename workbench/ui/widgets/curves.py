"""Curves of one or several runs as inline SVG, each with a table beside it; the theme colours them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.curve_points import (
    MAX_POINTS,
    Line,
    Point,
    points_of,
    thinned,
    tick_label,
    tick_labels,
    ticks,
)
from workbench.ui.widgets.html import Safe, element, join, readable, table, tag

METRICS = ("loss", "score", "learning_rate", "gradient_norm", "weight_distance")
# For ``gr.HTML(js_on_load=...)``: a table that the visitor opened stays open when the curves grow.
CURVES_JS = (Path(__file__).parent.parent / "curves.js").read_text(encoding="utf-8")

_WIDTH, _HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 22
_TABLE_ROWS = 60
# So few points are drawn as dots too: a score comes now and then.
_DOTS = 30
_NAME_CHARACTERS = 60


def curves(
    series: Mapping[str, Sequence[Line]], language: Language, metrics: Sequence[str] = METRICS
) -> Safe:
    """The curves of runs, a figure a metric, the runs overlaid in the colours of the columns.

    Args:
        series: Name of a run → its reports, as ``runs.metrics.effective`` gives them; the first is c0.
        language: Of the words.
        metrics: Which values, in this order; one that no run has is left out.

    Returns:
        Markup; a sentence where there is no point at all.
    """
    names = [readable(name, _NAME_CHARACTERS) for name in series]
    figures = []
    cut = False
    for metric in metrics:
        points = [points_of(lines, metric) for lines in series.values()]
        if any(points):
            figures.append(_figure(metric, names, points, language))
            cut = cut or any(len(one) > MAX_POINTS for one in points)
    if not figures:
        return element("p", say(language, "curve.none"), class_="wb-note")
    parts = [element("div", join(figures), class_="cv-board")]
    if len(names) > 1:
        legend = join((tag(name, place) for place, name in enumerate(names)), " ")
        parts.insert(0, element("p", legend, class_="cv-legend"))
    if cut:
        parts.append(element("p", say(language, "curve.thinned", points=MAX_POINTS), class_="wb-note"))
    return element("div", join(parts), class_="cv-all")


def _figure(metric: str, names: Sequence[str], points: Sequence[list[Point]], language: Language) -> Safe:
    title = word(language, f"curve.{metric}")
    drawn = [thinned(one) for one in points]
    shown = [_svg(title, drawn, language), _details(metric, names, drawn, language)]
    return element("figure", join([element("figcaption", title), *shown]), class_="cv")


def _svg(title: str, drawn: Sequence[list[Point]], language: Language) -> Safe:
    values = [value for one in drawn for _, value in one if value is not None]
    steps = [step for one in drawn for step, _ in one]
    first, last = min(steps), max(steps)
    if not values:
        return element("p", say(language, "curve.empty", name=title), class_="wb-note")
    low, high = min(values), max(values)
    label = word(
        language,
        "curve.described",
        name=title,
        first=first,
        last=last,
        low=tick_label(low),
        high=tick_label(high),
    )
    frame = _Frame.around(first, last, low, high)
    lines = [_curve(one, place, frame) for place, one in enumerate(drawn)]
    inner = join([_axes(frame, language), *lines])
    return element("svg", inner, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label)


class _Frame:
    """The rectangle of a figure: steps and values to places in the drawing."""

    def __init__(self, steps: tuple[float, float], values: tuple[float, float]) -> None:
        self.steps = steps
        self.values = values

    @staticmethod
    def around(first: int, last: int, low: float, high: float) -> _Frame:
        """With air above and below; a single step or value stands in the middle."""
        steps = (float(first), float(last)) if last > first else (first - 1.0, last + 1.0)
        air = (high - low) * 0.12 or abs(high) * 0.05 or 1.0
        return _Frame(steps, (low - air, high + air))

    def x(self, step: float) -> float:
        """Place of a step from the left."""
        low, high = self.steps
        return _LEFT + (step - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Place of a value from the top."""
        low, high = self.values
        share = (value - low) / (high - low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _axes(frame: _Frame, language: Language) -> Safe:
    parts: list[Safe] = []
    values = ticks(*frame.values, most=4)
    for value, label in zip(values, tick_labels(values), strict=True):
        y = f"{frame.y(value):.1f}"
        parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="cv-grid"))
        parts.append(element("text", label, x=_LEFT - 5, y=y, dy="0.32em", class_="cv-y"))
    floor = _HEIGHT - _BOTTOM
    parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=floor, y2=floor, class_="cv-axis"))
    for step in ticks(*frame.steps, most=4):
        # A step is a whole number; the last one leaves its place to the axis' name.
        if step == int(step) and frame.x(step) < _WIDTH - 44:
            x = f"{frame.x(step):.1f}"
            parts.append(element("text", f"{step:.0f}", x=x, y=floor + 14, class_="cv-x"))
    name = word(language, "curve.step")
    parts.append(element("text", name, x=_WIDTH - _RIGHT, y=floor + 14, class_="cv-name"))
    return join(parts)


def _curve(points: Sequence[Point], place: int, frame: _Frame) -> Safe:
    drawn: list[str] = []
    dots: list[Safe] = []
    pen_down = False
    for number, (step, value) in enumerate(points):
        if value is None:
            pen_down = False
            continue
        at = f"{frame.x(step):.1f} {frame.y(value):.1f}"
        drawn.append(f"{'L' if pen_down else 'M'}{at}")
        alone = not pen_down and (number + 1 == len(points) or points[number + 1][1] is None)
        if alone or len(points) <= _DOTS:
            x, _, y = at.partition(" ")
            dots.append(element("circle", cx=x, cy=y, r=2.2))
        pen_down = True
    if not drawn:
        return Safe("")
    path = element("path", d="".join(drawn))
    return element("g", join([path, *dots]), class_=f"cv-line c{place % 6}")


def _details(metric: str, names: Sequence[str], drawn: Sequence[list[Point]], language: Language) -> Safe:
    # Rows are the steps themselves: two runs need not have reported the same ones.
    columns = [dict(thinned(one, _TABLE_ROWS)) for one in drawn]
    steps = sorted({step for column in columns for step in column})
    title = word(language, f"curve.{metric}")
    heads = [word(language, "curve.step"), *(names if len(names) > 1 else [title])]
    rows = [[step, *(_cell(column, step, language) for column in columns)] for step in steps]
    body = element("div", table(heads, rows, caption=title), class_="wb-tall")
    summary = element("summary", say(language, "curve.table"))
    return element("details", join([summary, body]), data_key=metric)


def _cell(column: Mapping[int, float | None], step: int, language: Language) -> str:
    if step not in column:
        return ""
    value = column[step]
    return word(language, "curve.gap") if value is None else f"{value:.6g}"
