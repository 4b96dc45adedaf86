"""The state of an optimizer as tensors and a document, and back exactly; that of schedules and scalers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from workbench.errors import CheckpointError, InvalidTypeError
from workbench.training.state_tree import from_tree, to_tree


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Take the state of any torch optimizer apart.

    Args:
        optimizer: The optimizer.

    Returns:
        Name → tensor, each of its own type, and a document with all else and the shape of every parameter.

    Raises:
        InvalidTypeError: ``state-not-storable``: a state that is no tensor, number, text, list or dict.
    """
    name = type(optimizer).__name__
    tensors, tree = to_tree(optimizer.state_dict(), name)
    return tensors, {"optimizer": name, "parameters": _shapes(optimizer), "state": tree}


def load_optimizer_state(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> None:
    """Put an optimizer where ``optimizer_state`` found it.

    Args:
        optimizer: One of the same class, over parameters of the same shapes in the same groups.
        tensors: As ``optimizer_state`` gave them.
        document: As ``optimizer_state`` gave it.

    Raises:
        CheckpointError: ``optimizer-mismatch``: another class, number of groups, or number, shape or type of
            parameters; ``checkpoint-damaged``.
    """
    name = type(optimizer).__name__
    if document.get("optimizer") != name:
        raise _mismatch(f"the state of {document.get('optimizer')}", name)
    _check_parameters(document.get("parameters"), _shapes(optimizer))
    state = from_tree(tensors, document.get("state"), name)
    try:
        optimizer.load_state_dict(state)
        saved = state["state"]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _mismatch(f"a state that {name} refuses: {error}"[:200], "a state of its own") from error
    _restore_types(optimizer, saved)


def plain_document(state: Mapping[str, Any], where: str) -> Any:
    """The state of a learning rate schedule or a gradient scaler as one document.

    Args:
        state: What its ``state_dict`` gave.
        where: Whose it is, for the message.

    Raises:
        InvalidTypeError: ``state-not-storable``.
    """
    tensors, tree = to_tree(dict(state), where)
    if tensors:
        raise InvalidTypeError(
            "state-not-storable",
            f"tensors: {', '.join(sorted(tensors))}",
            expected="numbers, texts, lists and dicts",
            where=where,
            fix="Give the learning rate as a number",
        )
    return tree


def plain_state(document: Any, where: str) -> dict[str, Any]:
    """What ``plain_document`` was given, for ``load_state_dict``.

    Raises:
        CheckpointError: ``checkpoint-damaged``.
    """
    state = from_tree({}, document, where)
    if not isinstance(state, dict):
        raise CheckpointError(
            "checkpoint-damaged", f"a {type(state).__name__}", expected="a dict", where=where
        )
    return state


def _shapes(optimizer: torch.optim.Optimizer) -> list[list[list[Any]]]:
    return [
        [
            [list(parameter.shape), str(parameter.dtype).removeprefix("torch.")]
            for parameter in group["params"]
        ]
        for group in optimizer.param_groups
    ]


def _check_parameters(saved: Any, here: list[list[list[Any]]]) -> None:
    if saved == here:
        return
    if not isinstance(saved, list) or [len(group) for group in saved] != [len(group) for group in here]:
        came, expected = (
            " + ".join(str(len(group)) for group in groups) if isinstance(groups, list) else "no"
            for groups in (saved, here)
        )
        raise _mismatch(f"a state of {came} parameters", f"{expected}, as the optimizer has here")
    for number, (old, new) in enumerate(zip(saved, here, strict=True)):
        for index, (then, now) in enumerate(zip(old, new, strict=True)):
            if then != now:
                raise _mismatch(
                    f"parameter {index} of group {number} was {tuple(then[0])} {then[1]}",
                    f"{tuple(now[0])} {now[1]}, as it is here",
                )


def _restore_types(optimizer: torch.optim.Optimizer, saved: Mapping[int, Any]) -> None:
    """Undo the cast of torch's ``load_state_dict``, which gives floats the type of their parameter."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, values in saved.items():
        here = optimizer.state[parameters[index]]
        for key, value in values.items() if isinstance(values, dict) else ():
            loaded = here.get(key)
            if isinstance(value, Tensor) and isinstance(loaded, Tensor) and loaded.dtype != value.dtype:
                here[key] = value.to(loaded.device)


def _mismatch(came: str, expected: str) -> CheckpointError:
    return CheckpointError(
        "optimizer-mismatch",
        came,
        expected=expected,
        where="optimizer",
        fix="Resume with the model, the loss and the optimizer that the training began with",
    )
