"""The schedules against the curves of Transformers, and the groups of parameters against a plain reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import example, given
from hypothesis import strategies as st

from tests.training.small import cosine, model_of
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.training.optimizers import build_optimizer, parameter_groups
from workbench.training.schedules import SCHEDULES, Span, find_schedule

ORACLES: dict[str, Any] = {
    "ConstantLR": lambda o, w, t: transformers.get_constant_schedule(o),
    "WarmupConstant": lambda o, w, t: transformers.get_constant_schedule_with_warmup(o, w),
    "WarmupLinear": transformers.get_linear_schedule_with_warmup,
    "WarmupCosine": transformers.get_cosine_schedule_with_warmup,
    "WarmupCosineWithHardRestarts": transformers.get_cosine_with_hard_restarts_schedule_with_warmup,
}


@pytest.mark.parametrize("name", ORACLES)
@example(0, 1)
@example(10, 10)
@given(st.integers(0, 30), st.integers(1, 40))
def test_a_schedule_is_that_of_its_name(name: str, warmup: int, total: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    oracle = ORACLES[name](optimizer, warmup, total)
    own = find_schedule(name)
    for step in range(total + 3):
        assert own(step, Span(warmup, total)) == pytest.approx(oracle.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        oracle.step()


def test_every_schedule_is_compared_and_an_unknown_one_is_refused() -> None:
    assert {name.lower() for name in ORACLES} == set(SCHEDULES)
    with pytest.raises(UnknownNameError, match="warmuplinear"):
        find_schedule("linear")


def test_biases_and_layer_norms_are_not_decayed(still: Path) -> None:
    model = model_of(still)
    loss = cosine(model)
    decayed, plain = parameter_groups(loss, 0.25)
    names = {id(parameter): name for name, parameter in loss.named_parameters()}
    assert decayed["weight_decay"] == 0.25 and plain["weight_decay"] == 0.0
    assert all(names[id(p)].endswith("weight") and "LayerNorm" not in names[id(p)] for p in decayed["params"])
    assert all(names[id(p)].endswith("bias") or "LayerNorm" in names[id(p)] for p in plain["params"])
    assert len(decayed["params"]) + len(plain["params"]) == len(names)


def test_what_an_optimizer_refuses_is_told(still: Path) -> None:
    model = model_of(still)
    loss = cosine(model)
    with pytest.raises(InvalidTypeError, match=r"AdamW refused .*correct_bias.*\[optimizer-arguments\]"):
        build_optimizer(loss, torch.optim.AdamW, {"correct_bias": False}, 0.0)
    with pytest.raises(InvalidValueError, match="optimizer-arguments"):
        build_optimizer(loss, torch.optim.AdamW, {"lr": -1.0}, 0.0)
    for parameter in loss.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(InvalidValueError, match="nothing-to-train"):
        build_optimizer(loss, torch.optim.AdamW, {}, 0.0)
