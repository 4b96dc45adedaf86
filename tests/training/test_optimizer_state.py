"""Any optimizer goes on from its stored state as if it had never stopped; another one's is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from workbench.errors import CheckpointError, InvalidTypeError
from workbench.training.checkpoint import write_checkpoint
from workbench.training.optimizer_state import (
    load_optimizer_state,
    optimizer_state,
    plain_document,
    plain_state,
)

Make = Callable[[Any], torch.optim.Optimizer]


class WideMoments(torch.optim.Optimizer):
    """Keeps float32 states for parameters of any type, nested ones, and what is no tensor."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr, "betas": (0.9, None), "history": []})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        loss = closure()
        for group in self.param_groups:
            group["history"].append(float(loss.detach()))
            for parameter in group["params"]:
                state = self.state[parameter]
                moment = state.setdefault("moment", torch.zeros_like(parameter, dtype=torch.float32))
                moment.mul_(0.9).add_(parameter.grad.float())
                state["seen"] = [*state.get("seen", []), int(moment.numel())]
                with torch.no_grad():
                    parameter.sub_((group["lr"] * moment).to(parameter.dtype))


OPTIMIZERS: dict[str, Make] = {
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "AdamW tensor rate": lambda p: torch.optim.AdamW(p, lr=torch.tensor(0.01)),
    "Adam": lambda p: torch.optim.Adam(p, betas=(0.8, 0.99)),
    "NAdam": lambda p: torch.optim.NAdam(p),
    "RAdam": lambda p: torch.optim.RAdam(p),
    "Adamax": lambda p: torch.optim.Adamax(p),
    "Adadelta": lambda p: torch.optim.Adadelta(p),
    "Adagrad": lambda p: torch.optim.Adagrad(p),
    "Adafactor": lambda p: torch.optim.Adafactor(p),
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, centered=True, momentum=0.5),
    "Rprop": lambda p: torch.optim.Rprop(p),
    "ASGD": lambda p: torch.optim.ASGD(p),
    "LBFGS": lambda p: torch.optim.LBFGS([q for group in p for q in group["params"]], lr=0.1, max_iter=2),
    "own": lambda p: WideMoments(p),
}


def parameters(dtype: torch.dtype = torch.float32, shapes: Any = ((3, 4), (4,), ())) -> list[nn.Parameter]:
    source = torch.Generator().manual_seed(1)
    return [nn.Parameter(torch.randn(shape, generator=source).to(dtype)) for shape in shapes]


def groups(params: list[nn.Parameter]) -> Any:
    return [{"params": params[:1], "lr": 0.02}, {"params": params[1:], "weight_decay": 0.0}]


def train(optimizer: torch.optim.Optimizer, params: list[nn.Parameter], steps: int) -> None:
    def closure() -> Any:
        optimizer.zero_grad()
        loss = sum(((p.double() - 1) ** 2).sum() + p.double().sin().sum() for p in params)
        loss.backward()  # type: ignore[union-attr, no-untyped-call]
        return loss

    for _ in range(steps):
        optimizer.step(closure)


def store(optimizer: torch.optim.Optimizer, root: Path) -> tuple[Any, Any]:
    tensors, document = optimizer_state(optimizer)
    written = write_checkpoint(
        root, 1, save_model=Path.mkdir, tensors={"optimizer": tensors}, documents={"optimizer": document}
    )
    return written.tensors("optimizer"), written.document("optimizer")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_goes_on_as_if_it_had_not_stopped(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    make = OPTIMIZERS[name]
    params = parameters(dtype)
    optimizer = make(groups(params))
    train(optimizer, params, 3)
    middle = [p.detach().clone() for p in params]
    tensors, document = store(optimizer, tmp_path)

    later = [nn.Parameter(value.clone()) for value in middle]
    resumed = make(groups(later))
    load_optimizer_state(resumed, tensors, document)
    again, same_document = optimizer_state(resumed)
    assert same_document == document
    assert again.keys() == tensors.keys()
    for key, tensor in tensors.items():
        assert again[key].dtype == tensor.dtype, key
        assert torch.equal(again[key], tensor), key

    train(optimizer, params, 3)
    train(resumed, later, 3)
    assert all(map(torch.equal, params, later))
    assert any(not torch.equal(a, b) for a, b in zip(params, middle, strict=True))


def test_torchs_own_way_narrows_wide_moments() -> None:
    # What the restoring of types is for.
    params = parameters(torch.bfloat16)
    optimizer = WideMoments(params)
    train(optimizer, params, 2)
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.state[params[0]]["moment"].dtype == torch.bfloat16


def test_a_state_before_the_first_step(tmp_path: Path) -> None:
    tensors, document = store(torch.optim.AdamW(parameters()), tmp_path)
    load_optimizer_state(torch.optim.AdamW(parameters()), tensors, document)
    assert tensors == {}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: torch.optim.Adam(parameters()), id="class"),
        pytest.param(lambda: torch.optim.AdamW(parameters()[:2]), id="fewer"),
        pytest.param(lambda: torch.optim.AdamW(groups(parameters())), id="groups"),
        pytest.param(lambda: torch.optim.AdamW(parameters(shapes=((4, 3), (4,), ()))), id="shape"),
        pytest.param(lambda: torch.optim.AdamW(parameters(torch.float64)), id="type"),
    ],
)
def test_another_optimizer_is_refused_and_not_touched(other: Callable[[], torch.optim.Optimizer]) -> None:
    params = parameters()
    optimizer = torch.optim.AdamW(params)
    train(optimizer, params, 2)
    resumed = other()
    before = repr(resumed.state_dict())
    with pytest.raises(CheckpointError, match="optimizer-mismatch"):
        load_optimizer_state(resumed, *optimizer_state(optimizer))
    assert repr(resumed.state_dict()) == before


def test_a_document_that_is_none_is_refused() -> None:
    optimizer = torch.optim.AdamW(parameters())
    tensors, document = optimizer_state(optimizer)
    for wrong in ({}, {**document, "parameters": None}, {**document, "state": 3}, {**document, "state": {}}):
        with pytest.raises(CheckpointError):
            load_optimizer_state(optimizer, tensors, wrong)
    train(optimizer, optimizer.param_groups[0]["params"], 1)
    _, document = optimizer_state(optimizer)
    with pytest.raises(CheckpointError, match="checkpoint-damaged"):
        load_optimizer_state(optimizer, {}, document)


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], Any]] = {
    "LambdaLR": lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: 0.9**step),
    "OneCycleLR": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=20),
    "ReduceLROnPlateau": lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=1),
    "CosineAnnealingWarmRestarts": lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
}


def rates(optimizer: torch.optim.Optimizer, schedule: Any, steps: int) -> list[float]:
    found = []
    for step in range(steps):
        optimizer.step()
        plateau = isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau)
        schedule.step(1.0 + step) if plateau else schedule.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_goes_on(name: str) -> None:
    first, second = torch.optim.SGD(parameters(), lr=0.1), torch.optim.SGD(parameters(), lr=0.1)
    schedule, resumed = SCHEDULES[name](first), SCHEDULES[name](second)
    rates(first, schedule, 4)
    document = plain_document(schedule.state_dict(), "schedule")
    resumed.load_state_dict(plain_state(document, "schedule"))
    second.load_state_dict(first.state_dict())
    assert rates(second, resumed, 5) == rates(first, schedule, 5)


def test_a_scaler_goes_on() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    state = scaler.state_dict() | {"scale": math.inf}
    assert plain_state(plain_document(state, "scaler"), "scaler") == state
    disabled = torch.amp.GradScaler("cpu", enabled=False)
    assert plain_state(plain_document(disabled.state_dict(), "scaler"), "scaler") == {}


def test_a_plain_document_holds_no_tensors_and_is_a_dict() -> None:
    with pytest.raises(InvalidTypeError, match="state-not-storable"):
        plain_document({"rate": torch.tensor(0.1)}, "schedule")
    for wrong in (None, [], 3, {"$float": "inf"}):
        with pytest.raises(CheckpointError, match="checkpoint-damaged"):
            plain_state(wrong, "schedule")
