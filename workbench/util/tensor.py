"""Embeddings as tensors: reading what callers hand in, scaling, truncating, moving to a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.checks import require_count


class ArrayLike(Protocol):
    """Anything numpy can read: a memory map, a pandas column, a JAX array."""

    def __array__(self) -> NDArray[Any]: ...


EmbeddingLike = Tensor | NDArray[Any] | Sequence[Any] | ArrayLike
"""One embedding or rows of them: a tensor, an array, a list of numbers, rows, arrays or tensors."""

Embeddings = TypeVar("Embeddings", Tensor, NDArray[Any])


def as_tensor(values: EmbeddingLike, name: str = "embeddings") -> Tensor:
    """Read embeddings into a dense tensor; the memory of arrays and tensors is shared where possible.

    Args:
        values: One embedding or rows of them. An empty list is zero rows of an unknown dimension and
            gives shape ``(0, 0)``.
        name: The argument's name, for the message.

    Returns:
        The values, at least one axis, type kept (a list of numbers: as ``torch.tensor`` reads it).

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: Rows of different lengths, or a lone number.
    """
    if isinstance(values, Tensor):
        tensor = values
    elif isinstance(values, (list, tuple)):
        tensor = _from_sequence(values, name)
    else:
        tensor = _from_array(values, name)
    if tensor.layout != torch.strided or tensor.is_nested or tensor.is_quantized:
        raise _not_embeddings(
            name, "a sparse, nested or quantized tensor", fix="Convert it with .to_dense() or .dequantize()"
        )
    if tensor.is_complex():
        raise _not_embeddings(name, "complex numbers")
    if tensor.ndim == 0:
        raise ShapeMismatchError(
            "too-few-axes", "a lone number", expected="at least one embedding, shape (dim,)", where=name
        )
    return tensor


def as_float(tensor: Tensor) -> Tensor:
    """Give integers and floats below 32 bit the type float32; the others stay as they are.

    Half precision rounds scores so coarsely that neighbours tie, and the product of int8 rows overflows.
    """
    if tensor.is_floating_point() and torch.finfo(tensor.dtype).bits >= 32:
        return tensor
    return tensor.float()


def as_matrix(values: EmbeddingLike, name: str = "embeddings") -> Tensor:
    """Read embeddings as rows; one embedding is a batch of one.

    Returns:
        Shape ``(rows, dim)``, type kept.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: More than two axes, rows of different lengths, or a lone number.
    """
    tensor = as_tensor(values, name)
    if tensor.ndim > 2:
        raise ShapeMismatchError(
            "too-many-axes",
            f"shape {tuple(tensor.shape)}",
            expected="one embedding (dim,) or rows of them (rows, dim)",
            fix="Pool token embeddings to one row a text first",
            where=name,
        )
    return tensor.unsqueeze(0) if tensor.ndim == 1 else tensor


def as_numpy(values: EmbeddingLike, name: str = "embeddings") -> NDArray[Any]:
    """Read embeddings into a numpy array on the CPU, gradients left behind.

    bfloat16 and float8, which numpy does not know, become float32.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: Rows of different lengths, or a lone number.
    """
    tensor = as_tensor(values, name).detach()
    if tensor.is_floating_point() and tensor.dtype != torch.float16:
        tensor = as_float(tensor)
    array: NDArray[Any] = tensor.cpu().numpy()
    return array


def require_same_dim(a: Tensor, b: Tensor, names: tuple[str, str] = ("a", "b")) -> tuple[Tensor, Tensor]:
    """Two matrices whose rows can be compared.

    Args:
        a: Shape ``(n, dim)``.
        b: Shape ``(m, dim)``.
        names: The arguments' names, for the message.

    Returns:
        Both; one that came as an empty list is given the other's dimension.

    Raises:
        ShapeMismatchError: The dimensions differ.
    """
    a, b = _fit_empty(a, b), _fit_empty(b, a)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeMismatchError(
            "dimension-mismatch",
            f"{a.shape[-1]} dimensions in {names[0]} and {b.shape[-1]} in {names[1]}",
            expected="the same number in both",
            fix="Encode both with the same model and the same truncate_dim",
        )
    return a, b


def as_matrix_pair(a: EmbeddingLike, b: EmbeddingLike) -> tuple[Tensor, Tensor]:
    """Read two sets of embeddings to compare every row of one with every row of the other.

    Returns:
        Shapes ``(n, dim)`` and ``(m, dim)``, in the wider of the two types, on the device of ``a``.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The dimensions differ, or more than two axes.
    """
    left, right = require_same_dim(as_matrix(a, "a"), as_matrix(b, "b"))
    return _alike(as_float(left), as_float(right))


def as_row_pairs(a: EmbeddingLike, b: EmbeddingLike) -> tuple[Tensor, Tensor]:
    """Read two sets of embeddings to compare row ``i`` of one with row ``i`` of the other.

    Returns:
        Two tensors of one shape ``(..., dim)``, in the wider of the two types, on the device of ``a``.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.
        ShapeMismatchError: The shapes differ. A single row is not repeated.
    """
    left, right = require_same_dim(as_tensor(a, "a"), as_tensor(b, "b"))
    if left.shape != right.shape:
        raise ShapeMismatchError(
            "pairs-mismatch",
            f"shapes {tuple(left.shape)} and {tuple(right.shape)}",
            expected="one row in b for each row in a",
            fix="To compare every row with every row, use the function without pairwise_",
        )
    return _alike(as_float(left), as_float(right))


def normalize_embeddings(embeddings: EmbeddingLike) -> Tensor:
    """Scale each embedding to unit length: ``x / max(|x|, 1e-12)``.

    Args:
        embeddings: Shape ``(..., dim)``.

    Returns:
        Same shape and floating type (integers become float32). An embedding of zeros stays zeros.

    Raises:
        InvalidTypeError: Not real numbers in a dense layout.

    Source: sentence-transformers' ``util.normalize_embeddings``.
    """
    tensor = as_tensor(embeddings)
    return torch.nn.functional.normalize(tensor if tensor.is_floating_point() else tensor.float(), dim=-1)


def truncate_embeddings(embeddings: Embeddings, truncate_dim: int | None) -> Embeddings:
    """Keep the first ``truncate_dim`` components of each embedding, as Matryoshka models allow.

    Args:
        embeddings: Shape ``(..., dim)``.
        truncate_dim: Components to keep; None keeps all.

    Returns:
        A view of the input. Shape ``(..., truncate_dim)``. Lengths are no longer one: normalise again.

    Raises:
        InvalidValueError: Not a whole number from 1 to ``dim``.
        ShapeMismatchError: A lone number instead of an embedding.

    Source: sentence-transformers' ``util.truncate_embeddings``, which lets every value pass.
    """
    if embeddings.ndim == 0:
        raise ShapeMismatchError("too-few-axes", "a lone number", expected="shape (..., dim)")
    if truncate_dim is None:
        return embeddings
    return embeddings[..., : require_count(truncate_dim, "truncate_dim", at_most=embeddings.shape[-1])]


def batch_to_device(batch: Mapping[str, Any], target_device: str | torch.device) -> dict[str, Any]:
    """Move the tensors of a batch to a device.

    Args:
        batch: Feature name to tensor; other values are handed on as they are.
        target_device: ``"cpu"``, ``"cuda"``, ``"cuda:0"``, …

    Returns:
        A new dict; the one that came is left as it was.

    Raises:
        InvalidValueError: No such device on this machine.

    Source: sentence-transformers' ``util.batch_to_device``, which changes the dict it is given.
    """
    device = _existing_device(target_device)
    return {key: value.to(device) if isinstance(value, Tensor) else value for key, value in batch.items()}


def _existing_device(device: str | torch.device) -> torch.device:
    try:
        # An absent device is noticed only when something is put there, and each kind has its own exception.
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InvalidValueError(
            "unknown-device",
            f"{str(device)!r}",
            expected=f"cpu, or one of {torch.cuda.device_count()} CUDA devices",
            where="target_device",
        ) from error


def _from_sequence(values: Sequence[Any], name: str) -> Tensor:
    if not values:
        return torch.empty(0, 0)
    if any(isinstance(row, (Tensor, np.ndarray)) for row in values):
        rows = [row if isinstance(row, Tensor) else as_tensor(row, name) for row in values]
        _require_equal_shapes([tuple(row.shape) for row in rows], name)
        return torch.stack([row.to(rows[0].device) for row in rows])
    if all(isinstance(row, (list, tuple)) for row in values):
        _require_equal_shapes([(len(row),) for row in values], name)
    try:
        return torch.tensor(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise _not_embeddings(name, f"a list that is no table of numbers ({error})") from error


def _require_equal_shapes(shapes: list[tuple[int, ...]], name: str) -> None:
    for row, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ShapeMismatchError(
                "ragged-rows",
                f"shape {shape}, where row 0 has {shapes[0]}",
                expected="rows of one length",
                fix="Pass one embedding a text, all from one model",
                where=f"{name}, row {row}",
            )


def _from_array(values: Any, name: str) -> Tensor:
    if not hasattr(values, "__array__"):
        raise _not_embeddings(name, type(values).__name__)
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise _not_embeddings(name, f"an array of type {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    # torch reads neither foreign byte order nor negative strides, and warns at read-only memory.
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


def _not_embeddings(name: str, came: str, fix: str = "") -> InvalidTypeError:
    return InvalidTypeError(
        "not-embeddings",
        came,
        expected="real numbers as a dense tensor, an array, or a list of rows",
        fix=fix,
        where=name,
    )


def _fit_empty(tensor: Tensor, other: Tensor) -> Tensor:
    return tensor.new_empty((0, *other.shape[1:])) if tensor.shape == (0, 0) else tensor


def _alike(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    dtype = torch.promote_types(a.dtype, b.dtype)
    return a.to(dtype), b.to(a.device, dtype)
