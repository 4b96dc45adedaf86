"""The best columns of each row of a score matrix, found chunk by chunk; ties go to the lower column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.similarity import cos_sim, dot_score
from workbench.util.tensor import as_float, normalize_embeddings

ScoreFunction = Callable[[Tensor, Tensor], Tensor]
"""From queries ``(n, dim)`` and corpus ``(m, dim)`` to scores ``(n, m)``; higher is closer."""


def top_k_of_rows(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The ``k`` highest scores of each row with their columns.

    Args:
        scores: Shape ``(rows, columns)``, at least one column.
        k: How many; all the columns where there are fewer.

    Returns:
        Scores and columns, both ``(rows, min(k, columns))``, by falling score, equal scores by rising column.

    Raises:
        InvalidValueError: A score is NaN.
    """
    k = min(k, scores.shape[1])
    values, columns = torch.topk(scores, k, dim=1)
    # topk holds NaN for the largest value, so that one of a row shows among its first.
    if bool(values.isnan().any()):
        raise InvalidValueError(
            "score-not-a-number",
            "the score function gave NaN for finite embeddings",
            expected="numbers",
            fix="Use a score function that is defined for every pair, or scale the embeddings down",
            where="score_function",
        )
    # topk takes any of the columns that tie for the last places: take the lowest.
    last = values[:, -1:]
    for row in (count_true(scores >= last, dim=1) > k).nonzero().flatten().tolist():
        above = int((values[row] > last[row]).sum())
        columns[row, above:] = (scores[row] == last[row]).nonzero().flatten()[: k - above]
    columns, order = columns.sort(dim=1)
    return _sorted_by_score(values.gather(1, order), columns)


def count_true(mask: Tensor, dim: int) -> Tensor:
    """Count along one axis of a boolean matrix; on a CPU numpy does so ten times faster than torch."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.count_nonzero(mask.numpy(), axis=dim))
    return mask.sum(dim=dim)


def nearest(
    queries: Tensor,
    corpus: Tensor,
    *,
    query_chunk_size: int,
    corpus_chunk_size: int,
    top_k: int,
    score_function: ScoreFunction,
) -> tuple[Tensor, Tensor]:
    """The best rows of a corpus for each query, with one block of scores in memory at a time.

    Args:
        queries: Shape ``(n, dim)``, finite, ``n`` at least 1.
        corpus: Shape ``(m, dim)``, finite, on the same device, ``m`` at least 1.
        query_chunk_size: Queries of a block.
        corpus_chunk_size: Corpus rows of a block.
        top_k: Best rows to keep.
        score_function: Scores a block.

    Returns:
        Scores and corpus rows, both ``(n, min(top_k, m))`` on the CPU, by falling score, ties by rising row.

    Raises:
        InvalidValueError: The score function gave NaN.
        ShapeMismatchError: The score function gave another shape than ``(queries, corpus rows)``.
    """
    # The cosine would scale each corpus chunk anew for every chunk of queries.
    cosine = score_function is cos_sim
    score = dot_score if cosine else score_function
    starts = range(0, len(queries), query_chunk_size)
    best: dict[int, tuple[Tensor, Tensor]] = {}
    for corpus_start in range(0, len(corpus), corpus_chunk_size):
        corpus_chunk = _chunk(corpus, corpus_start, corpus_chunk_size, cosine)
        for start in starts:
            query_chunk = _chunk(queries, start, query_chunk_size, cosine)
            values, columns = top_k_of_rows(_scores(score, query_chunk, corpus_chunk), top_k)
            found = values, columns + corpus_start
            best[start] = _merge(best[start], found, top_k) if start in best else found
    values = torch.cat([best[start][0] for start in starts])
    rows = torch.cat([best[start][1] for start in starts])
    return values.cpu(), rows.cpu()


def _chunk(matrix: Tensor, start: int, size: int, unit_length: bool) -> Tensor:
    chunk = as_float(matrix[start : start + size])
    return normalize_embeddings(chunk) if unit_length else chunk


def _scores(score: ScoreFunction, queries: Tensor, corpus: Tensor) -> Tensor:
    scores = score(queries, corpus)
    if not isinstance(scores, Tensor):
        raise InvalidTypeError(
            "score-type", type(scores).__name__, expected="a tensor of scores", where="score_function"
        )
    if scores.shape != (len(queries), len(corpus)):
        raise ShapeMismatchError(
            "score-shape",
            f"scores of shape {tuple(scores.shape)} for {len(queries)} queries and {len(corpus)} corpus rows",
            expected="a score for every query with every corpus row",
            fix="Use the function without pairwise_",
            where="score_function",
        )
    return as_float(scores)


def _merge(earlier: tuple[Tensor, Tensor], later: tuple[Tensor, Tensor], k: int) -> tuple[Tensor, Tensor]:
    """Join the best of earlier corpus rows with those of later ones, which lose every tie."""
    values, rows = (torch.cat(pair, dim=1) for pair in zip(earlier, later, strict=True))
    values, rows = _sorted_by_score(values, rows)
    return values[:, :k], rows[:, :k]


def _sorted_by_score(values: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    values, order = values.sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, order)
