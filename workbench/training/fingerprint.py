"""What the numbers of a training depend on, so that a resume under other conditions is noticed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from workbench.models.protocols import TrainableModel
from workbench.training.collate import Loader
from workbench.training.data_checks import dataset_rows
from workbench.training.digest import data_fingerprint
from workbench.training.distributed import world_size
from workbench.training.objective import Objective
from workbench.training.result import versions
from workbench.training.settings import FitSettings


def fingerprint(
    objectives: Sequence[Objective],
    model: TrainableModel,
    settings: FitSettings,
    steps_per_epoch: int,
    packed: bool,
) -> dict[str, Any]:
    """Name → value, flat, of what a JSON file can hold.

    Settings that only watch, such as the evaluator and the bar, are not in it.
    """
    facts: dict[str, Any] = {
        "epochs": settings.epochs,
        "steps_per_epoch": steps_per_epoch,
        "scheduler": settings.scheduler.lower(),
        "warmup_steps": settings.warmup_steps,
        "optimizer": settings.optimizer_class.__name__,
        "optimizer_params": {name: _plain(value) for name, value in settings.optimizer_params.items()},
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "precision": settings.precision_on(model.device),
        "packed": packed,
        "gradient_accumulation_steps": settings.gradient_accumulation_steps,
        "seed": settings.seed,
        "threads": torch.get_num_threads(),
        "processes": world_size(),
        "device": model.device.type,
        "max_seq_length": model.max_seq_length,
        "versions": versions(),
    }
    for number, objective in enumerate(objectives):
        facts[f"loss {number}"] = loss_facts(objective.loss)
        facts[f"batches {number}"] = loader_facts(objective.loader)
        # Reading rows may have effects of its own; without checkpoints nobody compares them.
        compared = settings.checkpoint_path is not None or settings.resumes
        facts[f"data {number}"] = data_fingerprint(objective.loader) if compared else None
    # As a JSON file gives it back, so that what is compared is what was stored.
    return dict(json.loads(json.dumps(facts)))


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between two fingerprints, one line each."""
    lines = []
    for name in sorted(then.keys() | now.keys()):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            lines += [f"{name}, {line}" for line in differences(before, after)]
        else:
            lines.append(f"{name}: {_short(before)} then, {_short(after)} now")
    return lines


def loss_facts(loss: nn.Module) -> dict[str, Any]:
    """Class and plain arguments of a loss, and of the losses in it."""
    facts: dict[str, Any] = {"class": type(loss).__name__}
    for name, value in sorted(vars(loss).items()):
        if not name.startswith("_") and name not in ("training", "needs"):
            facts[name] = _plain(value)
    for name, child in loss.named_children():
        if hasattr(child, "needs"):
            facts[name] = loss_facts(child)
    return facts


def loader_facts(loader: Loader) -> dict[str, Any]:
    """How a loader makes its batches."""
    return {
        "class": type(loader).__name__,
        "batch_size": _plain(getattr(loader, "batch_size", None)),
        "drop_last": _plain(getattr(loader, "drop_last", None)),
        "workers": _plain(getattr(loader, "num_workers", None)),
        "sampler": type(getattr(loader, "sampler", None)).__name__,
        "batch_sampler": type(getattr(loader, "batch_sampler", None)).__name__,
        "rows": dataset_rows(loader),
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    # A repr may hold an address, which differs in every process.
    return getattr(value, "__name__", type(value).__name__)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
