"""Exact search over embeddings: the nearest of a corpus, the closest pairs, and communities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.checks import require_count, require_finite_rows
from workbench.util.ranking import ScoreFunction, count_true, nearest
from workbench.util.similarity import cos_sim
from workbench.util.tensor import (
    EmbeddingLike,
    as_float,
    as_matrix,
    normalize_embeddings,
    require_same_dim,
)


class Encoder(Protocol):
    """Whatever turns texts into embeddings; it must know the keyword arguments it is given."""

    def encode(self, *args: Any, **kwargs: Any) -> Any:
        """One embedding a text. Shape ``(texts, dim)``."""
        ...


@torch.no_grad()
def semantic_search(
    query_embeddings: EmbeddingLike,
    corpus_embeddings: EmbeddingLike,
    query_chunk_size: int = 100,
    corpus_chunk_size: int = 500000,
    top_k: int = 10,
    score_function: ScoreFunction = cos_sim,
) -> list[list[dict[str, int | float]]]:
    """Find the rows of a corpus that are closest to each query, by comparing with all of them.

    Args:
        query_embeddings: Shape ``(queries, dim)``, or ``(dim,)`` for one.
        corpus_embeddings: Shape ``(rows, dim)``. Its device is where the work is done.
        query_chunk_size: Queries compared at a time.
        corpus_chunk_size: Corpus rows compared at a time; memory is their product times four bytes.
        top_k: Results a query; fewer where the corpus is smaller.
        score_function: Scores queries ``(n, dim)`` against corpus rows ``(m, dim)``, shape ``(n, m)``.

    Returns:
        For each query a list of ``{"corpus_id": row, "score": score}`` by falling score, ties by row.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        InvalidValueError: NaN or infinity in a row, which is named; a count below 1.
        ShapeMismatchError: The dimensions differ.

    Source: sentence-transformers' ``util.semantic_search``.
    """
    sizes = {
        "query_chunk_size": require_count(query_chunk_size, "query_chunk_size"),
        "corpus_chunk_size": require_count(corpus_chunk_size, "corpus_chunk_size"),
        "top_k": require_count(top_k, "top_k"),
    }
    names = "query_embeddings", "corpus_embeddings"
    queries, corpus = as_matrix(query_embeddings, names[0]), as_matrix(corpus_embeddings, names[1])
    queries, corpus = require_same_dim(queries.to(corpus.device), corpus, names)
    for matrix, name in ((queries, names[0]), (corpus, names[1])):
        require_finite_rows(matrix, name)
    if not len(queries) or not len(corpus):
        return [[] for _ in range(len(queries))]
    scores, rows = nearest(queries, corpus, score_function=score_function, **sizes)
    return [
        [{"corpus_id": row, "score": score} for row, score in zip(*hits, strict=True)]
        for hits in zip(rows.tolist(), scores.tolist(), strict=True)
    ]


def paraphrase_mining(
    model: Encoder,
    sentences: Iterable[str],
    show_progress_bar: bool = False,
    batch_size: int = 32,
    query_chunk_size: int = 5000,
    corpus_chunk_size: int = 100000,
    max_pairs: int = 500000,
    top_k: int = 100,
    score_function: ScoreFunction = cos_sim,
    truncate_dim: int | None = None,
    prompt_name: str | None = None,
    prompt: str | None = None,
) -> list[list[float | int]]:
    """Encode texts and find the pairs that are closest to each other.

    Args:
        model: Anything with ``encode``. ``truncate_dim`` and the prompts reach it where given.
        sentences: The texts.
        show_progress_bar: Handed to ``encode``.
        batch_size: Handed to ``encode``.
        query_chunk_size, corpus_chunk_size, max_pairs, top_k, score_function: See
            `paraphrase_mining_embeddings`.
        truncate_dim: Components of an embedding to keep.
        prompt_name: Name of one of the model's prompts.
        prompt: Text put before every sentence; goes before ``prompt_name``.

    Returns:
        ``[score, i, j]`` with ``i < j``, by falling score, ties by ``i``, then ``j``.

    Raises:
        InvalidTypeError: One string instead of a list of them.
        InvalidValueError: NaN or infinity in an embedding, whose row is named; a count below 1.
        ShapeMismatchError: ``encode`` gave another number of rows than there are sentences.

    Source: sentence-transformers' ``util.paraphrase_mining``.
    """
    if isinstance(sentences, (str, bytes)) or not isinstance(sentences, Iterable):
        raise InvalidTypeError(
            "not-a-list", type(sentences).__name__, expected="a list of strings", where="sentences"
        )
    sentences = list(sentences)
    if not sentences:
        return []
    options = {"truncate_dim": truncate_dim, "prompt_name": prompt_name, "prompt": prompt}
    encoded = model.encode(
        sentences,
        show_progress_bar=show_progress_bar,
        batch_size=batch_size,
        convert_to_tensor=True,
        **{name: value for name, value in options.items() if value is not None},
    )
    embeddings = as_matrix(encoded, "embeddings")
    if len(embeddings) != len(sentences):
        raise ShapeMismatchError(
            "encode-rows",
            f"{len(embeddings)} embeddings for {len(sentences)} sentences",
            expected="one embedding a sentence",
            where="model.encode",
        )
    return paraphrase_mining_embeddings(
        embeddings, query_chunk_size, corpus_chunk_size, max_pairs, top_k, score_function
    )


@torch.no_grad()
def paraphrase_mining_embeddings(
    embeddings: EmbeddingLike,
    query_chunk_size: int = 5000,
    corpus_chunk_size: int = 100000,
    max_pairs: int = 500000,
    top_k: int = 100,
    score_function: ScoreFunction = cos_sim,
) -> list[list[float | int]]:
    """Find the pairs of rows that are closest to each other.

    Args:
        embeddings: Shape ``(rows, dim)``.
        query_chunk_size: Rows compared at a time.
        corpus_chunk_size: Rows they are compared with at a time; memory is their product times four bytes.
        max_pairs: Pairs to return at most.
        top_k: Neighbours of a row that may form a pair with it.
        score_function: Symmetric; scores ``(n, dim)`` against ``(m, dim)``, shape ``(n, m)``.

    Returns:
        ``[score, i, j]`` with ``i < j``, by falling score, ties by ``i``, then ``j``. A score of minus
        infinity marks a pair that the score function rules out.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        InvalidValueError: NaN or infinity in a row, which is named; a count below 1.

    Source: sentence-transformers' ``util.paraphrase_mining_embeddings``.
    """
    query_chunk_size = require_count(query_chunk_size, "query_chunk_size")
    corpus_chunk_size = require_count(corpus_chunk_size, "corpus_chunk_size")
    max_pairs, top_k = require_count(max_pairs, "max_pairs"), require_count(top_k, "top_k")
    matrix = as_matrix(embeddings)
    require_finite_rows(matrix, "embeddings")
    scores, keys = np.empty(0), np.empty(0, dtype=np.int64)
    for start in range(0, len(matrix), query_chunk_size):
        values, columns = nearest(
            matrix[start : start + query_chunk_size],
            matrix,
            query_chunk_size=query_chunk_size,
            corpus_chunk_size=corpus_chunk_size,
            # One more: the row itself is its own neighbour.
            top_k=top_k + 1,
            score_function=score_function,
        )
        found = _pairs(values.double().numpy(), columns.numpy(), start, len(matrix), top_k)
        scores, keys = _best_pairs(
            np.concatenate([scores, found[0]]), np.concatenate([keys, found[1]]), max_pairs
        )
    lower, upper = np.divmod(keys, max(1, len(matrix)))
    return [list(pair) for pair in zip(scores.tolist(), lower.tolist(), upper.tolist(), strict=True)]


def _pairs(
    values: NDArray[np.float64], columns: NDArray[np.int64], first_row: int, rows: int, top_k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Scores and keys (lower row × rows + upper row) of the pairs that the neighbours form."""
    own = np.arange(first_row, first_row + len(values))[:, None]
    others = columns != own
    # A row that was crowded out by its equals leaves one neighbour too many.
    keep = others & (others.cumsum(axis=1) <= top_k) & (values > -np.inf)
    keys = np.minimum(own, columns) * rows + np.maximum(own, columns)
    return values[keep], keys[keep]


def _best_pairs(
    scores: NDArray[np.float64], keys: NDArray[np.int64], max_pairs: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The best pairs by falling score, then rising key; of a pair seen from both sides the first stays."""
    keys, first = np.unique(keys, return_index=True)
    order = np.argsort(-scores[first], kind="stable")[:max_pairs]
    return scores[first][order], keys[order]


@torch.no_grad()
def community_detection(
    embeddings: EmbeddingLike,
    threshold: float = 0.75,
    min_community_size: int = 10,
    batch_size: int = 1024,
    show_progress_bar: bool = False,
) -> list[list[int]]:
    """Group rows around centres: a community is a centre with all rows within a cosine of it.

    The largest community is taken first; of those after it only rows that no other took are left.

    Args:
        embeddings: Shape ``(rows, dim)``.
        threshold: Least cosine similarity to the centre.
        min_community_size: Least rows of a community, its centre included.
        batch_size: Rows compared with all others at a time; memory is ``batch_size × rows`` scores.
        show_progress_bar: Show one over the rows.

    Returns:
        Communities by falling size; in each the centre first, the others by falling similarity to it.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        InvalidValueError: NaN or infinity in a row, which is named; a count below 1; a threshold of NaN.

    Source: sentence-transformers' ``util.community_detection``.
    """
    min_community_size = require_count(min_community_size, "min_community_size")
    batch_size = require_count(batch_size, "batch_size")
    if not isinstance(threshold, (int, float, np.floating)) or np.isnan(threshold):
        raise InvalidValueError(
            "threshold-not-a-number", f"{threshold!r}", expected="a cosine", where="threshold"
        )
    matrix = as_float(as_matrix(embeddings))
    require_finite_rows(matrix, "embeddings")
    matrix = normalize_embeddings(matrix)
    sizes = _neighbour_counts(matrix, float(threshold), batch_size, show_progress_bar)
    # Largest first, equal ones in the order of their centres.
    centres = np.argsort(-sizes, kind="stable")[: int((sizes >= min_community_size).sum())]
    communities = list(_communities(matrix, centres, float(threshold), min_community_size, batch_size))
    return sorted(communities, key=len, reverse=True)


def _neighbour_counts(
    matrix: Tensor, threshold: float, batch_size: int, show_progress: bool
) -> NDArray[np.int64]:
    """How many rows lie within the threshold of each; every block is computed for one side only."""
    counts = torch.zeros(len(matrix), dtype=torch.int64, device=matrix.device)
    for start in tqdm(range(0, len(matrix), batch_size), desc="Communities", disable=not show_progress):
        end = start + batch_size
        close = matrix[start:end] @ matrix[start:].T >= threshold
        counts[start:end] += count_true(close, dim=1)
        counts[end:] += count_true(close[:, batch_size:], dim=0)
    found: NDArray[np.int64] = counts.cpu().numpy()
    return found


def _communities(
    matrix: Tensor, centres: NDArray[np.int64], threshold: float, min_size: int, batch_size: int
) -> Iterator[list[int]]:
    """Take communities from the centres in their order, each from the rows that none before it took."""
    taken = np.zeros(len(matrix), dtype=bool)
    # The first communities are the largest and take most of the centres after them: begin with few.
    block_size = min(16, batch_size)
    while len(centres):
        block, centres = centres[:block_size], centres[block_size:]
        scores = (matrix[torch.from_numpy(block).to(matrix.device)] @ matrix.T).cpu().numpy()
        close = scores >= np.asarray(threshold, dtype=scores.dtype)
        for centre, row_scores, members in zip(block.tolist(), scores, close, strict=True):
            if taken[centre]:
                continue
            free = np.flatnonzero(members & ~taken)
            if len(free) < min_size:
                continue
            free = free[np.argsort(-row_scores[free], kind="stable")]
            community = [centre, *free[free != centre].tolist()]
            taken[community] = True
            yield community
        centres = centres[~taken[centres]]
        block_size = min(2 * block_size, batch_size)
