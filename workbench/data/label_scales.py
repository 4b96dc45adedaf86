"""The scale that scores are given on, found from their values, and rescaling to 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError

# Name → smallest and largest score.
SCALES: dict[str, tuple[float, float]] = {
    "0-1": (0.0, 1.0),
    "-1-1": (-1.0, 1.0),
    "1-5": (1.0, 5.0),
    "0-5": (0.0, 5.0),
    "0-10": (0.0, 10.0),
    "0-100": (0.0, 100.0),
    "percent": (0.0, 100.0),
}
# Below this many scores, a smallest one of 1 or more may be chance.
_ENOUGH_FOR_ONE = 30


@dataclass(frozen=True)
class Scale:
    """A scale and why it is thought to be this one.

    Attributes:
        name: A key of ``SCALES``; None where no known scale holds all scores.
        low: Smallest score that came.
        high: Largest score that came.
        reason: One sentence for the user.
    """

    name: str | None
    low: float
    high: float
    reason: str


def find_scale(scores: Sequence[float], percent: bool = False) -> Scale:
    """Name the smallest known scale that holds all scores.

    Args:
        scores: Finite numbers, at least one.
        percent: Whether they came with a percent sign.
    """
    low, high = min(scores), max(scores)
    span = f"The scores run from {low:g} to {high:g}"
    if percent:
        name = "percent" if low >= 0 and high <= 100 else None
        return Scale(name, low, high, f"{span} and carry percent signs.")
    for name, (least, most) in SCALES.items():
        if name == "percent" or not (least <= low and high <= most):
            continue
        if name == "1-5" and len(scores) < _ENOUGH_FOR_ONE and any(score != int(score) for score in scores):
            continue
        return Scale(name, low, high, f"{span}; the smallest usual scale that holds them is {name}.")
    return Scale(None, low, high, f"{span}, which no usual scale holds.")


def scale_bounds(rescale: str | tuple[float, float]) -> tuple[float, float]:
    """The smallest and largest score of a scale, given by name or as the two numbers.

    Raises:
        UnknownNameError: No scale of this name.
        InvalidTypeError: Neither a name nor two numbers.
        InvalidValueError: The first number is not below the second.
    """
    if isinstance(rescale, str):
        if rescale not in SCALES:
            raise UnknownNameError(
                "scale-unknown", f"{rescale!r}", expected="one of " + ", ".join(SCALES), where="rescale"
            )
        return SCALES[rescale]
    if not isinstance(rescale, tuple | list) or len(rescale) != 2:
        raise InvalidTypeError(
            "scale-not-two-numbers",
            f"{rescale!r}"[:60],
            expected="the name of a scale, or its smallest and largest score",
            where="rescale",
        )
    low, high = float(rescale[0]), float(rescale[1])
    if not low < high:
        raise InvalidValueError(
            "scale-empty", f"{low:g} to {high:g}", expected="the smaller number first", where="rescale"
        )
    return low, high
