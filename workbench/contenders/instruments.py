"""The instruments that every training is measured with: seeds, dropout, distances, digests, conditions.

They measure and they set conditions; no formula of a model or a loss is in here, so that the manual
reference may use them and stay independent of what it checks.
"""

from __future__ import annotations

import hashlib
import math
import platform
import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.contenders.train_contract import TrainPlan
from workbench.errors import TrainingError

# Dropout that attention modules keep as a number, under the names that libraries use.
_RATES = ("attention_dropout", "attention_probs_dropout_prob", "dropout_prob")


class WeightDistance:
    """How far the trained weights of a model have come since this was made.

    Attributes:
        start: Digest of each tensor at the beginning, sorted: names differ between libraries.
    """

    def __init__(self, model: nn.Module) -> None:
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._pairs = [(parameter, parameter.detach().clone()) for parameter in trained]
        self.start = tuple(sorted(_digest(first) for _, first in self._pairs))

    def now(self) -> float:
        """The Euclidean distance, summed in float64."""
        total = 0.0
        with torch.no_grad():
            for parameter, first in self._pairs:
                moved = (parameter.detach() - first).double()
                total += float(moved.square().sum())
        return math.sqrt(total)


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def switch_dropout_off(model: nn.Module) -> None:
    """Set every dropout of a model to zero, those kept as a number too."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name in _RATES:
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Give torch ``count`` intra-op threads within a block, then what it had before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def undisturbed_torch() -> Iterator[None]:
    """Let an evaluation draw random numbers without changing which ones the training draws."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        yield


def refuse_not_finite(value: float, what: str, step: int, trainer: str) -> None:
    """Stop a training whose loss or gradient is not a number.

    Raises:
        TrainingError: ``loss-not-finite``, ``gradient-not-finite``.
    """
    if not math.isfinite(value):
        raise TrainingError(
            f"{what}-not-finite",
            f"the {what} is {value} at step {step}",
            expected="a finite number",
            fix="Lower the learning rate or lengthen the warm-up, and look for damaged rows in the data",
            where=trainer,
        )


def refuse_broken_weights(model: nn.Module, step: int, trainer: str) -> None:
    """Stop before a model with NaN or infinity in it is saved.

    Raises:
        TrainingError: ``weights-not-finite``.
    """
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise TrainingError(
                "weights-not-finite",
                f"{name} is not finite after step {step}; nothing was saved",
                expected="finite weights",
                fix="Lower the learning rate",
                where=trainer,
            )


def training_conditions(plan: TrainPlan, *packages: str) -> dict[str, Any]:
    """Under what a training ran: versions, device, precision, threads, seed."""
    names = ("torch", "transformers", "tokenizers", "numpy", *packages)
    return {
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in names}},
        "device": plan.device,
        "precision": plan.precision,
        "threads": plan.threads,
        "seed": plan.seed,
    }


def _digest(tensor: torch.Tensor) -> str:
    data = tensor.detach().cpu().contiguous()
    return hashlib.sha256(data.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()[:16]
