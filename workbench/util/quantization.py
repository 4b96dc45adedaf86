"""Embeddings in fewer bits: int8, uint8, and one bit a component."""

from __future__ import annotations

import logging
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.checks import require_finite_rows
from workbench.util.tensor import EmbeddingLike, as_numpy

QuantizedPrecision = Literal["float32", "int8", "uint8", "binary", "ubinary"]

# Below this many embeddings the extremes of a dimension are mostly chance.
_FEW_FOR_RANGES = 100
_log = logging.getLogger(__name__)


def quantize_embeddings(
    embeddings: EmbeddingLike,
    precision: QuantizedPrecision,
    ranges: EmbeddingLike | None = None,
    calibration_embeddings: EmbeddingLike | None = None,
) -> NDArray[Any]:
    """Store embeddings in fewer bits.

    ``int8`` and ``uint8`` cut the range of each dimension into 256 steps; what lies beyond the range takes
    the outermost step. ``binary`` and ``ubinary`` keep the sign of each component, eight to a byte, the
    first in the highest bit; ``binary`` is shifted by -128 to fit int8. Where ``dim`` is not a multiple of
    eight the last byte is filled up with zero bits: they are alike in all rows, so that Hamming distances
    stay right.

    Args:
        embeddings: Shape ``(rows, dim)``, or ``(dim,)`` for one.
        precision: ``float32``, ``int8``, ``uint8``, ``binary`` or ``ubinary``.
        ranges: Least and greatest value of each dimension, shape ``(2, dim)``; for the 8-bit precisions.
        calibration_embeddings: Rows to take the ranges from, shape ``(any, dim)``. Without them and without
            ``ranges`` they are taken from ``embeddings``; embeddings are comparable only under one range.

    Returns:
        Shape ``(..., dim)``, for the binary precisions ``(..., ceil(dim / 8))``; type float32, int8 or uint8.

    Raises:
        InvalidTypeError: Embeddings that already are int8 or uint8, or no numbers.
        InvalidValueError: Unknown precision, values that are not finite (their row is named), ranges that
            run backwards, or a single embedding to take ranges from.
        ShapeMismatchError: More than two axes, or ranges of another dimension.

    Source: sentence-transformers' ``quantize_embeddings``, equal in every value.
    """
    known = get_args(QuantizedPrecision)
    if precision not in known:
        raise InvalidValueError(
            "unknown-precision", f"{precision!r}", expected=f"one of {', '.join(known)}", where="precision"
        )
    rows = _finite_float_rows(embeddings, "embeddings")
    if precision == "float32":
        return np.array(rows, dtype=np.float32)
    if precision in ("binary", "ubinary"):
        packed = np.packbits(rows > 0, axis=-1)
        # Flipping the highest bit subtracts 128 when the byte is read as a signed one.
        return packed if precision == "ubinary" else (packed ^ 0x80).view(np.int8)
    if len(rows) == 0:
        return np.empty(rows.shape, dtype=precision)
    starts, steps = _buckets(rows, precision, ranges, calibration_embeddings)
    with np.errstate(over="ignore"):  # A quotient beyond float32 is beyond the last step too.
        levels = np.clip(np.floor((rows - starts) / steps), 0, 255)
    shift = 128 if precision == "int8" else 0
    return np.array(levels - shift, dtype=precision)


def _finite_float_rows(values: EmbeddingLike, name: str) -> NDArray[Any]:
    """Read embeddings that are not quantized yet, and finite as float32."""
    rows = as_numpy(values, name)
    if rows.dtype in (np.int8, np.uint8):
        raise InvalidTypeError(
            "already-quantized",
            f"embeddings of type {rows.dtype}",
            expected="embeddings as the model gave them",
            fix="Quantize the float embeddings instead",
            where=name,
        )
    if rows.ndim > 2:
        raise ShapeMismatchError(
            "too-many-axes",
            f"shape {rows.shape}",
            expected="one embedding (dim,) or rows of them (rows, dim)",
            fix="Quantize each matrix of token embeddings with the same ranges",
            where=name,
        )
    require_finite_rows(torch.from_numpy(np.atleast_2d(rows)).float(), name)
    return rows


def _buckets(
    rows: NDArray[Any], precision: str, ranges: EmbeddingLike | None, calibration: EmbeddingLike | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where the range of each dimension starts, and the width of one of its 256 steps; both ``(dim,)``."""
    if ranges is not None:
        limits = as_numpy(ranges, "ranges")
    elif calibration is not None:
        limits = _limits(np.atleast_2d(_finite_float_rows(calibration, "calibration_embeddings")))
    else:
        _require_enough(rows, precision)
        limits = _limits(rows)
    if limits.shape != (2, rows.shape[-1]):
        raise ShapeMismatchError(
            "ranges-shape",
            f"ranges of shape {limits.shape} for embeddings of {rows.shape[-1]} dimensions",
            expected=f"shape (2, {rows.shape[-1]})",
            fix="Take the ranges or the calibration embeddings from the same model and truncate_dim",
        )
    with np.errstate(over="ignore", invalid="ignore"):  # What overflows is refused below.
        limits = limits.astype(np.float32)
        starts, widths = limits[0], limits[1] - limits[0]
    wrong = ~(np.isfinite(widths) & (widths >= 0))
    if wrong.any():
        dim = int(np.argmax(wrong))
        raise InvalidValueError(
            "ranges-unusable",
            f"from {limits[0, dim]} to {limits[1, dim]}",
            expected="a finite least value and a greatest that is not below it",
            where=f"ranges, dimension {dim}",
        )
    steps = widths / 255
    return starts, np.where(steps == 0, np.float32(1), steps)


def _limits(sample: NDArray[Any]) -> NDArray[Any]:
    if len(sample) == 0:
        raise InvalidValueError(
            "ranges-from-none",
            "no calibration embeddings",
            expected="at least one",
            where="calibration_embeddings",
        )
    return np.stack((sample.min(axis=0), sample.max(axis=0)))


def _require_enough(rows: NDArray[Any], precision: str) -> None:
    """Refuse to take ranges from one embedding, and warn where they are mostly chance."""
    if rows.ndim == 1 or len(rows) == 1:
        raise InvalidValueError(
            "ranges-from-one",
            "a single embedding and no ranges",
            expected=f"ranges for {precision}",
            fix="Pass ranges or calibration_embeddings from a representative set",
        )
    if len(rows) < _FEW_FOR_RANGES:
        _log.warning(
            "The %s ranges come from %d embeddings; pass ranges or calibration_embeddings of %d or more.",
            precision,
            len(rows),
            _FEW_FOR_RANGES,
        )
