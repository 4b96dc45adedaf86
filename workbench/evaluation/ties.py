"""Scoring queries against a corpus so that equal embeddings have equal scores, wherever they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.util.tensor import as_float

ScoreFunction = Callable[[Tensor, Tensor], Tensor]
"""Queries ``(n, dim)`` and corpus rows ``(m, dim)`` to scores ``(n, m)``; higher is closer."""

# Scores held at a time: 128 MB in float32.
_SCORES_A_BLOCK = 2**25


@dataclass(frozen=True)
class DistinctRows:
    """The distinct embeddings of a corpus, in an order of their own.

    A matrix product may round two equal columns differently, by where they stand. Scored once, they tie, and
    permuting the corpus changes no number.

    Attributes:
        rows: Shape ``(distinct, dim)``.
        place: For each item of the corpus its row. Shape ``(items,)``.
        sizes: Items of each row. Shape ``(distinct,)``.
    """

    rows: Tensor
    place: NDArray[np.int64]
    sizes: NDArray[np.int64]


def distinct_rows(embeddings: Tensor) -> DistinctRows:
    """Find the distinct rows of embeddings of shape ``(items, dim)``."""
    rows, place, sizes = torch.unique(as_float(embeddings), dim=0, return_inverse=True, return_counts=True)
    return DistinctRows(rows, place.cpu().numpy(), sizes.cpu().numpy())


def score_rows(
    queries: Tensor, corpus: Tensor, score: ScoreFunction, chunk_size: int
) -> Iterator[NDArray[Any]]:
    """The scores of each query against all of the corpus.

    Args:
        queries: Shape ``(queries, dim)``.
        corpus: Shape ``(rows, dim)``.
        score: Scores queries against rows.
        chunk_size: Corpus rows handed to ``score`` at a time.

    Yields:
        For one query after the other, shape ``(rows,)``.

    Raises:
        InvalidValueError: ``score-not-a-number``: the function gave NaN.
        ShapeMismatchError: The function gave another shape.
    """
    block = max(1, _SCORES_A_BLOCK // max(1, len(corpus)))
    for part in torch.split(as_float(queries), block):
        with torch.no_grad():
            scored = [score(part, rows) for rows in torch.split(corpus, chunk_size)]
        for found, rows in zip(scored, torch.split(corpus, chunk_size), strict=True):
            if tuple(found.shape) != (len(part), len(rows)):
                raise ShapeMismatchError(
                    "score-shape",
                    f"shape {tuple(found.shape)}",
                    expected=f"({len(part)}, {len(rows)}), one row a query",
                    where="score function",
                )
        scores: NDArray[Any] = torch.cat(scored, dim=1).detach().cpu().numpy()
        if np.isnan(scores).any():
            raise InvalidValueError(
                "score-not-a-number",
                "the score function gave NaN for finite embeddings",
                expected="numbers",
                fix="Use a score function that is defined for every pair",
                where="score function",
            )
        yield from scores
