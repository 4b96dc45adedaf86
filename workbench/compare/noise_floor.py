"""How much a pipeline differs from itself when only batching and order change: measured, never assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.compare.results import NoiseFloor
from workbench.contenders.contract import Contender
from workbench.errors import Cancelled

# A pair counts as float noise up to MARGIN × its floor. Two pipelines round independently: their difference
# is that of two errors (2 × at most, if the floor saw the largest one), and the floor is the largest of a
# sample that may have missed a larger one (again 2 ×). Faults start four orders of magnitude above.
MARGIN = 4.0

# Texts that are encoded again.
SAMPLE_TEXTS = 32
_GROUP = 3

# Smallest floor, relative to the largest component: eight rounding steps of float32, one of a coarser type.
# Texts of one length may come out bit-equal in every grouping, which says nothing about another
# implementation: on all-MiniLM-L6-v2 eager against fused attention differs by up to 11 steps, a second
# matrix library by as much, and MARGIN times eight holds both.
_LEAST = {"float32": 2.0**-20, "float16": 2.0**-11, "bfloat16": 2.0**-8, "int8": 2.0**-7}

HOW = (
    "Up to 32 texts, the longest and the shortest among them, were encoded again one by one and, in reversed "
    "order, by threes; where a pipeline pools over padding, each text alone and beside its own copy. "
    "No floor is below eight rounding steps of the largest component (one in half precision or int8)."
)


def noise_floor(per_column: Mapping[str, float]) -> NoiseFloor:
    """Put the floors of the columns together."""
    return NoiseFloor(
        max_abs=max(per_column.values(), default=0.0), per_column=dict(per_column), margin=MARGIN, how=HOW
    )


def sample(texts: Sequence[str], most: int = SAMPLE_TEXTS) -> list[int]:
    """Indices of the texts to encode again: evenly spread over the lengths, both ends included."""
    by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    places = np.unique(np.linspace(0, len(texts) - 1, min(len(texts), most)).astype(int))
    return [by_length[place] for place in places]


def column_floor(
    contender: Contender,
    texts: Sequence[str],
    embeddings: NDArray[np.float32],
    cancelled: Callable[[], bool] | None = None,
) -> float:
    """Encode a sample of the texts again in other groupings and take the largest difference.

    Args:
        contender: The pipeline, still open.
        texts: All texts of the comparison; at least one.
        embeddings: What the pipeline made of them. Shape ``(texts, dim)``.

        cancelled: Asked before each call.

    Returns:
        Largest absolute difference of a component; at least eight rounding steps of the largest component
        (2^-20 of it) in float32, one in a half precision or int8.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    rows = sample(texts)
    chosen = [texts[row] for row in rows]
    alone = _in_groups(contender, chosen, 1, cancelled)
    if contender.settings.use_mask:
        back = _in_groups(contender, chosen[::-1], _GROUP, cancelled)[::-1]
        first = embeddings[rows]
        differences = [alone - first, back - first, back - alone]
    else:
        # Pooling over padding depends on the batch. That is the fault and not noise: a text beside its
        # own copy has none, and yet is computed in another shape.
        doubled = _in_groups(contender, [text for text in chosen for _ in range(2)], 2, cancelled)
        differences = [alone - doubled[::2], alone - doubled[1::2]]
    measured = max(float(np.abs(difference).max(initial=0.0)) for difference in differences)
    largest = float(np.abs(embeddings).max(initial=0.0))
    return max(measured, _LEAST[contender.settings.precision] * largest)


def _in_groups(
    contender: Contender, texts: Sequence[str], size: int, cancelled: Callable[[], bool] | None
) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(texts), size):
        if cancelled is not None and cancelled():
            raise Cancelled
        parts.append(contender.encode(texts[start : start + size]))
    return np.concatenate(parts)
