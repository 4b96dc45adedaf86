"""A score that may be undefined: a number, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Undefined:
    """No number can stand here; never NaN, which would pass through charts and comparisons unseen."""

    reason: str


Score = float | Undefined
"""A finite number, or why there is none."""


def best(scores: Iterable[Score]) -> Score:
    """The highest of the defined scores; undefined only where none is defined."""
    every = list(scores)
    defined = [score for score in every if not isinstance(score, Undefined)]
    return max(defined) if defined else every[0] if every else Undefined("there is no score")


def mean(scores: Iterable[Score]) -> Score:
    """The arithmetic mean; undefined as soon as one score is, since a mean over fewer says less."""
    every = list(scores)
    for score in every:
        if isinstance(score, Undefined):
            return score
    numbers = [score for score in every if not isinstance(score, Undefined)]
    return sum(numbers) / len(numbers) if numbers else Undefined("there is no score")
