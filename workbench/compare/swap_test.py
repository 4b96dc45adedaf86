"""The swap test: whether two models' scores could have been exchanged item by item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from workbench.compare.item_scores import ItemScores, metric_on_resamples, rows_a_block


def swap_test(
    reference: ItemScores, candidates: Sequence[ItemScores], resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """One-sided p-values that the candidate is better, and that it is worse, from exchanging their scores.

    If the two models are alike, it does not matter which of them gave which of an item's two scores. Scores
    that are correlated are put on one scale first (ranks for Spearman, standard scores for Pearson), since
    models differ in the spread of their cosines without being better or worse.

    Args:
        reference, candidates: Item scores; candidates are exchanged at the same items.
        resamples: Random exchanges.
        rng: Of the exchanges.
    """
    items = len(reference)
    statistic = _swap_statistic(reference, candidates)
    observed = statistic(np.zeros((1, items)))[0]
    # Equal on paper must not count as smaller by rounding.
    slack = 1e-12
    above = below = 0
    block = rows_a_block(2 * items, resamples)
    for start in range(0, resamples, block):
        swapped = rng.integers(0, 2, (min(block, resamples - start), items)).astype(np.float64)
        found = statistic(swapped)
        # An exchange on which the metric is undefined speaks for neither side.
        undefined = np.isnan(found)
        above += int(((found >= observed - slack) | undefined).sum())
        below += int(((found <= observed + slack) | undefined).sum())
    return (1 + above) / (1 + resamples), (1 + below) / (1 + resamples)


def _swap_statistic(
    reference: ItemScores, candidates: Sequence[ItemScores]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """From which items are exchanged, shape ``(exchanges, items)`` of 0 and 1, to the difference."""
    if reference.gold is None:
        gains = np.mean([candidate.values for candidate in candidates], axis=0) - reference.values
        return lambda swapped: ((1 - 2 * swapped) @ gains) / len(gains)
    twice = np.concatenate([reference.gold, reference.gold])
    scale = _mean_ranks if reference.kind == "spearman" else _standard_scores
    pools = [
        replace(reference, values=np.concatenate([scale(one.values), scale(reference.values)]), gold=twice)
        for one in candidates
    ]

    def difference(swapped: NDArray[np.float64]) -> NDArray[np.float64]:
        kept, given = np.hstack([1 - swapped, swapped]), np.hstack([swapped, 1 - swapped])
        each = [metric_on_resamples(pool, kept) - metric_on_resamples(pool, given) for pool in pools]
        mean: NDArray[np.float64] = np.mean(each, axis=0)
        return mean

    return difference


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(values)
    return ranks


def _standard_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    scaled: NDArray[np.float64] = (values - values.mean()) / (spread or 1.0)
    return scaled
