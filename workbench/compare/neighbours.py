"""Nearest texts of one text or of all, in the space of the embeddings and not on a map of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compare.similarity_matrix import unit_rows
from workbench.errors import InvalidValueError

# Rows of cosines held at a time.
_BLOCK = 512


@dataclass(frozen=True)
class Neighbour:
    """Index of a text and its cosine to the text asked about."""

    index: int
    cosine: float


def nearest(embeddings: NDArray[np.floating], index: int, count: int = 5) -> tuple[Neighbour, ...]:
    """Find the texts nearest to one text by cosine, itself left out.

    Args:
        embeddings: Shape ``(texts, dim)``.
        index: Which text.
        count: How many at most.

    Returns:
        Nearest first; of equally near ones the earlier text first.

    Raises:
        InvalidValueError: There is no such text, or ``count`` is below 1.
    """
    if not 0 <= index < len(embeddings):
        raise InvalidValueError(
            "text-index",
            f"Text {index}",
            expected=f"0 to {len(embeddings) - 1}",
            fix="Choose a text of the list",
        )
    if count < 1:
        raise InvalidValueError("neighbour-count", f"count {count}", expected="at least 1")
    unit = unit_rows(embeddings)
    cosines = np.clip(unit @ unit[index], -1.0, 1.0)
    order = np.argsort(-cosines, kind="stable")
    return tuple(Neighbour(int(i), float(cosines[i])) for i in order if i != index)[:count]


def nearest_of_all(embeddings: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """The texts nearest to each text by cosine, itself left out.

    Args:
        embeddings: Shape ``(texts, dim)``.
        count: How many, below the number of texts.

    Returns:
        Shape ``(texts, count)``, nearest first; of equally near ones the earlier text first.

    Raises:
        InvalidValueError: ``count`` is below 1, or there are not so many other texts.
    """
    if not 1 <= count < len(embeddings):
        raise InvalidValueError(
            "neighbour-count", f"count {count}", expected=f"1 to {len(embeddings) - 1}, the other texts"
        )
    unit = unit_rows(embeddings)
    found = np.empty((len(unit), count), dtype=np.int64)
    for start in range(0, len(unit), _BLOCK):
        # Rounded, so that texts with the same embedding are equally near wherever they stand.
        cosines = np.round(unit[start : start + _BLOCK] @ unit.T, 12)
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        found[start : start + _BLOCK] = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return found
