"""Correlation of scores with gold scores: Pearson's and Spearman's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.evaluation.metrics.score import Score, Undefined

MIN_PAIRS = 3
"""Two points always lie on a line: below three pairs every correlation is plus or minus one."""

# Scores that spread over fewer rounding steps of their type than this are one score and float noise.
_NOISE_STEPS = 8


def pearson(gold: NDArray[Any], scores: NDArray[Any]) -> Score:
    """Pearson's linear correlation: ``cov(gold, scores) / (std(gold) std(scores))``.

    Args:
        gold: What is true. Shape ``(pairs,)``, finite.
        scores: What a model gave. Shape ``(pairs,)``, finite.

    Returns:
        -1 to 1; undefined where one side is constant up to the rounding of its type.

    Raises:
        ShapeMismatchError: The lengths differ.
        InvalidValueError: Fewer than three pairs, or a value that is not finite.
    """
    undefined = _checked(gold, scores)
    if undefined is not None:
        return undefined
    # Imported here: it takes half a second, and whoever only encodes needs none of it.
    from scipy.stats import pearsonr

    return _clipped(pearsonr(gold.astype(np.float64), scores.astype(np.float64)).statistic)


def spearman(gold: NDArray[Any], scores: NDArray[Any]) -> Score:
    """Spearman's rank correlation: Pearson's of the ranks, tied values sharing their mean rank.

    Arguments, result and errors as `pearson`.
    """
    undefined = _checked(gold, scores)
    if undefined is not None:
        return undefined
    from scipy.stats import spearmanr

    return _clipped(spearmanr(gold, scores).statistic)


def _clipped(value: float) -> Score:
    return min(1.0, max(-1.0, float(value))) if np.isfinite(value) else Undefined("the spread vanishes")


def _checked(gold: NDArray[Any], scores: NDArray[Any]) -> Undefined | None:
    if gold.shape != scores.shape or gold.ndim != 1:
        raise ShapeMismatchError(
            "pairs-mismatch", f"shapes {gold.shape} and {scores.shape}", expected="two rows of one length"
        )
    if len(gold) < MIN_PAIRS:
        raise InvalidValueError(
            "too-few-examples",
            f"{len(gold)} pairs came",
            expected=f"at least {MIN_PAIRS}, and some hundred for a figure that means something",
        )
    for values, name in ((gold, "gold scores"), (scores, "scores")):
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise InvalidValueError("score-not-finite", f"{values[row]}", where=f"{name}, row {row}")
    for values, name in ((gold, "the gold scores are"), (scores, "the model's scores are")):
        if _constant(values):
            return Undefined(f"{name} constant")
    return None


def _constant(values: NDArray[Any]) -> bool:
    if values.dtype.kind != "f":
        return bool((values == values[0]).all())
    largest = float(np.abs(values).max())
    return float(np.ptp(values)) <= _NOISE_STEPS * float(np.finfo(values.dtype).eps) * largest
