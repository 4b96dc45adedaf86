"""The statistics of a benchmark: percentiles of calls, and ratios with intervals over paired rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ShapeMismatchError

RESAMPLES = 4000
LEVEL = 0.95
# Of fewer rounds a resample says next to nothing.
LEAST_ROUNDS = 5


@dataclass(frozen=True)
class Ratio:
    """How many times as fast something is as the baseline; above 1 is faster.

    Attributes:
        value: Median of the baseline's seconds over the median of its own.
        low, high: Ends of the 95% interval; None with fewer than ``LEAST_ROUNDS`` rounds.
        rounds: Paired rounds.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int

    @property
    def spans_one(self) -> bool:
        """Whether neither side is shown to be faster; also where there is no interval."""
        return self.low is None or self.high is None or self.low <= 1 <= self.high


def paired_ratio(baseline: Sequence[float], other: Sequence[float], seed: int = 0) -> Ratio:
    """The ratio of two medians, with the percentile bootstrap over rounds.

    Both sides of a round are drawn together: what slowed a round down slowed down both.

    Args:
        baseline, other: Seconds, one a round, in the same order of rounds.
        seed: Of the resampling.

    Raises:
        ShapeMismatchError: Not the same rounds, or none.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    """
    if len(baseline) != len(other) or not len(baseline):
        raise ShapeMismatchError(
            "rounds-mismatch", f"{len(baseline)} and {len(other)} rounds", expected="as many, at least one"
        )
    left, right = np.asarray(baseline, dtype=np.float64), np.asarray(other, dtype=np.float64)
    value = float(np.median(left) / np.median(right))
    if len(left) < LEAST_ROUNDS:
        return Ratio(value, None, None, len(left))
    from scipy.stats import bootstrap

    def medians(one: NDArray[Any], two: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        found: NDArray[Any] = np.median(one, axis=axis) / np.median(two, axis=axis)
        return found

    interval = bootstrap(
        (left, right),
        medians,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Ratio(value, float(interval.low), float(interval.high), len(left))


def percentile_ms(seconds: Sequence[float], percent: float) -> float:
    """A percentile of the calls in milliseconds, interpolated between neighbours."""
    return float(np.percentile(seconds, percent)) * 1000


def ratio_of_ratios(now: Ratio, before: Ratio) -> Ratio:
    """How an earlier ratio has changed: above 1, the lead over the baseline has grown.

    The two are independent, so the half widths of their intervals add in squares on the log scale.
    """
    value = now.value / before.value
    ends = (now.low, now.high, before.low, before.high)
    if any(end is None or end <= 0 for end in ends):
        return Ratio(value, None, None, min(now.rounds, before.rounds))
    logs = np.log(np.asarray(ends, dtype=np.float64))
    half = float(np.hypot(logs[1] - logs[0], logs[3] - logs[2])) / 2
    return Ratio(
        value, value * float(np.exp(-half)), value * float(np.exp(half)), min(now.rounds, before.rounds)
    )
