"""An optimizer for a loss, its groups of parameters, and the learning rate of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from workbench.errors import InvalidTypeError, InvalidValueError

# The classic list, matched as part of a parameter's name.
_NO_DECAY = ("bias", "LayerNorm.bias", "LayerNorm.weight")
# Arguments by which a user chooses between torch's forms of an optimizer.
_FORMS = frozenset(("foreach", "fused", "capturable", "differentiable"))


def parameter_groups(loss: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters of a loss, its model's among them, in a group with decay and one without.

    Biases and layer norms are not decayed. Parameters of the loss itself, such as a classifier, are trained
    like the model's. Frozen parameters stay in, so that the groups do not depend on when they were frozen.

    Source: sentence-transformers' ``fit``.
    """
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in loss.named_parameters():
        (plain if any(part in name for part in _NO_DECAY) else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def build_optimizer(
    loss: nn.Module,
    optimizer_class: type[torch.optim.Optimizer],
    optimizer_params: Mapping[str, Any],
    weight_decay: float,
) -> torch.optim.Optimizer:
    """The optimizer of one objective.

    Args:
        loss: Whose parameters are trained.
        optimizer_class: Any class that takes groups of parameters first.
        optimizer_params: Its other arguments.
        weight_decay: Of the parameters that are decayed.

    Raises:
        InvalidValueError: ``nothing-to-train``, or the class refuses a value.
        InvalidTypeError: ``optimizer-arguments``: the class does not take these arguments.
    """
    groups = parameter_groups(loss, weight_decay)
    chosen = {**optimizer_params, **_fused(optimizer_class, optimizer_params, groups)}
    if not any(parameter.requires_grad for group in groups for parameter in group["params"]):
        raise InvalidValueError(
            "nothing-to-train",
            f"{type(loss).__name__} has no parameter that is trained",
            expected="a loss that was built with the model",
            fix="Build the loss with this model, and leave some parameters unfrozen",
            where="fit",
        )
    try:
        return optimizer_class(groups, **chosen)
    except (TypeError, ValueError) as error:
        kind = InvalidTypeError if isinstance(error, TypeError) else InvalidValueError
        raise kind(
            "optimizer-arguments",
            f"{optimizer_class.__name__} refused {dict(optimizer_params)}: {error}",
            expected="a class of torch.optim, and arguments that it takes",
            where="fit, optimizer_params",
        ) from error


def _fused(
    optimizer_class: type[torch.optim.Optimizer],
    optimizer_params: Mapping[str, Any],
    groups: Sequence[Mapping[str, Any]],
) -> dict[str, bool]:
    """torch's one-pass form of AdamW where the user chose no form: the same formula, a third of the time."""
    if optimizer_class is not torch.optim.AdamW or _FORMS & optimizer_params.keys():
        return {}
    parameters = [parameter for group in groups for parameter in group["params"]]
    fits = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)
    return {"fused": True} if fits else {}


def base_rates(optimizer: torch.optim.Optimizer) -> tuple[float, ...]:
    """The full learning rate of each group."""
    return tuple(float(group["lr"]) for group in optimizer.param_groups)


def set_rates(optimizer: torch.optim.Optimizer, rates: tuple[float, ...], factor: float) -> None:
    """Give each group its full rate times the schedule's factor."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate * factor)
        else:
            group["lr"] = rate * factor
