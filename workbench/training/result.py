"""What a training leaves behind: every step's figures, every score, and the conditions."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import torch

from workbench.training.distributed import rank, world_size
from workbench.training.events import Evaluated, Stepped

Status = Literal["complete", "stopped early", "cancelled"]


@dataclass(frozen=True)
class Conditions:
    """Under what a training ran.

    Attributes:
        versions: Package → version.
        device: Of the model, such as ``"cpu"``.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
        threads: Of torch, within an operation.
        processes: That trained together.
        rank: This one among them.
        seed: None where none was set.
        packed: Whether columns ran in one pass without padding where the loss embeds them whole.
    """

    versions: dict[str, str]
    device: str
    precision: str
    threads: int
    processes: int
    rank: int
    seed: int | None
    packed: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """The outcome of ``fit``.

    Attributes:
        status: ``"complete"``; ``"stopped early"`` by patience; ``"cancelled"`` by ``stop``.
        steps: Every training step, those before a resume too.
        evaluations: Every call of the evaluator, those before a resume too.
        best_score: The highest defined score; None without one.
        global_step: Steps made.
        total_steps: Steps planned.
        steps_per_epoch: Steps an epoch.
        resumed_from: Step of the checkpoint it went on from; None for a fresh start.
        seconds: Of this call, evaluation and saving counted.
        output_path: Where the model was saved; None where it was not.
        checkpoint: Folder of the last checkpoint; None where there is none.
        notices: What was found, changed or skipped.
        conditions: Versions, device, threads, precision, seed.
    """

    status: Status
    steps: tuple[Stepped, ...]
    evaluations: tuple[Evaluated, ...]
    best_score: float | None
    global_step: int
    total_steps: int
    steps_per_epoch: int
    resumed_from: int | None
    seconds: float
    output_path: Path | None
    checkpoint: Path | None
    notices: tuple[str, ...]
    conditions: Conditions

    @property
    def losses(self) -> tuple[tuple[float, ...], ...]:
        """Loss of every step, one an objective."""
        return tuple(step.losses for step in self.steps)

    @property
    def learning_rates(self) -> tuple[tuple[float, ...], ...]:
        """Learning rate of every step, one an objective."""
        return tuple(step.learning_rates for step in self.steps)

    @property
    def scores(self) -> tuple[float | None, ...]:
        """Score of every evaluation."""
        return tuple(evaluation.score for evaluation in self.evaluations)


def conditions(device: torch.device, precision: str, seed: int | None, *, packed: bool = False) -> Conditions:
    """Read what this process runs on."""
    return Conditions(
        versions=versions(),
        device=str(device),
        precision=precision,
        threads=torch.get_num_threads(),
        processes=world_size(),
        rank=rank(),
        seed=seed,
        packed=packed,
    )


def versions() -> dict[str, str]:
    """Version of Python and of each package that numbers depend on."""
    packages = ("torch", "transformers", "tokenizers", "numpy")
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}
