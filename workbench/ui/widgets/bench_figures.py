"""The figures of a benchmark: ratios with intervals, where the time goes, quality against speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from workbench.ui.texts import Language, word
from workbench.ui.widgets.figure_layout import INK, LEGEND, quieten
from workbench.ui.widgets.map import COLOURS

if TYPE_CHECKING:
    from workbench.compare.bench_plan import BenchPlan, Variant
    from workbench.compare.bench_results import BenchResult
    from workbench.compare.bench_tradeoff import Tradeoff, TradeoffPoint

_PARTS = ("tokenize", "forward", "pool", "copy")
# One colour a part of a call, none of them a contender's neighbour.
_PART_COLOURS = dict(zip(_PARTS, ("#7a6fd0", "#2f81c7", "#1a9b72", "#d9822b"), strict=True))
_FORM_COLOURS = {"float32": COLOURS[0], "int8": COLOURS[1], "binary": COLOURS[2]}
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")
_ROW_PIXELS = 26
# Highest over lowest value of an axis, below which ones, twos and fives are too few.
_SHORT_SPAN = 20
# Axis of quality against speed → value of a point.
AXES: Mapping[str, Callable[[TradeoffPoint, Mapping[str, float]], float]] = {
    "search": lambda point, _: point.queries_per_second,
    "bytes": lambda point, _: float(point.bytes_a_vector),
    "encode": lambda point, encode: encode.get(point.precision, float("nan")),
}


def variant_name(variant: Variant, plan: BenchPlan) -> str:
    """A variant's name with what differs within the plan alone."""
    parts = [variant.contender]
    if len(plan.precisions) > 1:
        parts.append(variant.precision)
    if len(plan.batch_sizes) > 1:
        parts.append(str(variant.batch_size))
    if len(plan.devices) > 1:
        parts.append(variant.device)
    return " · ".join(parts)


def contender_colour(plan: BenchPlan, contender: str) -> int:
    """Index of a contender's colour: its place in the plan."""
    return plan.contenders.index(contender) % len(COLOURS)


def corpus_name(name: str, language: Language) -> str:
    """A corpus in the reader's language."""
    return word(language, f"lab.corpus_{name}")


def ratio_figure(result: BenchResult, language: Language) -> go.Figure:
    """Bars of the ratio to the baseline, a group a corpus, with the 95% intervals."""
    figure = go.Figure()
    corpora = list(result.plan.corpora)
    names = dict.fromkeys(variant_name(one.variant, result.plan) for one in result.measured)
    for name in names:
        found = {one.corpus: one for one in result.measured if variant_name(one.variant, result.plan) == name}
        rows = [found[corpus] for corpus in corpora if corpus in found and found[corpus].ratio is not None]
        if not rows:
            continue
        ratios = [row.ratio for row in rows if row.ratio is not None]
        variant = rows[0].variant
        figure.add_trace(
            go.Bar(
                x=[corpus_name(row.corpus, language) for row in rows],
                y=[ratio.value for ratio in ratios],
                name=name,
                marker={
                    "color": COLOURS[contender_colour(result.plan, variant.contender)],
                    "opacity": _opacity(result.plan, variant),
                },
                error_y={
                    "type": "data",
                    "visible": any(ratio.low is not None for ratio in ratios),
                    "symmetric": False,
                    "array": [(ratio.high or ratio.value) - ratio.value for ratio in ratios],
                    "arrayminus": [ratio.value - (ratio.low or ratio.value) for ratio in ratios],
                    "color": INK,
                    "thickness": 1.5,
                },
                hovertemplate="%{y:.2f}<extra>%{fullData.name}</extra>",
            )
        )
    figure.add_hline(y=1, line={"color": INK, "width": 1, "dash": "dot"})
    quieten(figure, 300, barmode="group", bargap=0.3, dragmode=False)
    figure.update_yaxes(title={"text": word(language, "lab.axis_ratio"), "standoff": 4}, rangemode="tozero")
    return figure


def shares_figure(result: BenchResult, language: Language) -> go.Figure:
    """Where the time of a call goes, a bar a variant and corpus."""
    rows = [one for one in result.measured if one.shares is not None]
    figure = go.Figure()
    # The first row stands on top.
    labels = [
        f"{variant_name(one.variant, result.plan)}<br>{corpus_name(one.corpus, language)}" for one in rows
    ]
    for part in _PARTS:
        figure.add_trace(
            go.Bar(
                y=labels,
                x=[one.shares[part] * 100 for one in rows if one.shares is not None],
                name=word(language, f"lab.part_{part}"),
                orientation="h",
                marker={"color": _PART_COLOURS[part]},
                hovertemplate="%{x:.1f}%<extra>%{fullData.name}</extra>",
            )
        )
    quieten(
        figure,
        80 + (_ROW_PIXELS + 10) * max(len(rows), 1),
        barmode="stack",
        bargap=0.25,
        dragmode=False,
        margin={"l": 10, "r": 10, "t": 8, "b": 34},
        legend={**LEGEND, "traceorder": "normal"},
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(ticksuffix="%", range=[0, 100])
    return figure


def tradeoff_figure(tradeoff: Tradeoff, axis: str, language: Language) -> go.Figure:
    """Search quality against one of ``AXES``: colours are stored forms, symbols precisions of the encoder."""
    figure = go.Figure()
    encode = {one.precision: one.sentences_per_second for one in tradeoff.encode}
    precisions = list(dict.fromkeys(point.precision for point in tradeoff.points))
    for precision in precisions:
        for form in dict.fromkeys(point.form for point in tradeoff.points):
            points = [
                point for point in tradeoff.points if (point.precision, point.form) == (precision, form)
            ]
            if points:
                symbol = _SYMBOLS[precisions.index(precision) % len(_SYMBOLS)]
                figure.add_trace(_cloud(points, axis, encode, symbol, language))
    quieten(figure, 380, hovermode="closest", dragmode=False, margin={"l": 52, "r": 10, "t": 8, "b": 44})
    ticks = log_ticks([AXES[axis](point, encode) for point in tradeoff.points])
    figure.update_xaxes(
        title={"text": word(language, f"lab.axis_{axis}"), "standoff": 6},
        type="log",
        tickvals=ticks,
        ticktext=[f"{tick:,}" for tick in ticks],
    )
    figure.update_yaxes(title={"text": word(language, "lab.axis_quality"), "standoff": 6})
    return figure


def log_ticks(values: Sequence[float]) -> list[int]:
    """Round numbers around positive values, more of them over a short span; Plotly writes digits alone.

    Example:
        >>> log_ticks([30, 400])
        [30, 40, 50, 60, 80, 100, 200, 300, 400]
    """
    kept = [value for value in values if math.isfinite(value) and value > 0]
    if not kept:
        return []
    low, high = min(kept), max(kept)
    powers = range(max(0, math.floor(math.log10(low))), math.ceil(math.log10(high)) + 1)
    digits = (1, 2, 5) if high / low >= _SHORT_SPAN else (1, 2, 3, 4, 5, 6, 8)
    every = [digit * 10**power for power in powers for digit in digits]
    first = max((tick for tick in every if tick <= low), default=every[0])
    last = min((tick for tick in every if tick >= high), default=every[-1])
    return [tick for tick in every if first <= tick <= last]


def _cloud(
    points: Sequence[TradeoffPoint], axis: str, encode: Mapping[str, float], symbol: str, language: Language
) -> go.Scatter:
    first = points[0]
    # Points of one form lie on each other in every precision: one of them is written.
    written = first.precision == "float32" and axis != "encode"
    return go.Scatter(
        x=[AXES[axis](point, encode) for point in points],
        y=[point.ndcg for point in points],
        mode="markers+text" if written else "markers",
        name=f"{first.precision} → {first.form}",
        marker={"size": 9, "symbol": symbol, "color": _FORM_COLOURS[first.form]},
        text=[str(point.dim) for point in points],
        textposition="top center",
        textfont={"size": 10, "color": INK},
        customdata=[word(language, "lab.dims", dim=point.dim) for point in points],
        hovertemplate="%{customdata}<br>%{x:,.0f}<br>nDCG@10 %{y:.3f}<extra>%{fullData.name}</extra>",
    )


def _opacity(plan: BenchPlan, variant: Variant) -> float:
    """Precisions of one contender share its colour and differ in strength."""
    place = plan.precisions.index(variant.precision) + plan.batch_sizes.index(variant.batch_size)
    steps = len(plan.precisions) + len(plan.batch_sizes) - 2
    return 1.0 if steps == 0 else 1.0 - 0.6 * place / steps
