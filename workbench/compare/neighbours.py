"""Nearest texts of one text, in the space of the embeddings and not on a map of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compare.similarity_matrix import unit_rows
from workbench.errors import InvalidValueError


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
