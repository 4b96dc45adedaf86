"""Bars and intervals of a proof as inline SVG: no script, colours from the page's CSS."""

from __future__ import annotations

from collections.abc import Sequence

_WIDTH, _HEIGHT, _PAD = 260, 22, 6


def interval_svg(low: float, value: float, high: float, span: tuple[float, float], state: str) -> str:
    """An interval with its value, and a line at 0.

    Args:
        low, value, high: Of the difference.
        span: Left and right end of the axis; holds 0.
        state: ``better``, ``worse`` or ``none``: the CSS class.
    """
    left, middle, right, zero = (_place(number, span) for number in (low, value, high, 0.0))
    half = _HEIGHT / 2
    label = f"{value:+.4f}, {low:+.4f} to {high:+.4f}"
    return (
        f'<svg class="iv {state}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{_HEIGHT}"/>'
        f'<line class="range" x1="{left:.1f}" x2="{right:.1f}" y1="{half}" y2="{half}"/>'
        f'<circle cx="{middle:.1f}" cy="{half}" r="4"/></svg>'
    )


def bar_svg(value: float, low: float | None, high: float | None, span: tuple[float, float]) -> str:
    """A score as a bar from the left end of the axis, with its interval where there is one."""
    end = _place(value, span)
    ends = "" if low is None or high is None else f", {low:.4f} to {high:.4f}"
    whisker = ""
    if low is not None and high is not None:
        half = _HEIGHT / 2
        whisker = (
            f'<line class="range" x1="{_place(low, span):.1f}" x2="{_place(high, span):.1f}" '
            f'y1="{half}" y2="{half}"/>'
        )
    return (
        f'<svg class="bar" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{value:.4f}{ends}">'
        f'<rect x="{_PAD}" y="5" width="{max(end - _PAD, 0):.1f}" height="{_HEIGHT - 10}"/>{whisker}</svg>'
    )


def axis(numbers: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis that holds 0 and all of the numbers."""
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    return (low, high) if high > low else (-1.0, 1.0)


def _place(number: float, span: tuple[float, float]) -> float:
    low, high = span
    return _PAD + (min(max(number, low), high) - low) / (high - low) * (_WIDTH - 2 * _PAD)
