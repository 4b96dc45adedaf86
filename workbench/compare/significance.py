"""Whether one model is better than another on the same items: paired bootstrap with a swap test beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from workbench.compare.holm import holm
from workbench.compare.item_scores import (
    ItemScores,
    draw_counts,
    metric_on_resamples,
    metric_value,
    require_same_items,
    rows_a_block,
)
from workbench.compare.seeds import seed_error, seed_noise
from workbench.compare.swap_test import swap_test
from workbench.errors import InvalidValueError
from workbench.evaluation.metrics.score import Score, Undefined, mean

RESAMPLES = 4000
LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Candidate minus reference under one metric; positive where the candidate is better.

    Attributes:
        metric: Its name.
        candidate, reference: Names of the two.
        reference_score, candidate_score: The metric of each; of several seeds the mean.
        value: The difference; undefined as soon as one side is, of one seed too.
        low, high: Ends of the interval at ``level``; None where it is undefined.
        level: Such as 0.95: one end fails in 2.5% of cases.
        p_better, p_worse: One-sided p-values, the larger of bootstrap and swap test; 1 where undefined.
        adjusted_better, adjusted_worse: The same after Holm's correction over the comparisons beside it.
        error: Standard error of the difference, seeds included.
        seed_error: The part of it that comes from the seeds; 0 with one seed, where it is unknown.
        seeds: Trainings of the candidate.
        items: Items resampled.
        undefined: Why there is no interval; empty where there is one.
    """

    metric: str
    candidate: str
    reference: str
    reference_score: Score
    candidate_score: Score
    value: Score
    low: float | None
    high: float | None
    level: float
    p_better: float
    p_worse: float
    adjusted_better: float
    adjusted_worse: float
    error: float | None
    seed_error: float
    seeds: int
    items: int
    undefined: str = ""

    @property
    def alpha(self) -> float:
        """The chance of a false "better" that is accepted: half of what the level leaves."""
        return (1 - self.level) / 2

    @property
    def better(self) -> bool:
        """Shown to be better: the whole interval above 0, and the corrected p-value within ``alpha``."""
        return self.low is not None and self.low > 0 and self.adjusted_better <= self.alpha

    @property
    def worse(self) -> bool:
        """Shown to be worse."""
        return self.high is not None and self.high < 0 and self.adjusted_worse <= self.alpha


def paired_difference(
    reference: ItemScores,
    candidates: Sequence[ItemScores],
    *,
    names: tuple[str, str] = ("candidate", "reference"),
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Difference:
    """Compare a candidate, trained with one seed or several, with a reference on the same items.

    The interval is the percentile bootstrap of ``mean over seeds of metric(candidate) - metric(reference)``
    over the items, both models on the same resample; with several seeds the variation between them joins in
    (see `seed_noise`). The swap test exchanges the two models' scores at random items: it is exact where the
    bootstrap is too sure, with few items or few that differ. Both must agree before a difference is shown.

    Args:
        reference: The untuned model.
        candidates: The same metric over the same items for each seed.
        names: Of candidate and reference.
        resamples: Of the bootstrap, and random exchanges of the swap test.
        level: Of the two-sided interval.
        seed: Of the resampling; the same inputs give the same numbers.

    Raises:
        InvalidValueError: No candidate, fewer than 100 resamples, or a level outside 0.5 to 1.
        ShapeMismatchError: Not the same items.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 15; Yeh, More
    Accurate Tests for the Statistical Significance of Result Differences, COLING 2000 (the swap test).
    """
    _check(candidates, resamples, level)
    require_same_items([reference, *candidates])
    before = metric_value(reference)
    each = [metric_value(candidate) for candidate in candidates]
    after = mean(each)
    blank = replace(
        undefined_difference(reference.metric, names, len(candidates), "", level),
        reference_score=before,
        candidate_score=after,
        value=_minus(after, before),
        items=len(reference),
    )
    if isinstance(blank.value, Undefined):
        return replace(blank, undefined=blank.value.reason)
    if len(reference) < 2:
        return replace(blank, undefined="one item alone cannot be resampled")
    rng = np.random.default_rng(seed)
    drawn = bootstrap_differences(reference, candidates, resamples, rng)
    if lost := int(np.isnan(drawn).sum()):
        return replace(blank, undefined=f"the metric is undefined on {lost:,} of {resamples:,} resamples")
    numbers = [score for score in each if not isinstance(score, Undefined)]
    drawn = drawn + seed_noise(numbers, resamples, rng)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    swapped_better, swapped_worse = swap_test(reference, candidates, resamples, rng)
    better = max(swapped_better, (1 + int((drawn <= 0).sum())) / (1 + resamples))
    worse = max(swapped_worse, (1 + int((drawn >= 0).sum())) / (1 + resamples))
    by_seeds = seed_error(numbers)
    return replace(
        blank,
        low=float(low),
        high=float(high),
        p_better=better,
        p_worse=worse,
        adjusted_better=better,
        adjusted_worse=worse,
        error=_error(drawn, level),
        seed_error=by_seeds,
    )


def undefined_difference(
    metric: str, names: tuple[str, str], seeds: int, reason: str, level: float = LEVEL
) -> Difference:
    """A comparison that cannot be made: nothing is shown, in either direction."""
    nothing = Undefined(reason)
    return Difference(
        metric=metric,
        candidate=names[0],
        reference=names[1],
        reference_score=nothing,
        candidate_score=nothing,
        value=nothing,
        low=None,
        high=None,
        level=level,
        p_better=1.0,
        p_worse=1.0,
        adjusted_better=1.0,
        adjusted_worse=1.0,
        error=None,
        seed_error=0.0,
        seeds=seeds,
        items=0,
        undefined=reason,
    )


def bootstrap_differences(
    reference: ItemScores, candidates: Sequence[ItemScores], resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The difference on each bootstrap resample of the items, the mean over the candidates.

    Shape ``(resamples,)``; NaN where a correlation is undefined on a resample.
    """
    from scipy.stats import bootstrap

    items = len(reference)

    def difference(rows: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        counts = draw_counts(np.atleast_2d(rows), items)
        after = np.mean([metric_on_resamples(one, counts) for one in candidates], axis=0)
        found: NDArray[np.float64] = (after - metric_on_resamples(reference, counts)).reshape(rows.shape[:-1])
        return found

    # The items' numbers are resampled, so that all models and the gold scores move together.
    result = bootstrap(
        (np.arange(items),),
        difference,
        n_resamples=resamples,
        batch=rows_a_block(items, resamples),
        vectorized=True,
        method="percentile",
        rng=rng,
    )
    drawn: NDArray[np.float64] = result.bootstrap_distribution
    return drawn


def corrected(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """Differences that are judged together, with Holm's correction for each direction."""
    better = holm([difference.p_better for difference in differences])
    worse = holm([difference.p_worse for difference in differences])
    return tuple(
        replace(difference, adjusted_better=b, adjusted_worse=w)
        for difference, b, w in zip(differences, better, worse, strict=True)
    )


def score_interval(
    scores: ItemScores, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[float, float] | None:
    """Bootstrap interval of one model's metric alone; None where it is undefined."""
    if isinstance(metric_value(scores), Undefined) or len(scores) < 2:
        return None
    nothing = replace(scores, values=np.zeros_like(scores.values), gold=None, kind="mean")
    drawn = bootstrap_differences(nothing, [scores], resamples, np.random.default_rng(seed))
    if np.isnan(drawn).any():
        return None
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _error(drawn: NDArray[np.float64], level: float) -> float:
    """Standard error from the width of the interval: Student's t of three seeds has no variance."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(high - low) / (2 * NormalDist().inv_cdf((1 + level) / 2))


def _minus(after: Score, before: Score) -> Score:
    if isinstance(after, Undefined):
        return after
    return before if isinstance(before, Undefined) else after - before


def _check(candidates: Sequence[ItemScores], resamples: int, level: float) -> None:
    if not candidates:
        raise InvalidValueError("no-candidate", "no scores of a candidate came", expected="one seed or more")
    if resamples < 100:
        raise InvalidValueError("too-few-resamples", f"{resamples}", expected="at least 100, better 4,000")
    if not 0.5 < level < 1:
        raise InvalidValueError("level-out-of-range", f"{level}", expected="between 0.5 and 1, such as 0.95")
