"""The states of the objects in a loader, its samplers and data sets: read, compared and put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import CheckpointError
from workbench.training.digest import sample_digest
from workbench.training.loader_parts import LoaderParts
from workbench.training.state_tree import from_tree, to_tree


@dataclass(frozen=True)
class ObjectStates:
    """What was found at one moment.

    Attributes:
        tensors: Those of the ``state_dict`` of objects that offer one.
        document: ``states``: path → the rest of it; ``epochs``: path → epoch of a distributed sampler;
            ``hidden``: path → number, text or digest of an attribute.
    """

    tensors: dict[str, Tensor]
    document: dict[str, Any]


NOTHING = ObjectStates({}, {"states": {}, "epochs": {}, "hidden": {}})


def read_objects(parts: LoaderParts) -> ObjectStates:
    """Read the states of all objects.

    Raises:
        InvalidTypeError: ``state-not-storable``.
    """
    tensors: dict[str, Tensor] = {}
    states: dict[str, Any] = {}
    for path, owner in parts.stateful.items():
        found, states[path] = to_tree(owner.state_dict(), path)
        tensors.update({f"{path}:{name}": tensor for name, tensor in found.items()})
    epochs = {path: int(sampler.epoch) for path, sampler in parts.distributed.items()}
    return ObjectStates(tensors, {"states": states, "epochs": epochs, "hidden": hidden_state(parts)})


def put_objects(parts: LoaderParts, states: ObjectStates) -> None:
    """Put the objects where they were found; those that stand there already are not touched.

    Raises:
        CheckpointError: ``loader-changed``, ``loader-drifted``, or ``checkpoint-damaged``.
    """
    then, here = states.document, read_objects(parts)
    if set(then["states"]) != set(parts.stateful):
        raise changed("objects with state_dict", sorted(then["states"]), sorted(parts.stateful))
    for path, tree in then["states"].items():
        own, current = (_of(path, found.tensors) for found in (states, here))
        if tree != here.document["states"][path] or not _equal(own, current):
            parts.stateful[path].load_state_dict(from_tree(own, tree, path))
    for path, epoch in then["epochs"].items():
        parts.distributed[path].set_epoch(epoch)
    hidden = hidden_state(parts)
    for path, value in then["hidden"].items():
        # What stands there on one side only was made on the way, such as a file that is opened late.
        if path in hidden and hidden[path] != value:
            numbers = isinstance(value, int | float) and f"was {value!r} and is {hidden[path]!r}"
            raise drifted(f"{path} {numbers or 'is not what it was'}")


def hidden_state(parts: LoaderParts) -> dict[str, Any]:
    """The numbers and texts, and digests of the lists and arrays, that stand in the plain objects.

    None, dicts and objects are left out: a cache that fills is no state.
    """
    found: dict[str, Any] = {}
    owners = {id(owner) for owner in parts.plain.values()}
    for path, owner in parts.plain.items():
        if isinstance(owner, list | tuple | np.ndarray | Tensor):
            found[path] = sample_digest(owner)
        for name, value in list(getattr(owner, "__dict__", {}).items()):
            if isinstance(value, list | tuple | np.ndarray | Tensor):
                # The rows that a sampler counts, and the sets of a set of sets, are parts themselves.
                if id(value) not in owners and f"{path}.{name}[0]" not in parts.plain:
                    found[f"{path}.{name}"] = sample_digest(value)
            elif isinstance(value, bool | int | float | str):
                found[f"{path}.{name}"] = repr(value) if isinstance(value, float) else value
    return found


def changed(name: str, then: object, now: object) -> CheckpointError:
    """The error for a loader that is another one."""
    return CheckpointError(
        "loader-changed",
        f"{name} was {then!r} and is {now!r}",
        expected="the loader that the training began with",
        where="loader",
        fix="Give the same data and settings, or begin a new training from the checkpoint's model",
    )


def drifted(came: str) -> CheckpointError:
    """The error for a loader that does not come to where it was."""
    return CheckpointError(
        "loader-drifted",
        came,
        expected="the batches that the training saw",
        where="loader",
        fix="Let whatever changes from epoch to epoch offer state_dict() and load_state_dict()",
    )


def _of(path: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{path}:"
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        value.dtype == other[name].dtype and torch.equal(value, other[name]) for name, value in one.items()
    )
