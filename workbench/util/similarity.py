"""Similarity of embeddings: every row with every row, or pair by pair. A higher score is always closer."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import torch
from torch import Tensor

from workbench.errors import InvalidValueError
from workbench.util.tensor import EmbeddingLike, as_matrix_pair, as_row_pairs, normalize_embeddings

Similarity = Callable[[EmbeddingLike, EmbeddingLike], Tensor]
"""A function from two sets of embeddings to scores."""

# Numbers one block of a distance matrix may hold beside its result: 512 MB in float32.
BLOCK_NUMBERS = 2**27


def cos_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Cosine of the angle between every row of ``a`` and every row of ``b``: ``a·b / (|a| |b|)``.

    Args:
        a: Shape ``(n, dim)``, or ``(dim,)`` as a batch of one.
        b: Shape ``(m, dim)``, or ``(dim,)`` as a batch of one.

    Returns:
        Shape ``(n, m)``, -1 to 1; 0 where a row is all zeros.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The dimensions differ.

    Source: sentence-transformers' ``util.cos_sim``.
    """
    a, b = as_matrix_pair(a, b)
    return normalize_embeddings(a) @ normalize_embeddings(b).T


def dot_score(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Dot product of every row of ``a`` with every row of ``b``: ``Σ_k a_k b_k``.

    Args:
        a: Shape ``(n, dim)``, or ``(dim,)`` as a batch of one.
        b: Shape ``(m, dim)``, or ``(dim,)`` as a batch of one.

    Returns:
        Shape ``(n, m)``.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The dimensions differ.

    Source: sentence-transformers' ``util.dot_score``.
    """
    a, b = as_matrix_pair(a, b)
    return a @ b.T


def euclidean_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Negative Euclidean distance of every row of ``a`` to every row of ``b``: ``-√Σ_k (a_k - b_k)²``.

    Computed in float64, as ``|a|² - 2 a·b + |b|²``: that is as fast as a matrix product, and in float32 it
    would put a row at a distance of 0.001 from itself.

    Args:
        a: Shape ``(n, dim)``, or ``(dim,)`` as a batch of one.
        b: Shape ``(m, dim)``, or ``(dim,)`` as a batch of one.

    Returns:
        Shape ``(n, m)``, 0 or less.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The dimensions differ.

    Source: sentence-transformers' ``util.euclidean_sim``.
    """
    a, b = as_matrix_pair(a, b)
    wide, dtype = a.double(), a.dtype
    # A block holds its rows of b and their distances in float64.
    rows = BLOCK_NUMBERS // (2 * max(1, sum(a.shape)))
    return _in_blocks(lambda part: -torch.cdist(wide, part.double()).to(dtype), b, rows)


def manhattan_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Negative Manhattan distance of every row of ``a`` to every row of ``b``: ``-Σ_k |a_k - b_k|``.

    Args:
        a: Shape ``(n, dim)``, or ``(dim,)`` as a batch of one.
        b: Shape ``(m, dim)``, or ``(dim,)`` as a batch of one.

    Returns:
        Shape ``(n, m)``, 0 or less.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The dimensions differ.

    Source: sentence-transformers' ``util.manhattan_sim``.
    """
    a, b = as_matrix_pair(a, b)
    # On CUDA the gradient holds n × rows × dim differences at a time.
    rows = BLOCK_NUMBERS // max(1, a.numel())
    return _in_blocks(lambda part: -torch.cdist(a, part, p=1.0), b, rows)


def pairwise_cos_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Cosine of the angle between row ``i`` of ``a`` and row ``i`` of ``b``.

    Args:
        a: Shape ``(..., dim)``.
        b: The same shape.

    Returns:
        Shape ``(...)``, -1 to 1; 0 where a row is all zeros.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ.

    Source: sentence-transformers' ``util.pairwise_cos_sim``.
    """
    a, b = as_row_pairs(a, b)
    return pairwise_dot_score(normalize_embeddings(a), normalize_embeddings(b))


def pairwise_dot_score(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Dot product of row ``i`` of ``a`` with row ``i`` of ``b``.

    Args:
        a: Shape ``(..., dim)``.
        b: The same shape.

    Returns:
        Shape ``(...)``.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ.

    Source: sentence-transformers' ``util.pairwise_dot_score``.
    """
    a, b = as_row_pairs(a, b)
    return (a * b).sum(dim=-1)


def pairwise_euclidean_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Negative Euclidean distance of row ``i`` of ``a`` to row ``i`` of ``b``.

    Args:
        a: Shape ``(..., dim)``.
        b: The same shape.

    Returns:
        Shape ``(...)``, 0 or less. The gradient at distance 0 is 0.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ.

    Source: sentence-transformers' ``util.pairwise_euclidean_sim``.
    """
    a, b = as_row_pairs(a, b)
    distance: Tensor = torch.linalg.vector_norm(a - b, dim=-1)
    return -distance


def pairwise_manhattan_sim(a: EmbeddingLike, b: EmbeddingLike) -> Tensor:
    """Negative Manhattan distance of row ``i`` of ``a`` to row ``i`` of ``b``.

    Args:
        a: Shape ``(..., dim)``.
        b: The same shape.

    Returns:
        Shape ``(...)``, 0 or less.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ.

    Source: sentence-transformers' ``util.pairwise_manhattan_sim``.
    """
    a, b = as_row_pairs(a, b)
    return -(a - b).abs().sum(dim=-1)


def pairwise_angle_sim(x: EmbeddingLike, y: EmbeddingLike) -> Tensor:
    """AnglE similarity of row ``i`` of ``x`` and row ``i`` of ``y``: ``|cos(x, y) + sin(x, y)|``.

    Each embedding is read as complex numbers, the first half of the components real, the second half
    imaginary; after scaling to unit length, cos is the dot product and
    ``sin(x, y) = Σ_k Im(x)_k Re(y)_k - Re(x)_k Im(y)_k``. An odd dimension is filled up with a zero.

    Args:
        x: Shape ``(..., dim)``.
        y: The same shape.

    Returns:
        Shape ``(...)``, 0 or more.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ.

    Source: AnglE, https://arxiv.org/abs/2309.12871, in the form of sentence-transformers'
    ``util.pairwise_angle_sim``.
    """
    x, y = (normalize_embeddings(side) for side in as_row_pairs(x, y))
    if x.shape[-1] % 2:
        x, y = (torch.nn.functional.pad(side, (0, 1)) for side in (x, y))
    half = x.shape[-1] // 2
    cosine = (x * y).sum(dim=-1)
    sine = (x[..., half:] * y[..., :half] - x[..., :half] * y[..., half:]).sum(dim=-1)
    return (cosine + sine).abs()


def _in_blocks(score: Callable[[Tensor], Tensor], b: Tensor, rows: int) -> Tensor:
    """Score at most ``rows`` rows of ``b`` at a time and join the columns."""
    parts = [score(part) for part in torch.split(b, max(1, rows))]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


class SimilarityFunction(Enum):
    """The similarity functions that a model can name in its configuration."""

    COSINE = "cosine"
    DOT_PRODUCT = "dot"
    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"

    @classmethod
    def _missing_(cls, value: object) -> SimilarityFunction:
        raise InvalidValueError(
            "unknown-similarity",
            f"{value!r}",
            expected=f"one of {', '.join(cls.possible_values())}",
            where="similarity_function",
        )

    @staticmethod
    def to_similarity_fn(similarity_function: str | SimilarityFunction) -> Similarity:
        """The function that scores every row with every row.

        Raises:
            InvalidValueError: No such similarity; the message lists the known ones.
        """
        return _FUNCTIONS[SimilarityFunction(similarity_function)][0]

    @staticmethod
    def to_similarity_pairwise_fn(similarity_function: str | SimilarityFunction) -> Similarity:
        """The function that scores pair by pair.

        Raises:
            InvalidValueError: No such similarity; the message lists the known ones.
        """
        return _FUNCTIONS[SimilarityFunction(similarity_function)][1]

    @staticmethod
    def possible_values() -> list[str]:
        """The names by which the similarities are stored and asked for."""
        return [member.value for member in SimilarityFunction]


# Every row with every row, pair by pair.
_FUNCTIONS: dict[SimilarityFunction, tuple[Similarity, Similarity]] = {
    SimilarityFunction.COSINE: (cos_sim, pairwise_cos_sim),
    SimilarityFunction.DOT_PRODUCT: (dot_score, pairwise_dot_score),
    SimilarityFunction.EUCLIDEAN: (euclidean_sim, pairwise_euclidean_sim),
    SimilarityFunction.MANHATTAN: (manhattan_sim, pairwise_manhattan_sim),
}
