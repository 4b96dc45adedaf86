"""Checks of arguments that several functions of this room share."""

from __future__ import annotations

import operator

import torch
from torch import Tensor

from workbench.errors import InvalidValueError

_ROWS_A_CHUNK = 65536


def require_count(value: object, name: str, *, at_most: int | None = None) -> int:
    """A whole number of at least one.

    Args:
        value: What the caller gave.
        name: The argument's name, for the message.
        at_most: The largest that makes sense; None for no limit.

    Raises:
        InvalidValueError: Not a whole number, below one, or above ``at_most``.
    """
    expected = "a whole number of 1 or more" if at_most is None else f"a whole number from 1 to {at_most}"
    try:
        # True is an int to Python, and never what was meant by a count.
        count = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = None
    if count is None or count < 1 or (at_most is not None and count > at_most):
        raise InvalidValueError(
            "count-out-of-range", f"{value!r}", expected=expected, fix=f"Pass another {name}", where=name
        )
    return count


def require_finite_rows(matrix: Tensor, name: str) -> None:
    """Refuse embeddings that cannot be ranked.

    A comparison with NaN is always false and sorting puts it anywhere, so that one such row would change
    the ranks of the others without a word. Looks at the length of each row: it needs one number a row,
    and it also finds rows so large that their length is no longer a number of their type.

    Args:
        matrix: Shape ``(rows, dim)``.
        name: The argument's name, for the message.

    Raises:
        InvalidValueError: Names the first row with NaN, an infinity, or a length that overflows.
    """
    # Chunks, so that reading half precision as float32 does not copy the whole matrix.
    for start in range(0, len(matrix), _ROWS_A_CHUNK):
        chunk = matrix[start : start + _ROWS_A_CHUNK].detach()
        chunk = chunk.to(torch.promote_types(chunk.dtype, torch.float32))
        bad = ~torch.linalg.vector_norm(chunk, dim=-1).isfinite()
        if bool(bad.any()):
            row = int(bad.nonzero()[0, 0])
            raise InvalidValueError(
                "embedding-not-finite",
                _what_is_wrong(chunk[row]),
                expected="finite embeddings",
                fix="Look for non-finite weights or a training that diverged, or leave such rows out",
                where=f"{name}, row {start + row}",
            )


def _what_is_wrong(embedding: Tensor) -> str:
    if bool(embedding.isnan().any()):
        return "the embedding holds NaN"
    if bool(embedding.isinf().any()):
        return "the embedding holds an infinity"
    return (
        f"the embedding is so large that its length overflows {str(embedding.dtype).removeprefix('torch.')}"
    )
