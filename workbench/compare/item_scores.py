"""What a model gives each held-out item under one metric, and that metric on many resamples at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ShapeMismatchError
from workbench.evaluation.metrics.score import Score, Undefined

Kind = Literal["mean", "spearman", "pearson"]

# Counts held at a time: 32 MB in float64.
_COUNTS_A_BLOCK = 2**22


@dataclass(frozen=True)
class ItemScores:
    """One model, one metric, item by item; the unit that is resampled: a pair, a query, a triplet, a text.

    Attributes:
        metric: Name, such as ``spearman_cosine`` or ``ndcg@10``.
        values: For a mean the metric of each item, for a correlation the model's score of each pair. Shape
            ``(items,)``, float64, finite.
        gold: For a correlation what is true, shape ``(items,)``; None for a mean.
        kind: How the items become one number.
    """

    metric: str
    values: NDArray[np.float64]
    gold: NDArray[np.float64] | None = None
    kind: Kind = "mean"

    def __post_init__(self) -> None:
        if self.gold is not None and self.gold.shape != self.values.shape:
            raise ShapeMismatchError(
                "pairs-mismatch",
                f"{len(self.gold)} gold scores for {len(self.values)} pairs",
                expected="one gold score a pair",
            )

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Ranking:
    """Values in order, once: from it the ranks within any resample follow without sorting again.

    Attributes:
        order: Items by rising value. Shape ``(items,)``.
        starts: Where each group of equal values begins in that order. Shape ``(groups,)``.
        group: For each item its group. Shape ``(items,)``.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    group: NDArray[np.int64]


def metric_value(scores: ItemScores) -> Score:
    """The metric over all items; undefined for a correlation with a constant side or of too few pairs."""
    if scores.gold is None:
        return float(scores.values.mean()) if len(scores) else Undefined("there is no item")
    from workbench.evaluation.metrics.correlation import MIN_PAIRS, pearson, spearman

    if len(scores) < MIN_PAIRS:
        return Undefined(f"a correlation needs {MIN_PAIRS} pairs")
    return (spearman if scores.kind == "spearman" else pearson)(scores.gold, scores.values)


def metric_on_resamples(scores: ItemScores, counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """The metric where each item stands as often as a resample drew it.

    Args:
        scores: Of one model.
        counts: How often each resample holds each item. Shape ``(resamples, items)``.

    Returns:
        Shape ``(resamples,)``; NaN where a correlation is undefined. Equal to computing the metric on the
        resample written out, ties at their mean rank.
    """
    if scores.gold is None:
        mean: NDArray[np.float64] = (counts @ scores.values) / counts.sum(axis=1)
        return mean
    sides = (scores.gold, scores.values)
    if scores.kind == "spearman":
        total = counts.sum(axis=1, keepdims=True)
        gold, values = (midranks(ranking(side), counts) - (total + 1) / 2 for side in sides)
        return _correlation(gold, values, counts)
    total = counts.sum(axis=1, keepdims=True)
    gold, values = (side - (counts @ side)[:, None] / total for side in sides)
    return _correlation(gold, values, counts)


def ranking(values: NDArray[np.floating]) -> Ranking:
    """Sort values and find the groups of equal ones. Shape ``(items,)``."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    group = np.empty(len(values), dtype=np.int64)
    group[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(values))))
    return Ranking(order, starts, group)


def midranks(ranked: Ranking, counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank of each item within each resample, equal values at their mean rank.

    Args:
        ranked: The values in order.
        counts: Shape ``(resamples, items)``.

    Returns:
        Shape ``(resamples, items)``; of no meaning where the count is 0.
    """
    held = np.add.reduceat(counts[:, ranked.order], ranked.starts, axis=1)
    ranks: NDArray[np.float64] = (np.cumsum(held, axis=1) - (held - 1) / 2)[:, ranked.group]
    return ranks


def draw_counts(rows: NDArray[np.integer], items: int) -> NDArray[np.float64]:
    """How often each of ``items`` stands in each row of drawn indices. Shape ``(resamples, items)``."""
    shifted = rows + items * np.arange(len(rows))[:, None]
    counts = np.bincount(shifted.ravel(), minlength=items * len(rows)).reshape(len(rows), items)
    return counts.astype(np.float64)


def rows_a_block(items: int, resamples: int) -> int:
    """How many resamples of so many items to hold at a time."""
    return max(1, min(resamples, _COUNTS_A_BLOCK // max(1, items)))


def require_same_items(scores: Sequence[ItemScores]) -> None:
    """Refuse to compare what was not measured on the same items in the same way.

    Raises:
        ShapeMismatchError: Another metric, other gold scores or another number of items.
    """
    first = scores[0]
    for other in scores[1:]:
        same_gold = (first.gold is None) == (other.gold is None) and (
            first.gold is None or other.gold is None or np.array_equal(first.gold, other.gold)
        )
        if (first.metric, first.kind, len(first)) != (other.metric, other.kind, len(other)) or not same_gold:
            raise ShapeMismatchError(
                "items-mismatch",
                f"{first.metric} over {len(first)} items and {other.metric} over {len(other)}",
                expected="one metric over the same items",
                fix="Score both models on the same held-out data",
            )


def _correlation(
    left: NDArray[np.float64], right: NDArray[np.float64], counts: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Pearson's of two sides centred already, items weighted by their counts."""
    weighted = counts * right
    spread = np.einsum("ri,ri,ri->r", counts, left, left) * np.einsum("ri,ri->r", weighted, right)
    covariance = np.einsum("ri,ri->r", weighted, left)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(np.where(spread > 0, covariance / np.sqrt(spread), np.nan), -1.0, 1.0)
