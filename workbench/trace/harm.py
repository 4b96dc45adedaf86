"""What a difference does to a task: the change of Spearman or nDCG, with a paired interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.compare.similarity_matrix import row_cosines, unit_rows
from workbench.errors import InvalidValueError, ShapeMismatchError

_RESAMPLES = 1000
_FEWEST = 10


@dataclass(frozen=True)
class Harm:
    """The change of a task's score from the left to the right pipeline.

    Attributes:
        metric: ``spearman`` or ``ndcg@10``.
        left, right: Scores.
        change: ``right - left``.
        low, high: Of the change, 95%, from paired resamples of the examples.
        examples: Pairs or queries.
        verdict: ``worse`` or ``better`` where the interval excludes 0, else ``not shown``.
    """

    metric: str
    left: float
    right: float
    change: float
    low: float
    high: float
    examples: int

    @property
    def verdict(self) -> Literal["worse", "better", "not shown"]:
        """What the interval says."""
        if self.high < 0:
            return "worse"
        return "better" if self.low > 0 else "not shown"

    @property
    def sentence(self) -> str:
        """In English, without a full stop."""
        said = {"worse": "harm", "better": "gain", "not shown": "no harm shown"}[self.verdict]
        return (
            f"{self.metric} {self.left:.4f} → {self.right:.4f}, change {self.change:+.4f} "
            f"[{self.low:+.4f}, {self.high:+.4f}] over {self.examples} examples: {said}"
        )


def similarity_harm(
    left: tuple[NDArray[Any], NDArray[Any]],
    right: tuple[NDArray[Any], NDArray[Any]],
    gold: Sequence[float],
    *,
    seed: int = 0,
) -> Harm:
    """Change of the rank correlation between cosines and gold scores of sentence pairs.

    Args:
        left, right: Embeddings of the first and of the second sentences, as each pipeline gives them.
            Shape ``(pairs, dim)`` each.
        gold: One score a pair.
        seed: Of the resamples.

    Raises:
        ShapeMismatchError: Not one row a score.
        InvalidValueError: Fewer than ten pairs, or scores without variation.
    """
    from scipy.stats import spearmanr

    wanted = np.asarray(gold, dtype=np.float64)
    _check(len(wanted), *left, *right)
    if not np.isfinite(wanted).all() or np.ptp(wanted) == 0:
        raise InvalidValueError(
            "gold-constant", "gold scores that are all alike, or not finite", expected="scores that vary"
        )
    scores = [row_cosines(*pair) for pair in (left, right)]

    def metric(rows: NDArray[np.intp]) -> tuple[float, float]:
        if np.ptp(wanted[rows]) == 0:
            return float("nan"), float("nan")
        values = [
            float(spearmanr(score[rows], wanted[rows]).statistic) if np.ptp(score[rows]) else float("nan")
            for score in scores
        ]
        return values[0], values[1]

    return _resampled("spearman", metric, len(wanted), seed)


def retrieval_harm(
    left: tuple[NDArray[Any], NDArray[Any]],
    right: tuple[NDArray[Any], NDArray[Any]],
    relevant: Sequence[Mapping[int, float]],
    *,
    k: int = 10,
    seed: int = 0,
) -> Harm:
    """Change of nDCG@k by cosine, resampled over the queries.

    Args:
        left, right: Embeddings of queries and documents, as each pipeline gives them.
        relevant: For each query, index of a document → its gain.
        k: Depth.

    Raises:
        ShapeMismatchError: Not one row a query.
        InvalidValueError: Fewer than ten queries, one without a relevant document, or an unknown document.
    """
    for queries, _ in (left, right):
        _check(len(relevant), queries)
    documents = len(left[1])
    for number, gains in enumerate(relevant):
        if not any(gain > 0 for gain in gains.values()) or not all(0 <= index < documents for index in gains):
            raise InvalidValueError(
                "relevant-unknown",
                f"query {number} has no relevant document among the {documents}",
                expected="at least one document with a gain above 0, by its index",
            )
    scores = [_ndcg(unit_rows(queries) @ unit_rows(docs).T, relevant, k) for queries, docs in (left, right)]

    def metric(rows: NDArray[np.intp]) -> tuple[float, float]:
        return float(scores[0][rows].mean()), float(scores[1][rows].mean())

    return _resampled(f"ndcg@{k}", metric, len(relevant), seed)


def _ndcg(scores: NDArray[Any], relevant: Sequence[Mapping[int, float]], k: int) -> NDArray[np.float64]:
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    found = np.zeros(len(scores))
    for row, gains in enumerate(relevant):
        order = np.argsort(-scores[row], kind="stable")[:k]
        gained = np.array([gains.get(int(index), 0.0) for index in order])
        ideal = np.sort(np.array(list(gains.values())))[::-1][:k]
        found[row] = (gained * discounts[: len(gained)]).sum() / (ideal * discounts[: len(ideal)]).sum()
    return found


def _resampled(name: str, metric: Any, count: int, seed: int) -> Harm:
    draw = np.random.default_rng(seed)
    left, right = metric(np.arange(count))
    changes = []
    for _ in range(_RESAMPLES):
        one, other = metric(draw.integers(0, count, count))
        changes.append(other - one)
    low, high = np.nanpercentile(changes, [2.5, 97.5])
    return Harm(name, left, right, right - left, float(low), float(high), count)


def _check(count: int, *embeddings: NDArray[Any]) -> None:
    if any(rows.ndim != 2 or len(rows) != count for rows in embeddings):
        raise ShapeMismatchError(
            "harm-mismatch",
            f"embeddings of shapes {[rows.shape for rows in embeddings]} for {count} examples",
            expected="one row an example on both sides",
        )
    if count < _FEWEST:
        raise InvalidValueError(
            "harm-too-few",
            f"{count} examples",
            expected=f"at least {_FEWEST}",
            fix="Give more labelled examples",
        )
