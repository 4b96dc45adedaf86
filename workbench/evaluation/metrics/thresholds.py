"""The threshold that parts related from unrelated best, and what it reaches. A higher score is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cuts:
    """What is above each place at which a ranking can be cut; equal scores are never parted.

    Attributes:
        last: The lowest score above the cut. Shape ``(cuts,)``, falling.
        after: The score below it; for the last cut the same as ``last``.
        extracted: How many scores are above. Shape ``(cuts,)``.
        correct: How many of these are of related pairs.
    """

    last: NDArray[Any]
    after: NDArray[Any]
    extracted: NDArray[np.int64]
    correct: NDArray[np.int64]

    @property
    def thresholds(self) -> NDArray[Any]:
        """Midway between the scores on both sides, in their type; the upper one where that rounds down."""
        middle = (self.last + self.after) / 2
        return np.where(middle == self.after, self.last, middle)


@dataclass(frozen=True)
class BestAccuracy:
    """The highest share of pairs that one threshold puts on the right side."""

    accuracy: float
    threshold: float


@dataclass(frozen=True)
class BestF1:
    """The highest F1 over all thresholds, with the precision and recall there."""

    f1: float
    precision: float
    recall: float
    threshold: float
    extracted: int
    correct: int


def cuts(scores: NDArray[Any], related: NDArray[np.bool_]) -> Cuts:
    """Every place at which the ranking by falling score can be cut.

    Args:
        scores: Shape ``(pairs,)``, finite, at least one.
        related: Which pairs belong together. Shape ``(pairs,)``.
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    correct = np.cumsum(related[order], dtype=np.int64)
    after = ranked[np.minimum(ends + 1, len(ranked) - 1)]
    return Cuts(ranked[ends], after, ends + 1, correct[ends])


def best_accuracy(every: Cuts) -> BestAccuracy:
    """The threshold with the highest accuracy; of equals the highest. It may lie above all the scores.

    Source: sentence-transformers' ``BinaryClassificationEvaluator.find_best_acc_and_threshold``.
    """
    pairs, positives = int(every.extracted[-1]), int(every.correct[-1])
    wrong_above = every.extracted - every.correct
    right = np.concatenate([[0], every.correct - wrong_above]) + (pairs - positives)
    highest = int(right.argmax())
    if highest == 0:
        top = every.last[0]
        return BestAccuracy(float(right[0]) / pairs, float(np.nextafter(top, np.inf, dtype=top.dtype)))
    return BestAccuracy(float(right[highest]) / pairs, float(every.thresholds[highest - 1]))


def best_f1(every: Cuts, positives: int) -> BestF1:
    """The threshold with the highest F1; of equals the highest.

    Args:
        every: The cuts.
        positives: Related pairs in all, those that were not scored included; at least one.

    Source: sentence-transformers' ``BinaryClassificationEvaluator.find_best_f1_and_threshold``.
    """
    precision = every.correct / every.extracted
    recall = every.correct / positives
    total = precision + recall
    # The order of operations is upstream's: F1 values that are equal on paper must round the same way.
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=every.correct > 0)
    at = int(f1.argmax())
    return BestF1(
        float(f1[at]),
        float(precision[at]),
        float(recall[at]),
        float(every.thresholds[at]),
        int(every.extracted[at]),
        int(every.correct[at]),
    )


def matthews(pairs: int, positives: int, extracted: int, correct: int) -> float:
    """Matthews correlation of what a threshold says with what is true.

    ``(TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN))``; 0 where all pairs fall on one side, as
    scikit-learn has it.
    """
    false_positives = extracted - correct
    false_negatives = positives - correct
    true_negatives = pairs - extracted - false_negatives
    sides = extracted * positives * (true_negatives + false_positives) * (true_negatives + false_negatives)
    if not sides:
        return 0.0
    return float((correct * true_negatives - false_positives * false_negatives) / np.sqrt(float(sides)))
