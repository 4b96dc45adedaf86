"""The one helper that holds a module of ours against upstream's: values and gradients, train and eval."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def assert_parity(
    ours: nn.Module,
    theirs: nn.Module,
    features: Mapping[str, Any],
    output: str = "sentence_embedding",
    tolerance: float = 0.0,
) -> None:
    """Assert that two modules of equal weights give equal outputs and equal gradients.

    Both run in train and in eval mode from the same random state. Gradients are taken of a random linear
    function of the output, towards every floating-point input but the mask and every parameter.

    Args:
        ours: The module under test.
        theirs: The reference; takes over the weights of ``ours``.
        features: The input; must not be changed by a forward pass.
        output: The feature that the modules set.
        tolerance: Largest absolute difference; 0 asks for equal bits (NaN equals NaN).
    """
    theirs.load_state_dict(ours.state_dict(), strict=True)
    for training in (True, False):
        results = [_run(module.train(training), features, output) for module in (ours, theirs)]
        (our_value, our_grads), (their_value, their_grads) = results
        assert our_value.dtype == their_value.dtype
        torch.testing.assert_close(our_value, their_value, rtol=0.0, atol=tolerance, equal_nan=True)
        assert our_grads.keys() == their_grads.keys()
        for name, grad in our_grads.items():
            torch.testing.assert_close(
                grad,
                their_grads[name],
                rtol=0.0,
                atol=tolerance,
                equal_nan=True,
                msg=lambda text, name=name: f"gradient of {name}: {text}",
            )


def write_config(folder: Path, config: Mapping[str, Any]) -> str:
    """Write ``config.json`` into a folder and give the folder as upstream's ``load`` takes it."""
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(folder)


def read_config(folder: Path) -> dict[str, Any]:
    """Read the ``config.json`` that upstream has written."""
    loaded: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return loaded


def _run(module: nn.Module, features: Mapping[str, Any], output: str) -> tuple[Tensor, dict[str, Tensor]]:
    leaves = {name: _leaf(value, name != "attention_mask") for name, value in features.items()}
    given = dict(leaves)
    torch.manual_seed(7)
    result = module(given)
    assert result is given, "the features go through the same dict"
    for name, value in features.items():
        if name != output:
            assert result[name] is leaves[name], f"{name} was replaced"
        _assert_unchanged(name, leaves[name], value)
    value = result[output]
    generator = torch.Generator().manual_seed(11)
    # Not all ones: their gradient through a normalisation would be close to zero.
    direction = torch.randn(value.shape, generator=generator).to(value.dtype)
    inputs = {name: leaf for key, item in leaves.items() for name, leaf in _named(key, item)}
    inputs |= dict(module.named_parameters())
    if not value.requires_grad:
        return value, {}
    grads = torch.autograd.grad(value, list(inputs.values()), direction, allow_unused=True)
    # An input that plays no part has no gradient in one graph and a gradient of zeros in another.
    return value.detach(), {
        name: torch.zeros_like(tensor) if grad is None else grad
        for (name, tensor), grad in zip(inputs.items(), grads, strict=True)
    }


def _leaf(value: Any, gradient: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(_leaf(item, gradient) for item in value)
    if not isinstance(value, Tensor):
        return value
    return value.detach().clone().requires_grad_(gradient and value.is_floating_point())


def _named(name: str, value: Any) -> list[tuple[str, Tensor]]:
    if isinstance(value, tuple):
        return [pair for index, item in enumerate(value) for pair in _named(f"{name}.{index}", item)]
    return [(name, value)] if isinstance(value, Tensor) and value.requires_grad else []


def _assert_unchanged(name: str, leaf: Any, before: Any) -> None:
    pairs = zip(leaf, before, strict=True) if isinstance(before, tuple) else [(leaf, before)]
    for now, then in pairs:
        if isinstance(then, Tensor):
            assert torch.equal(now.detach().nan_to_num(7.5), then.nan_to_num(7.5)), f"{name} was overwritten"
