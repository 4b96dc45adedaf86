"""Similarities in full precision, whatever the model computes in."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from workbench.util.tensor import as_float


def precise(similarity: Callable[[Tensor, Tensor], Tensor], first: Tensor, second: Tensor) -> Tensor:
    """Compute a similarity outside autocast, in float32 or better.

    In half precision a cosine is right to two or three digits, and a loss multiplies it by 20 or 100.

    Args:
        similarity: The function.
        first: Shape ``(n, dim)``.
        second: Shape ``(m, dim)``.

    Returns:
        What the function makes of them.
    """
    with torch.autocast(first.device.type, enabled=False):
        return similarity(as_float(first), as_float(second))
