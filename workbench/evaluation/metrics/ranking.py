"""Quality of a ranking at a depth, where equal scores stand for every order of their items.

A ranking by score leaves the order of equal scores open. Each metric here is its expectation over all orders
of the tied items, in closed form, so that no order of the corpus changes it; without ties it is the metric
itself.

Source: McSherry and Najork, Computing Information Retrieval Performance Measures Efficiently in the Presence
of Tied Scores, ECIR 2008. Untied values as in trec_eval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TieGroup:
    """Items of one score, at least one of them relevant.

    Attributes:
        before: Items with a higher score.
        size: Items of this score.
        relevant: Relevant ones among them.
    """

    before: int
    size: int
    relevant: int


def tie_groups(
    scores: NDArray[Any],
    relevant: NDArray[np.int64],
    sizes: NDArray[np.int64] | None = None,
    depth: int | None = None,
) -> list[TieGroup]:
    """Where the relevant items of one ranking stand, best first.

    Args:
        scores: Shape ``(rows,)``, finite.
        relevant: Relevant items of each row. Shape ``(rows,)``.
        sizes: Items of each row, where one row stands for several equal ones; one by default.
        depth: Groups that begin below this many items are left out.
    """
    sizes = np.ones(len(scores), dtype=np.int64) if sizes is None else sizes
    groups = []
    for level in np.unique(scores[relevant > 0])[::-1]:
        before = int(sizes[scores > level].sum())
        if depth is not None and before >= depth:
            break
        tied = scores == level
        groups.append(TieGroup(before, int(sizes[tied].sum()), int(relevant[tied].sum())))
    return groups


def accuracy_at_k(groups: Sequence[TieGroup], k: int) -> float:
    """Probability that one of the first ``k`` items is relevant."""
    if not groups or groups[0].before >= k:
        return 0.0
    first = groups[0]
    places = min(k - first.before, first.size)
    # All orders but those whose places hold irrelevant items only.
    return 1.0 - comb(first.size - first.relevant, places) / comb(first.size, places)


def hits_at_k(groups: Sequence[TieGroup], k: int) -> float:
    """Expected relevant items among the first ``k``."""
    return float(sum(g.relevant * min(max(k - g.before, 0), g.size) / g.size for g in groups))


def precision_at_k(groups: Sequence[TieGroup], k: int) -> float:
    """Relevant share of the first ``k`` items; a shorter ranking counts as filled up with irrelevant ones."""
    return hits_at_k(groups, k) / k


def recall_at_k(groups: Sequence[TieGroup], k: int, total: int) -> float:
    """Share of the ``total`` relevant items that stand among the first ``k``."""
    return hits_at_k(groups, k) / total


def reciprocal_rank_at_k(groups: Sequence[TieGroup], k: int) -> float:
    """``1 / rank`` of the first relevant item, 0 where it stands below ``k``."""
    if not groups:
        return 0.0
    first = groups[0]
    total = 0.0
    # The chance that the places above in the group hold irrelevant items only.
    none_above = 1.0
    places = min(first.size - first.relevant + 1, k - first.before)
    for place in range(places):
        hit = first.relevant / (first.size - place)
        total += none_above * hit / (first.before + place + 1)
        none_above *= 1.0 - hit
    return total


def ndcg_at_k(groups: Sequence[TieGroup], k: int, total: int) -> float:
    """Discounted gain ``Σ rel_i / log2(i + 1)`` over the first ``k``, as a share of the ideal ranking's.

    Args:
        groups: Where the relevant items stand.
        k: Depth.
        total: Relevant items in all, those that are not in the ranking included.
    """
    gains = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))])
    gain = 0.0
    for group in groups:
        if group.before < k:
            end = min(k, group.before + group.size)
            gain += group.relevant / group.size * float(gains[end] - gains[group.before])
    return gain / float(gains[min(k, total)])


def average_precision_at_k(groups: Sequence[TieGroup], k: int, total: int) -> float:
    """Sum of the precisions at the relevant items among the first ``k``, over ``min(k, total)``.

    Args:
        groups: Where the relevant items stand.
        k: Depth.
        total: Relevant items in all, those that are not in the ranking included.
    """
    precisions = 0.0
    above = 0
    for group in groups:
        places = np.arange(max(0, min(k - group.before, group.size)))
        share = group.relevant / group.size
        # Of the places above in the group, so many hold a relevant item if this one does.
        others = (group.relevant - 1) / (group.size - 1) if group.size > 1 else 0.0
        precisions += float((share * (above + 1 + places * others) / (group.before + places + 1)).sum())
        above += group.relevant
    return precisions / min(k, total)
