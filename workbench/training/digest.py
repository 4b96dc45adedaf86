"""Digests of batches and of data, by which a resumed training knows that it sees what the first one saw."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from workbench.training.random_state import kept_random_state

# Bounds of a fingerprint. Rows of a list cost some microseconds; those of a data set what its code does.
MAX_LISTED_ROWS = 200_000
MAX_DATASET_ROWS = 2_000
_MAX_DEPTH = 8


class Hash(Protocol):
    """What takes bytes in, as those of ``hashlib`` do."""

    def update(self, data: bytes, /) -> None: ...


def add_to_digest(digest: Hash, value: object, depth: int = 0) -> None:
    """Feed a value to a digest, so that different values feed different bytes.

    Texts, bytes, numbers, None, tensors, arrays, and lists, tuples, dicts and objects of them count with
    what they hold; anything else counts with the name of its type.

    Args:
        digest: One of ``hashlib``.
        value: What a loader gave, or a row.
        depth: Levels above this value.
    """
    if isinstance(value, str):
        _add(digest, b"s", value.encode("utf-8", "surrogatepass"))
    elif value is None or isinstance(value, bool | int):
        _add(digest, b"i", repr(value).encode())
    elif isinstance(value, float):
        _add(digest, b"f", struct.pack("<d", value))
    elif isinstance(value, bytes | bytearray):
        _add(digest, b"b", bytes(value))
    elif isinstance(value, Tensor | np.ndarray | np.generic):
        _add_array(digest, value)
    elif depth >= _MAX_DEPTH:
        _add(digest, b"o", type(value).__name__.encode())
    elif isinstance(value, list | tuple):
        _add(digest, b"l", struct.pack("<q", len(value)))
        for child in value:
            add_to_digest(digest, child, depth + 1)
    elif isinstance(value, Mapping):
        _add(digest, b"d", struct.pack("<q", len(value)))
        for key, child in value.items():
            add_to_digest(digest, key, depth + 1)
            add_to_digest(digest, child, depth + 1)
    else:
        _add(digest, b"o", type(value).__name__.encode())
        add_to_digest(digest, getattr(value, "__dict__", None), depth + 1)


def data_fingerprint(data: object) -> str:
    """The sha256 of rows: of all of a list up to 200,000, else of as many that lie evenly spread over it.

    A data set that computes its rows is asked for 2,000 of them at most, under random states of their own:
    rows with noise in them give the same fingerprint, and the training's random numbers are not touched.
    One whose rows depend on a state, or that gives them in its own order, is known by the lists it holds.

    Args:
        data: A list of ``InputExample``, a data set, or a loader, which stands for its data set or its lists
            of rows.
    """
    digest = hashlib.sha256()
    dataset = getattr(data, "dataset", data)
    if _is_rows(dataset):
        _add_rows(digest, dataset)
    else:
        _add(digest, b"o", type(dataset).__name__.encode())
        lists = {
            key: rows for key, rows in getattr(dataset, "__dict__", {}).items() if isinstance(rows, list)
        }
        for key, rows in sorted(lists.items()):
            add_to_digest(digest, key)
            _add_rows(digest, rows)
    return digest.hexdigest()


def sample_digest(values: Any, most: int = 256) -> str:
    """A short digest of the length of a list, tuple, tensor or array and of items evenly spread over it."""
    digest = hashlib.sha256()
    shape = tuple(values.shape) if isinstance(values, Tensor | np.ndarray) else (len(values),)
    add_to_digest(digest, shape)
    if not shape:
        add_to_digest(digest, values)
    else:
        for index in _spread(shape[0], most):
            add_to_digest(digest, values[index])
    return digest.hexdigest()[:32]


def _add(digest: Hash, kind: bytes, data: bytes) -> None:
    digest.update(kind + struct.pack("<q", len(data)))
    digest.update(data)


def _add_array(digest: Hash, value: Tensor | np.ndarray | np.generic) -> None:
    if isinstance(value, Tensor):
        dense = value.detach().to_dense() if value.layout is not torch.strided else value.detach()
        plain = dense.cpu().contiguous()
        data = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        kind = str(plain.dtype).removeprefix("torch.")
    elif value.dtype.hasobject:
        add_to_digest(digest, value.tolist(), 1)
        return
    else:
        data, kind = value.tobytes(), str(value.dtype)
    _add(digest, b"t", f"{kind}{tuple(value.shape)}".encode())
    _add(digest, b"t", data)


def _is_rows(data: object) -> bool:
    other = isinstance(data, Mapping | str | IterableDataset) or hasattr(data, "state_dict")
    return hasattr(data, "__len__") and hasattr(data, "__getitem__") and not other


def _add_rows(digest: Hash, rows: Any) -> None:
    total = len(rows)
    _add(digest, b"n", struct.pack("<q", total))
    most = MAX_LISTED_ROWS if isinstance(rows, list | tuple) else MAX_DATASET_ROWS
    with kept_random_state():
        random.seed(0)
        np.random.seed(0)
        # Not torch.manual_seed, which would seed the GPUs too.
        torch.default_generator.manual_seed(0)
        for index in _spread(total, most):
            add_to_digest(digest, rows[index])


def _spread(total: int, most: int) -> Sequence[int]:
    if total <= most:
        return range(total)
    return [index * (total - 1) // (most - 1) for index in range(most)]
