"""What a training tells while it runs: one frozen event a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Started:
    """The training begins, or goes on.

    Attributes:
        total_steps: Optimizer steps of the whole training.
        steps_per_epoch: Optimizer steps of an epoch.
        epochs: Epochs.
        first_step: Steps that lie behind already; above 0 where it was resumed.
        objectives: Name of each objective's loss.
        notices: What was found and changed before the first step.
    """

    total_steps: int
    steps_per_epoch: int
    epochs: int
    first_step: int
    objectives: tuple[str, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Stepped:
    """One training step: one optimizer step of every objective.

    Attributes:
        epoch: Counted from 0.
        step: In the epoch, counted from 1.
        global_step: In the training, counted from 1.
        losses: One an objective; the mean over micro-batches and processes.
        learning_rates: One an objective, of its first group of parameters: what this step was made with.
        gradient_norms: One an objective, before clipping. Infinite where the step was skipped, which
            happens in fp16.
        tokens: Real tokens of this process's batches.
        tokens_per_second: Over the last steps, in this process.
        seconds_left: Until the last step, evaluation not counted.
    """

    epoch: int
    step: int
    global_step: int
    losses: tuple[float, ...]
    learning_rates: tuple[float, ...]
    gradient_norms: tuple[float, ...]
    tokens: int
    tokens_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class Evaluated:
    """The evaluator was asked.

    Attributes:
        epoch: Counted from 0.
        step: In the epoch; -1 at its end.
        global_step: Steps made so far.
        score: The primary metric; None where it is undefined.
        metrics: All metrics by name.
        best: Whether this is the best score so far.
        seconds: What it took.
    """

    epoch: int
    step: int
    global_step: int
    score: float | None
    metrics: dict[str, float | None]
    best: bool
    seconds: float


@dataclass(frozen=True)
class CheckpointSaved:
    """A checkpoint is whole and on the disk.

    Attributes:
        global_step: Steps made so far.
        folder: Where it lies.
    """

    global_step: int
    folder: Path


@dataclass(frozen=True)
class Finished:
    """The last event of a training that ended without an error.

    Attributes:
        status: ``"complete"``, ``"stopped early"`` or ``"cancelled"``.
        global_step: Steps made.
        seconds: Of this call, evaluation and saving counted.
        best_score: None where there was no defined score.
    """

    status: str
    global_step: int
    seconds: float
    best_score: float | None


Event = Started | Stepped | Evaluated | CheckpointSaved | Finished
Progress = Callable[[Event], None]
