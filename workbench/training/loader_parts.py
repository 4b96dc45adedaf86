"""What of a data loader carries state, and the refusal of what cannot be captured."""

from __future__ import annotations

import functools
import io
import random
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from workbench.errors import InvalidTypeError
from workbench.losses.contrastive_tension import ContrastiveTensionDataLoader

# Exact types, whose order depends on the random states where it is made, their generator and their
# attributes alone. One more sampler is one more line.
STATELESS_SAMPLERS = (
    SequentialSampler,
    RandomSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
    BatchSampler,
    DistributedSampler,
    list,
    tuple,
    range,
    np.ndarray,
    Tensor,
)
# The same of loaders that are no DataLoader.
STATELESS_LOADERS = (list, tuple, ContrastiveTensionDataLoader)

_RANDOM = (
    random.Random,
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    torch.Generator,
)
_NOT_ENTERED = (
    types.ModuleType,
    type,
    nn.Module,
    str,
    bytes,
    int,
    float,
    bool,
    Tensor,
    np.ndarray,
    torch.device,
    torch.dtype,
)
_MAX_OBJECTS = 2_000
_MAX_ITEMS = 64
_MAX_DEPTH = 5
_CURE = "Let it offer state_dict() and load_state_dict(), or draw from the global generators"


@dataclass(frozen=True)
class LoaderParts:
    """What a loader's order depends on beside the global random states.

    Attributes:
        stateful: Path → object that offers ``state_dict`` and ``load_state_dict``.
        generators: Path → torch generator of the loader or a sampler.
        distributed: Path → sampler that counts epochs.
        plain: Path → object whose own attributes may hide state: data sets, samplers, collate objects.
    """

    stateful: dict[str, Any] = field(default_factory=dict)
    generators: dict[str, torch.Generator] = field(default_factory=dict)
    distributed: dict[str, Any] = field(default_factory=dict)
    plain: dict[str, Any] = field(default_factory=dict)


def find_parts(loader: Any) -> LoaderParts:
    """Find what carries the state of a loader.

    Args:
        loader: A DataLoader, a list of batches, a loader of this package, or one that offers
            ``state_dict`` and ``load_state_dict``.

    Raises:
        InvalidTypeError: ``loader-not-resumable``, with the object that cannot be captured and the cure.
    """
    parts = LoaderParts()
    if offers_state(loader):
        parts.stateful["loader"] = loader
        _add_generator(parts, "loader", loader)
        _add_callable(parts, "collate_fn", getattr(loader, "collate_fn", None))
    elif isinstance(loader, DataLoader):
        _check_settings(loader)
        _add_generator(parts, "loader", loader)
        if not isinstance(loader.dataset, IterableDataset):
            _add_sampler(parts, "sampler", loader.sampler)
            _add_sampler(parts, "batch_sampler", loader.batch_sampler)
        _add_dataset(parts, "dataset", loader.dataset)
        _add_callable(parts, "collate_fn", loader.collate_fn)
    elif type(loader) not in STATELESS_LOADERS:
        raise not_resumable("loader", f"a {type(loader).__name__}, whose place in an epoch is not known")
    return parts


def describe_loader(loader: Any) -> dict[str, Any]:
    """What must be the same where a training is resumed: types, sizes and settings."""
    described: dict[str, Any] = {"loader": type(loader).__name__}
    if isinstance(loader, DataLoader):
        for name in ("dataset", "sampler", "batch_sampler"):
            described[name] = type(getattr(loader, name)).__name__
        for name in ("batch_size", "drop_last", "num_workers", "prefetch_factor"):
            described[name] = getattr(loader, name)
    rows = loader.dataset if isinstance(loader, DataLoader) else loader
    # The length of what draws its epochs itself may differ from epoch to epoch.
    if isinstance(rows, Sequence) or (isinstance(rows, Dataset) and not isinstance(rows, IterableDataset)):
        described["rows"] = len(rows) if hasattr(rows, "__len__") else None
    return described


def offers_state(value: Any) -> bool:
    """Whether an object can say where it stands and be put there; a module's weights are not meant."""
    return not isinstance(value, nn.Module) and all(
        callable(getattr(value, name, None)) for name in ("state_dict", "load_state_dict")
    )


def _check_settings(loader: DataLoader[Any]) -> None:
    kind = type(loader)
    # A subclass may keep anything between its batches.
    private = "_get_iterator"
    if kind.__iter__ is not DataLoader.__iter__ or getattr(kind, private) is not getattr(DataLoader, private):
        raise not_resumable("loader", f"a {kind.__name__} with an __iter__ of its own")
    if loader.persistent_workers:
        raise not_resumable(
            "loader",
            "persistent_workers=True: the workers' random states go on from epoch to epoch, out of reach",
            fix="Leave persistent_workers=False",
        )
    if loader.num_workers and not getattr(loader, "in_order", True):
        raise not_resumable(
            "loader", "in_order=False: batches come as the workers are done", fix="Leave in_order=True"
        )


def _add_sampler(parts: LoaderParts, path: str, sampler: Any) -> None:
    if sampler is None or any(
        sampler is known for known in (*parts.plain.values(), *parts.stateful.values())
    ):
        return
    _add_generator(parts, path, sampler)
    if offers_state(sampler):
        parts.stateful[path] = sampler
        return
    if type(sampler) not in STATELESS_SAMPLERS:
        raise not_resumable(path, f"a {type(sampler).__name__} without state_dict")
    parts.plain[path] = sampler
    if type(sampler) is DistributedSampler:
        parts.distributed[path] = sampler
    if type(sampler) is BatchSampler:
        _add_sampler(parts, f"{path}.sampler", sampler.sampler)


def _add_generator(parts: LoaderParts, path: str, owner: Any) -> None:
    generator = getattr(owner, "generator", None)
    if isinstance(generator, torch.Generator) and all(g is not generator for g in parts.generators.values()):
        parts.generators[f"{path}.generator"] = generator


def _add_dataset(parts: LoaderParts, path: str, dataset: Any) -> None:
    if offers_state(dataset):
        parts.stateful[path] = dataset
        return
    if isinstance(dataset, IterableDataset):
        raise not_resumable(path, f"an iterable {type(dataset).__name__} without state_dict")
    parts.plain[path] = dataset
    inner: dict[str, Any] = {}
    for name, value in (getattr(dataset, "__dict__", None) or {}).items():
        if isinstance(value, Dataset):
            inner[f"{path}.{name}"] = value
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Dataset):
            inner.update({f"{path}.{name}[{index}]": child for index, child in enumerate(value)})
    for inner_path, child in inner.items():
        _add_dataset(parts, inner_path, child)
    _refuse_generators(parts, path, dataset, without=list(inner.values()))


def _add_callable(parts: LoaderParts, path: str, function: Any) -> None:
    owner = getattr(function, "__self__", function)
    if owner is None or isinstance(owner, nn.Module | types.ModuleType):
        return
    if offers_state(owner):
        parts.stateful[path] = owner
        return
    if not isinstance(owner, types.FunctionType | types.BuiltinFunctionType | functools.partial):
        parts.plain[path] = owner
    _refuse_generators(parts, path, function)


def _refuse_generators(parts: LoaderParts, path: str, start: Any, without: list[Any] | None = None) -> None:
    """Refuse a generator or an iterator under way that stands anywhere in an object, as far as is looked."""
    known = [*parts.generators.values(), *parts.stateful.values(), *(without or [])]
    seen = {id(value) for value in known}
    queue: list[tuple[str, Any, int]] = [(path, start, 0)]
    for place, value, depth in queue:
        if id(value) in seen or isinstance(value, _NOT_ENTERED) or value is None:
            continue
        seen.add(id(value))
        if isinstance(value, _RANDOM):
            raise not_resumable(place, f"a random generator of its own ({type(value).__name__})")
        if isinstance(value, Iterator) and not isinstance(value, io.IOBase):
            raise not_resumable(place, f"an iterator under way ({type(value).__name__})")
        if depth < _MAX_DEPTH and len(queue) < _MAX_OBJECTS:
            queue.extend((f"{place}{step}", child, depth + 1) for step, child in _children(value))


def _children(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        # A copy: a cache may be filled by another thread.
        return (
            [(f"[{key!r}]", value[key]) for key in list(value)[:_MAX_ITEMS]]
            if isinstance(value, dict)
            else []
        )
    if isinstance(value, list | tuple):
        return [(f"[{index}]", child) for index, child in enumerate(value[:_MAX_ITEMS])]
    if isinstance(value, functools.partial):
        return [
            (".func", value.func),
            *((".args", child) for child in (*value.args, *value.keywords.values())),
        ]
    if isinstance(value, types.MethodType):
        return [("", value.__self__)]
    if isinstance(value, types.FunctionType):
        return _children_of_function(value)
    return [(f".{name}", child) for name, child in list(getattr(value, "__dict__", {}).items())[:_MAX_ITEMS]]


def _children_of_function(function: types.FunctionType) -> list[tuple[str, Any]]:
    names = function.__code__.co_freevars
    cells = [
        (name, cell) for name, cell in zip(names, function.__closure__ or (), strict=True) if _is_filled(cell)
    ]
    # A module's variable that the function reads, such as RNG = random.Random(0) above it.
    used = [
        (name, function.__globals__[name])
        for name in function.__code__.co_names
        if name in function.__globals__
    ]
    values = [(name, cell.cell_contents) for name, cell in cells]
    loose = [(name, value) for name, value in used if isinstance(value, _RANDOM)]
    return [(f" ({name})", value) for name, value in (*values, *loose, *_defaults(function))]


def _defaults(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    defaults = getattr(function, "__defaults__", None) or ()
    return [
        ("default", value)
        for value in (*defaults, *(getattr(function, "__kwdefaults__", None) or {}).values())
    ]


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def not_resumable(path: str, came: str, fix: str = _CURE) -> InvalidTypeError:
    """The error for a loader, or an object in it, whose state cannot be captured."""
    return InvalidTypeError(
        "loader-not-resumable",
        came,
        expected="state that a checkpoint can hold",
        where=path,
        fix=f"{fix}; without checkpoints it can be used as it is",
    )
