"""Cosine of every pair of texts, and how two such matrices differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ShapeMismatchError


def unit_rows(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale each row to length 1 in float64; a row of zeros stays one. Shape ``(texts, dim)``."""
    rows = np.asarray(embeddings, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(norms == 0, 1.0, norms)


def cosine_matrix(embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine similarity of every pair of texts, in float64.

    Args:
        embeddings: Shape ``(texts, dim)``.

    Returns:
        Shape ``(texts, texts)``, in [-1, 1]; 0 beside an embedding of zeros.
    """
    unit = unit_rows(embeddings)
    return np.clip(unit @ unit.T, -1.0, 1.0)


def row_cosines(left: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.float64]:
    """Cosine of each text's embedding in one column with the same text's in another.

    Args:
        left, right: Shape ``(texts, dim)`` each.

    Returns:
        Shape ``(texts,)``. Two embeddings of zeros agree (1); one alone does not (0).
    """
    cosines = np.clip((unit_rows(left) * unit_rows(right)).sum(axis=1), -1.0, 1.0)
    both_zero = ~np.any(left, axis=1) & ~np.any(right, axis=1)
    return np.where(both_zero, 1.0, cosines)


def cosine_difference(left: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.float64]:
    """Left's cosine matrix minus right's: where the two columns see texts as more or less alike.

    Args:
        left, right: Embeddings of the same texts; the dimensions may differ.

    Returns:
        Shape ``(texts, texts)``.

    Raises:
        ShapeMismatchError: The two hold different numbers of texts.
    """
    if len(left) != len(right):
        raise ShapeMismatchError(
            "texts-mismatch",
            f"{len(left)} and {len(right)} texts",
            expected="the same texts in both columns",
            fix="Compare columns of one comparison",
        )
    return cosine_matrix(left) - cosine_matrix(right)
