"""Nested state, as optimizers and samplers give it, as JSON plus named tensors, and back with every type.

Dicts with string keys, lists, strings, whole numbers, finite floats, booleans and None are themselves in
JSON. What JSON lacks is an object with one key that starts with ``$``: a tensor (``{"$tensor": name}``), a
numpy array or scalar, a tuple, bytes, a float that is not finite, a dict with other keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import CheckpointError, InvalidTypeError

# What a safetensors file can hold and this package reads.
_DTYPES = frozenset(
    {
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.uint16,
        torch.int16,
        torch.uint32,
        torch.int32,
        torch.uint64,
        torch.int64,
        torch.float16,
        torch.bfloat16,
        torch.float32,
        torch.float64,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
    }
)
_NUMPY_KINDS = "biuf"
_MAX_DEPTH = 24


def to_tree(value: Any, where: str) -> tuple[dict[str, Tensor], Any]:
    """Take nested state apart.

    Args:
        value: Dicts, lists, tuples, tensors, numpy arrays and scalars, texts, bytes, numbers, None.
        where: Whose state it is, for the message.

    Returns:
        Name → a copy of each tensor on the CPU, and what JSON can hold.

    Raises:
        InvalidTypeError: ``state-not-storable``, with the place of the value.
    """
    tensors: dict[str, Tensor] = {}
    return tensors, _encode(value, "", tensors, where, 0)


def from_tree(tensors: Mapping[str, Tensor], tree: Any, where: str) -> Any:
    """Put nested state together again.

    Args:
        tensors: As ``to_tree`` gave them.
        tree: As ``to_tree`` gave it.
        where: Whose state it is, for the message.

    Raises:
        CheckpointError: ``checkpoint-damaged``: the two do not fit each other.
    """
    try:
        return _decode(tree, tensors)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            "checkpoint-damaged",
            f"a state that is none: {type(error).__name__}: {error}"[:200],
            expected="a state as it was written",
            where=where,
            fix="Resume from the checkpoint before it",
        ) from error


def _encode(value: Any, path: str, tensors: dict[str, Tensor], where: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _not_storable(f"more than {_MAX_DEPTH} levels", path, where)
    plain = _encode_plain(value)
    if plain is not None or value is None:
        return plain
    if isinstance(value, Tensor):
        return {"$tensor": _keep(value, path, tensors, where)}
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in _NUMPY_KINDS or value.dtype.itemsize > 8:
            raise _not_storable(f"numpy values of type {value.dtype}", path, where)
        kind = "$array" if isinstance(value, np.ndarray) else "$scalar"
        return {kind: _keep(torch.tensor(np.asarray(value)), path, tensors, where)}

    def inner(child: Any, key: object) -> Any:
        return _encode(child, f"{path}.{key}" if path else str(key), tensors, where, depth + 1)

    if type(value) is list or type(value) is tuple:
        items = [inner(child, index) for index, child in enumerate(value)]
        return items if type(value) is list else {"$tuple": items}
    if isinstance(value, dict):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: inner(child, key) for key, child in value.items()}
        return {"$dict": [[inner(key, f"key{n}"), inner(value[key], key)] for n, key in enumerate(value)]}
    raise _not_storable(f"a {type(value).__name__}", path, where)


def _encode_plain(value: Any) -> Any:
    """What needs no descent; None for everything else."""
    if isinstance(value, bytes | bytearray):
        return {"$bytes": value.hex()}
    if type(value) is float and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, str) and not value.isascii() and not _is_text(value):
        return {"$surrogates": value.encode("utf-8", "surrogatepass").hex()}
    return value if type(value) in (bool, int, float, str) else None


def _keep(value: Tensor, path: str, tensors: dict[str, Tensor], where: str) -> str:
    if value.layout is not torch.strided or value.dtype not in _DTYPES:
        raise _not_storable(f"a tensor of type {value.dtype}, {value.layout}", path, where)
    # A dict may hold the keys 1 and "1": the names must differ all the same.
    name = path or "value"
    while name in tensors:
        name += "'"
    tensors[name] = value.detach().cpu().contiguous().clone()
    return name


def _decode(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(tree, list):
        return [_decode(child, tensors) for child in tree]
    if not isinstance(tree, dict):
        return tree
    mark = next(iter(tree), "")
    if not mark.startswith("$"):
        return {key: _decode(child, tensors) for key, child in tree.items()}
    ((mark, inner),) = tree.items()
    return _MARKS[mark](inner, tensors)


_MARKS: Mapping[str, Any] = {
    "$tensor": lambda name, tensors: tensors[name].clone(),
    "$array": lambda name, tensors: tensors[name].numpy().copy(),
    "$scalar": lambda name, tensors: tensors[name].numpy()[()],
    "$tuple": lambda items, tensors: tuple(_decode(items, tensors)),
    "$dict": lambda pairs, tensors: {_decode(k, tensors): _decode(v, tensors) for k, v in pairs},
    "$bytes": lambda text, _: bytes.fromhex(text),
    "$float": lambda text, _: float(text),
    "$surrogates": lambda text, _: bytes.fromhex(text).decode("utf-8", "surrogatepass"),
}


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _not_storable(came: str, path: str, where: str) -> InvalidTypeError:
    return InvalidTypeError(
        "state-not-storable",
        came,
        expected="dicts, lists, tuples, tensors, arrays, texts, bytes, numbers and None",
        where=f"{where}, {path}" if path else where,
        fix="Let state_dict() give only these",
    )
