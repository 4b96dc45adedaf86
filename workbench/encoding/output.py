"""The form in which embeddings are handed out: array or tensor, float32 or quantised."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.util.quantization import quantize_embeddings

Precision = Literal["float32", "int8", "uint8", "binary", "ubinary"]


def converted(rows: Tensor, precision: Precision, to_numpy: bool, to_tensor: bool) -> Any:
    """float32 rows in the form that was asked for."""
    array: NDArray[Any] | None = None
    if precision != "float32" and rows.numel():
        array = np.asarray(quantize_embeddings(rows.float().cpu().numpy(), precision=precision))
    if to_tensor:
        return rows if array is None else torch.from_numpy(array)
    if array is None:
        if not to_numpy:
            return list(rows)
        # numpy knows no bfloat16.
        array = (rows.float() if rows.dtype == torch.bfloat16 else rows).cpu().numpy()
    return array if to_numpy else [torch.from_numpy(row) for row in array]
