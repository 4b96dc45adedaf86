"""Average precision of one ranking of pairs, equal scores taken together."""

from __future__ import annotations

import numpy as np

from workbench.evaluation.metrics.thresholds import Cuts


def average_precision(every: Cuts, positives: int) -> float:
    """Mean over the related pairs of the precision at the cut that first takes them in.

    ``Σ_n (R_n - R_{n-1}) P_n`` over the cuts: no threshold can part equal scores, so their order does not
    count. A related pair that was not scored counts as never found.

    Args:
        every: The cuts of the ranking.
        positives: Related pairs in all; at least one.

    Source: scikit-learn's ``average_precision_score``.
    """
    found = np.diff(every.correct, prepend=0)
    return float((found * (every.correct / every.extracted)).sum() / positives)
