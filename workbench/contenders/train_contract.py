"""The contract of a trainer: one admitted model, one list of batches, one plan, and a record a step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import ModelPaths, Settings
from workbench.errors import InvalidValueError

TrainPrecision = Literal["fp32", "bf16", "fp16"]
Status = Literal["complete", "stopped early", "cancelled"]


@dataclass(frozen=True)
class LossPlan:
    """A loss by its name and plain arguments.

    Attributes:
        name: As in ``losses.LOSSES``, which are upstream's names.
        arguments: Plain values; a function or a distance by its name.
        inner: The loss inside a wrapper; None for a loss that wraps none.
    """

    name: str = "MultipleNegativesRankingLoss"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inner: LossPlan | None = None


@dataclass(frozen=True, kw_only=True)
class TrainPlan:
    """Everything a training depends on beside its model and its batches, the same for every trainer.

    Attributes:
        loss: What is minimised.
        total_steps: Optimizer steps.
        steps_per_epoch: Optimizer steps of an epoch, at whose end is evaluated; 0 for one epoch.
        learning_rate: The full rate.
        scheduler: Classic name of the schedule, such as ``WarmupLinear``.
        warmup_steps: Steps in which the rate rises.
        weight_decay: Of all parameters but biases and layer norms, as each library tells them apart.
        max_grad_norm: Longer gradients are shortened to it; None leaves them.
        accumulation: Batches an optimizer step.
        dropout: False sets every dropout to zero.
        precision: Of the forward pass; weights stay in float32.
        seed: Of Python, numpy and torch.
        device: ``"cpu"``, ``"cuda"``.
        threads: Intra-op threads on the CPU.
        evaluation_steps: Evaluate also after so many steps of an epoch; 0 for its end alone.
        patience: Stop after so many evaluations without a better score; None never does.
        packed: Own alone: all columns of a batch in one pass without padding. The other trainers pad column
            by column; an own training beside them does it too, so that dropout draws the same numbers.
    """

    loss: LossPlan
    total_steps: int
    steps_per_epoch: int = 0
    learning_rate: float = 2e-5
    scheduler: str = "WarmupLinear"
    warmup_steps: int = 0
    weight_decay: float = 0.01
    max_grad_norm: float | None = 1.0
    accumulation: int = 1
    dropout: bool = True
    precision: TrainPrecision = "fp32"
    seed: int = 42
    device: str = "cpu"
    threads: int = 1
    evaluation_steps: int = 0
    patience: int | None = None
    packed: bool = False

    @property
    def epoch_steps(self) -> int:
        """Optimizer steps of an epoch."""
        return self.steps_per_epoch or self.total_steps

    def evaluates_after(self, step: int) -> bool:
        """Whether an evaluation follows a step, counted from 1."""
        within = step % self.epoch_steps
        return not within or bool(self.evaluation_steps and within % self.evaluation_steps == 0)


@dataclass(frozen=True)
class TrainingBatch:
    """The rows of one batch, by column.

    Attributes:
        columns: The texts of each column of the loss, as many in each.
        labels: One a row; None where the loss takes none.
    """

    columns: tuple[tuple[str, ...], ...]
    labels: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class StepRecord:
    """What one optimizer step came to.

    Attributes:
        step: Counted from 1.
        batch_sha256: Of the texts and labels as they reached the trainer, micro-batches together.
        loss: Mean over the micro-batches.
        learning_rate: What the step was made with.
        gradient_norm: Before clipping.
        weight_distance: Euclidean distance of all trained weights to where they began.
        seconds: What the step took.
    """

    step: int
    batch_sha256: str
    loss: float
    learning_rate: float
    gradient_norm: float
    weight_distance: float
    seconds: float


@dataclass(frozen=True)
class TrainOutcome:
    """What a training leaves behind.

    Attributes:
        status: ``"complete"``, ``"stopped early"`` by patience, or ``"cancelled"``.
        model_folder: The best model by the evaluations, the last one without them; None where it was
            cancelled before there was one.
        steps: Optimizer steps made.
        seconds: All of it, evaluation and saving counted.
        best_score: None where nothing was scored.
        start: Digest of each trained tensor before the first step, sorted.
        conditions: Versions, device, precision, threads, seed.
    """

    status: Status
    model_folder: Path | None
    steps: int
    seconds: float
    best_score: float | None
    start: tuple[str, ...]
    conditions: Mapping[str, Any]


class Encodes(Protocol):
    """The model in training, as an evaluation sees it."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One embedding a text, in the order given. Shape ``(texts, dim)``."""
        ...


OnStep = Callable[[StepRecord], None]
OnEvaluate = Callable[[Encodes, int], float | None]
"""Called with the model and the step; gives the score, higher is better, or None where it is undefined."""


class Trains(Protocol):
    """A library's training of an admitted model."""

    def __call__(
        self,
        paths: ModelPaths,
        settings: Settings,
        batches: Sequence[TrainingBatch],
        plan: TrainPlan,
        *,
        out: Path,
        on_step: OnStep | None = None,
        on_evaluate: OnEvaluate | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> TrainOutcome:
        """Train, and save the model into ``out``.

        Args:
            paths: The admitted copy of the model.
            settings: What the pipeline around it does.
            batches: In the order in which they are taken, epochs unrolled.
            plan: The rest.
            out: Folder of the saved model; new or empty.
            on_step: Told of every step.
            on_evaluate: Asked where the plan says so; its best score decides which model is saved.
            stop: Asked after each step; True ends the training.

        Raises:
            InvalidValueError: What this trainer does not offer, or batches that do not fill the plan.
            TrainingError: A loss, gradient or weight that is not finite; no such model is saved.
        """
        ...


def batch_sha256(batches: Sequence[tuple[Sequence[Sequence[str]], Sequence[Any] | None]]) -> str:
    """Digest of the columns of texts and the labels of some batches.

    Whole numbers and the same numbers as fractions have one digest: libraries hand them on differently.
    """
    plain = [
        [[list(column) for column in columns], None if labels is None else [_plain(row) for row in labels]]
        for columns, labels in batches
    ]
    return hashlib.sha256(json.dumps(plain, ensure_ascii=True).encode()).hexdigest()


def check_plan(batches: Sequence[TrainingBatch], plan: TrainPlan, settings: Settings) -> None:
    """Hold the batches to the plan, and the settings to what a saved model can carry.

    Raises:
        InvalidValueError: ``batches-do-not-fill-plan``, ``batch-columns``, ``setting-not-trainable``.
    """
    wanted = plan.total_steps * plan.accumulation
    if plan.total_steps < 1 or len(batches) != wanted or plan.total_steps % plan.epoch_steps:
        raise InvalidValueError(
            "batches-do-not-fill-plan",
            f"{len(batches)} batches for {plan.total_steps} steps in epochs of {plan.epoch_steps}",
            expected=f"{max(wanted, 1)}: {plan.accumulation} a step, at least one step, and whole epochs",
            where="batches",
        )
    for place, batch in enumerate(batches):
        rows = {len(column) for column in batch.columns}
        labelled = len(rows) == 1 and (batch.labels is None or len(batch.labels) in rows)
        if not labelled or 0 in rows or len(batch.columns) != len(batches[0].columns):
            raise InvalidValueError(
                "batch-columns",
                f"{len(batch.columns)} columns of {sorted(rows)} rows",
                expected="as many columns in every batch, with as many rows in each and a label a row",
                where=f"batch {place}",
            )
    if not settings.use_mask or settings.precision != "float32" or settings.lowercase is not None:
        raise InvalidValueError(
            "setting-not-trainable",
            f"use_mask={settings.use_mask}, precision={settings.precision!r}, lowercase={settings.lowercase}",
            expected="the mask, float32 weights and the tokenizer's own casing",
            fix="State the precision of the forward pass in the plan",
            where="settings",
        )


def _plain(label: Any) -> Any:
    values = np.asarray(label, dtype=np.float64)
    return values.tolist()
