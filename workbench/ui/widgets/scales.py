"""Colour scales as CSS classes: one class a level, so that a cell costs a few bytes and follows the theme."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

Kind = Literal["similarity", "difference"]

# Level of a similarity = 100 × its value, from -10 to 100: the class name holds the shown value itself.
LOWEST, HIGHEST = -10, 100
# Levels of a signed difference on either side of zero.
HALF = 50

_Stops = tuple[tuple[float, str], ...]

# Ramps of one hue family with rising contrast to the page, and a second hue below zero. Blue against
# orange stays apart under the common colour deficiencies.
_SIMILARITY: dict[str, _Stops] = {
    "light": (
        (-0.1, "#f3cfb1"),
        (-0.001, "#f8f0e9"),
        (0.0, "#f4f6f9"),
        (0.35, "#b8d3ea"),
        (0.7, "#4f90c8"),
        (1.0, "#123f73"),
    ),
    "dark": (
        (-0.1, "#6e4526"),
        (-0.001, "#2a241f"),
        (0.0, "#1b222d"),
        (0.35, "#214a70"),
        (0.7, "#3f8acb"),
        (1.0, "#b5e0ff"),
    ),
}
_DIFFERENCE: dict[str, _Stops] = {
    "light": ((-1.0, "#a4460f"), (-0.4, "#eeaa7b"), (0.0, "#f5f6f8"), (0.4, "#8bb9e2"), (1.0, "#134f92")),
    "dark": ((-1.0, "#ffb27a"), (-0.4, "#a35a22"), (0.0, "#1a202a"), (0.4, "#2a6aa8"), (1.0, "#8ecbff")),
}


def similarity_class(value: float) -> str:
    """Class of a cosine: ``q0`` for -0.10 and below, ``q110`` for 1.00, ``qx`` where undefined."""
    if not math.isfinite(value):
        return "qx"
    return f"q{round(min(max(value * 100, LOWEST), HIGHEST)) - LOWEST}"


def difference_class(value: float, scale: float) -> str:
    """Class of a signed difference on ``[-scale, scale]``: ``d0`` … ``d100``, zero in the middle."""
    if not math.isfinite(value):
        return "qx"
    share = 0.0 if scale <= 0 else value / scale
    return f"d{round(min(max(share, -1.0), 1.0) * HALF) + HALF}"


def scale_css() -> str:
    """The rules of every level in both themes, text colour chosen for contrast."""
    rules: list[str] = []
    for theme, prefix in (("light", ""), ("dark", ".dark ")):
        for level in range(LOWEST, HIGHEST + 1):
            rules.append(_rule(f"{prefix}i.q{level - LOWEST}", _mix(_SIMILARITY[theme], level / 100)))
        for level in range(-HALF, HALF + 1):
            rules.append(_rule(f"{prefix}i.d{level + HALF}", _mix(_DIFFERENCE[theme], level / HALF)))
    return "".join(rules)


def gradient_css(kind: Kind, theme: str) -> str:
    """A left-to-right CSS gradient of a scale, for its legend."""
    stops = (_SIMILARITY if kind == "similarity" else _DIFFERENCE)[theme]
    low, high = stops[0][0], stops[-1][0]
    parts = ", ".join(f"{colour} {(at - low) / (high - low):.1%}" for at, colour in stops)
    return f"linear-gradient(90deg, {parts})"


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _rule(selector: str, colour: str) -> str:
    ink = max(("#000000", "#ffffff"), key=lambda candidate: contrast(candidate, colour))
    return f"{selector}{{background:{colour};color:{ink}}}"


def _mix(stops: _Stops, at: float) -> str:
    """Colour at a place between stops, blended in linear light."""
    for (low, from_colour), (high, to_colour) in pairwise(stops):
        if at <= high:
            share = (at - low) / (high - low)
            pairs = zip(_linear(from_colour), _linear(to_colour), strict=True)
            return "#" + "".join(f"{_encoded(a + (b - a) * share):02x}" for a, b in pairs)
    return stops[-1][1]


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, float, float]:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def _encoded(channel: float) -> int:
    channel = min(max(channel, 0.0), 1.0)
    value = channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
    return round(value * 255)
