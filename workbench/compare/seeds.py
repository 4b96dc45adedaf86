"""What the seed of a training does to its score: mean, spread, and its share in an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SeedSpread:
    """One metric over the trainings that differ in nothing but the seed.

    Attributes:
        metric: Its name.
        seeds: Seed of each training; None where it was not said.
        values: Score of each.
        mean: Their mean.
        deviation: Their standard deviation (n - 1); None with one seed, where it is unknown.
        low, high: Interval of the mean over seeds on these items, Student's t; None with one seed.
    """

    metric: str
    seeds: tuple[int | None, ...]
    values: tuple[float, ...]
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


def seed_spread(
    metric: str, seeds: Sequence[int | None], values: Sequence[float], level: float = 0.95
) -> SeedSpread:
    """Describe the scores of several trainings; at least one."""
    from scipy.stats import t

    middle = float(np.mean(values))
    if len(values) < 2:
        return SeedSpread(metric, tuple(seeds), tuple(values), middle, None, None, None)
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * seed_error(values)
    deviation = float(np.std(values, ddof=1))
    return SeedSpread(metric, tuple(seeds), tuple(values), middle, deviation, middle - half, middle + half)


def seed_error(values: Sequence[float]) -> float:
    """Standard error of the mean over seeds; 0 with one seed, where nothing can be said."""
    return float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0


def seed_noise(values: Sequence[float], size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """How far the mean over these seeds may be from the mean over all, drawn ``size`` times.

    ``seed_error × Student's t with (seeds - 1) degrees of freedom``. Resampling three seeds would draw from
    three values with two thirds of their variance; the t distribution knows how little three seeds tell.
    Added to the bootstrap over the items it gives the joint variation of items and seeds.

    Args:
        values: The metric of each training.
        size: Draws.
        rng: Draws from it only with two seeds or more.

    Returns:
        Shape ``(size,)``; zeros with one seed.
    """
    error = seed_error(values)
    if error == 0.0:
        return np.zeros(size)
    return error * rng.standard_t(len(values) - 1, size)
