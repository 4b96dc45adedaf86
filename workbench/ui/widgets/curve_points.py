"""The points behind curves: read from the reports of runs, thinned without losing a peak, and round ticks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

# Step and value; None where the value was not finite.
Point = tuple[int, float | None]
Line = Mapping[str, Any]

MAX_POINTS = 300
# Beyond it, the difference of two values would be none.
_WIDEST = 1e300
_MISSING = object()


def points_of(lines: Sequence[Line], metric: str) -> list[Point]:
    """A metric's points in the order of the reports.

    Args:
        lines: What ``runs.metrics.effective`` gives.
        metric: Name of a value.
    """
    found: list[Point] = []
    for line in lines:
        value = line.get("values", {}).get(metric, _MISSING)
        if value is None or (type(value) is float and -_WIDEST <= value <= _WIDEST):
            found.append((line["step"], value))
        elif _is_number(value):
            found.append((line["step"], max(-_WIDEST, min(_WIDEST, value))))
    return found


def by_training(lines: Sequence[Line], ways: Sequence[str]) -> dict[str, list[Line]]:
    """The reports of a run that trains several ways and seeds, parted, each counting its steps from 1.

    Args:
        lines: What ``runs.metrics.effective`` gives.
        ways: Names of the ways, as the run's config has them.

    Returns:
        Way, with its seed where there are several → its reports; one entry where the run trains once.
    """
    parts: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        values = line.get("values", {})
        parts.setdefault((int(values.get("way") or 0), int(values.get("seed") or 0)), []).append(line)
    several_seeds = len({seed for _, seed in parts}) > 1
    found: dict[str, list[Line]] = {}
    for (way, seed), own in parts.items():
        name = ways[way] if way < len(ways) else str(way)
        # The trainings of a run follow each other, and every step is reported.
        first = int(own[0]["step"]) - 1
        shifted = own
        if first:
            shifted = [{**line, "step": int(line["step"]) - first} for line in own]
        found[f"{name} · {seed}" if several_seeds else name] = shifted
    return found


def thinned(points: Sequence[Point], limit: int = MAX_POINTS) -> list[Point]:
    """At most ``limit`` points that look like all of them: lows, highs, gaps, first and last stay.

    Example:
        >>> len(thinned([(step, 1.0) for step in range(10_000)])) <= MAX_POINTS
        True
    """
    if len(points) <= limit:
        return list(points)
    # Of each bucket its lowest, its highest and one undefined point are kept.
    buckets = max(1, (limit - 2) // 3)
    inner = points[1:-1]
    kept = [points[0]]
    for number in range(buckets):
        bucket = inner[len(inner) * number // buckets : len(inner) * (number + 1) // buckets]
        kept.extend(_telling(bucket))
    return [*kept, points[-1]]


def _telling(bucket: Sequence[Point]) -> list[Point]:
    places: set[int] = set()
    defined = [place for place, (_, value) in enumerate(bucket) if value is not None]
    if defined:
        places.add(min(defined, key=lambda place: (bucket[place][1], place)))
        places.add(max(defined, key=lambda place: (bucket[place][1], -place)))
    if len(defined) < len(bucket):
        places.add(next(place for place, (_, value) in enumerate(bucket) if value is None))
    return [bucket[place] for place in sorted(places)]


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``, both inside, one, two or five times a power of ten apart.

    Example:
        >>> ticks(0.0, 1.0)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(
        (power * factor for factor in (1, 2, 5) if span / (power * factor) <= most + 1e-9), power * 10
    )
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12 - math.floor(math.log10(step))) for number in range(first, last + 1)]


def tick_labels(values: Sequence[float]) -> list[str]:
    """Labels of an axis, with as many digits as tell them apart.

    Example:
        >>> tick_labels([0.84512, 0.84514])
        ['0.84512', '0.84514']
    """
    for digits in range(4, 20):
        labels = [tick_label(value, digits) for value in values]
        if len(set(labels)) == len(set(values)):
            break
    return labels if values else []


def tick_label(value: float, digits: int = 4) -> str:
    """A number in few digits, with an exponent where that is shorter.

    Example:
        >>> tick_label(2e-05), tick_label(0.25), tick_label(1200.0)
        ('2e-5', '0.25', '1200')
    """
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        text = f"{value:.{digits}f}" if abs(value) < 1 else f"{value:.{digits + 2}g}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _, exponent = f"{value:.{digits - 2}e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "\u2212", 1) if value < 0 else text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
