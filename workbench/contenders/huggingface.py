"""Hugging Face's Trainer made to take given batches in a given order, and to tell the truth of every step.

The optimizer, the schedule, the clipping and the loop stay the library's. Added are the order of the batches
and a callback that reads: by default a loss that is not a number is logged as 0.0 and the training completes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback

from workbench.contenders.instruments import (
    WeightDistance,
    refuse_broken_weights,
    refuse_not_finite,
    undisturbed_torch,
)
from workbench.contenders.train_contract import (
    Encodes,
    OnEvaluate,
    OnStep,
    Status,
    StepRecord,
    TrainingBatch,
    TrainPlan,
    batch_sha256,
)
from workbench.errors import InvalidValueError, TrainingError, UnknownNameError, WorkbenchError

Row = tuple[tuple[str, ...], Any]
"""The texts of one row, and its label; None without one."""

# Classic name in lower case → the library's. Both count optimizer steps.
_SCHEDULES = {
    "constantlr": "constant",
    "warmupconstant": "constant_with_warmup",
    "warmuplinear": "linear",
    "warmupcosine": "cosine",
    "warmupcosinewithhardrestarts": "cosine_with_restarts",
}


def trainer_arguments(kind: Callable[..., Any], plan: TrainPlan, scratch: Path) -> Any:
    """The arguments of a Trainer that follow a plan, write nothing, ask no network and report to no one.

    Raises:
        InvalidValueError: ``device-not-offered``, ``precision-needs-a-gpu``.
        UnknownNameError: ``scheduler-unknown``.
    """
    if plan.device not in ("cpu", "cuda", "cuda:0"):
        raise InvalidValueError(
            "device-not-offered", repr(plan.device), expected="cpu or cuda", where="device"
        )
    on_cpu = plan.device == "cpu"
    if plan.precision == "fp16" and on_cpu:
        raise InvalidValueError(
            "precision-needs-a-gpu", "fp16 on the CPU", expected="fp32 or bf16 there", where="precision"
        )
    schedule = find_schedule(plan.scheduler)
    arguments = kind(
        output_dir=str(scratch),
        max_steps=plan.total_steps,
        gradient_accumulation_steps=plan.accumulation,
        learning_rate=plan.learning_rate,
        lr_scheduler_type=schedule,
        warmup_steps=plan.warmup_steps,
        weight_decay=plan.weight_decay,
        # The Trainer's word for no clipping.
        max_grad_norm=0.0 if plan.max_grad_norm is None else plan.max_grad_norm,
        seed=plan.seed,
        bf16=plan.precision == "bf16",
        fp16=plan.precision == "fp16",
        use_cpu=on_cpu,
        logging_strategy="steps",
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        push_to_hub=False,
    )
    if not on_cpu:
        # More than one would be trained by DataParallel, which is another training.
        arguments._n_gpu = 1
    return arguments


def find_schedule(name: str) -> str:
    """The library's name of a classic schedule.

    Raises:
        UnknownNameError: ``scheduler-unknown``.
    """
    found = _SCHEDULES.get(name.lower())
    if found is None:
        raise UnknownNameError("scheduler-unknown", repr(name), expected=f"one of {', '.join(_SCHEDULES)}")
    return found


def rows_and_order(batches: Sequence[TrainingBatch], prompt: str) -> tuple[list[Row], list[list[int]]]:
    """All rows in one list, and the places of each batch's rows in it."""
    rows: list[Row] = []
    order = []
    for batch in batches:
        first = len(rows)
        labels = batch.labels if batch.labels is not None else (None,) * len(batch.columns[0])
        for texts, label in zip(zip(*batch.columns, strict=True), labels, strict=True):
            rows.append((tuple(prompt + text for text in texts), label))
        order.append(list(range(first, len(rows))))
    return rows, order


class Recorder(TrainerCallback):  # type: ignore[misc]
    """Reads what a Trainer does and tells it step by step; it changes nothing but when to stop.

    Args:
        name: Of the trainer, for messages.
        model: Whose weights are trained.
        plan: Where to evaluate, and when to stop.
        encoder: The same model as something that encodes.
        save: Writes the model into an empty folder.
        out: Where the best model goes.
        on_step, on_evaluate, stop: See ``Trains``.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        plan: TrainPlan,
        encoder: Encodes,
        save: Callable[[Path], None],
        out: Path,
        on_step: OnStep | None,
        on_evaluate: OnEvaluate | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.name, self.model, self.plan, self.encoder = name, model, plan, encoder
        self._save, self._out = save, out
        self._on_step, self._on_evaluate, self._stop = on_step, on_evaluate, stop
        self.distance = WeightDistance(model)
        self.status: Status = "complete"
        self.best_score: float | None = None
        self.saved: Path | None = None
        self.steps = 0
        self._waited = 0
        self._loss = 0.0
        self._batches: list[tuple[list[tuple[str, ...]], list[Any] | None]] = []
        self._since = time.monotonic()

    def saw_rows(self, rows: Sequence[Row]) -> None:
        """A batch on its way to the tokenizer."""
        labels = [label for _, label in rows]
        columns = list(zip(*(texts for texts, _ in rows), strict=True))
        self._batches.append((columns, None if all(label is None for label in labels) else labels))

    def saw_loss(self, part: torch.Tensor) -> None:
        """The loss of a batch, divided by the batches a step, as the Trainer descends it."""
        self._loss += float(part)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self._since = time.monotonic()

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Refuse what is not finite before it reaches the weights."""
        refuse_not_finite(self._loss, "loss", self.steps + 1, self.name)
        if self.plan.precision != "fp16":
            norms = [
                parameter.grad.norm() for parameter in self.model.parameters() if parameter.grad is not None
            ]
            total = float(torch.stack(norms).sum()) if norms else 0.0
            refuse_not_finite(total, "gradient", self.steps + 1, self.name)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> Any:
        """A step's figures, then the evaluation and the question whether to stop."""
        if not logs or "loss" not in logs:
            return control
        self.steps += 1
        record = StepRecord(
            self.steps,
            batch_sha256(self._batches),
            self._loss,
            float(logs["learning_rate"]),
            float(logs["grad_norm"]),
            self.distance.now(),
            time.monotonic() - self._since,
        )
        self._batches, self._loss = [], 0.0
        if self._on_step is not None:
            self._on_step(record)
        if self._on_evaluate is not None and self.plan.evaluates_after(self.steps):
            self._evaluate(self._on_evaluate)
        if self.status == "complete" and self.steps < self.plan.total_steps and self._stop and self._stop():
            self.status = "cancelled"
        control.should_training_stop |= self.status != "complete"
        self._since = time.monotonic()
        return control

    def finish(self) -> None:
        """Save the last model where no evaluation chose one.

        Raises:
            TrainingError: ``weights-not-finite``.
        """
        refuse_broken_weights(self.model, self.steps, self.name)
        if self.best_score is None and self.status != "cancelled":
            self._keep()

    def _evaluate(self, ask: OnEvaluate) -> None:
        with undisturbed_torch():
            self.model.eval()
            score = ask(self.encoder, self.steps)
        if score is not None and (self.best_score is None or score > self.best_score):
            self.best_score, self._waited = score, 0
            self._keep()
            return
        self._waited += 1
        if self.plan.patience is not None and self._waited >= self.plan.patience:
            self.status = "stopped early"

    def _keep(self) -> None:
        refuse_broken_weights(self.model, self.steps, self.name)
        _replace(self._out, self._save)
        self.saved = self._out


class FixedOrder(Trainer):  # type: ignore[misc]
    """A Trainer whose batches come in a given order."""

    rows: list[Any]
    order: list[list[int]]
    recorder: Recorder

    def follow(self, rows: list[Any], order: list[list[int]], recorder: Recorder) -> None:
        """Set what is trained on; call it before ``train``."""
        self.rows, self.order, self.recorder = rows, order, recorder
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        self.add_callback(recorder)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The batches as they were given; the collate function is the Trainer's own."""

        def collate(rows: list[Any]) -> Any:
            self.recorder.saw_rows([(row[0], row[1]) for row in rows])
            return self.data_collator([row[2] if len(row) > 2 else row for row in rows])

        # Without a generator it would draw from torch's own, which dropout draws from.
        return DataLoader(
            self.rows,  # type: ignore[arg-type]
            batch_sampler=self.order,
            collate_fn=collate,
            generator=torch.Generator(),
        )

    def training_step(self, *given: Any, **named: Any) -> torch.Tensor:
        """The library's own, with its loss read on the way."""
        loss: torch.Tensor = super().training_step(*given, **named)
        self.recorder.saw_loss(loss)
        return loss


def run_trainer(trainer: Any, name: str) -> None:
    """Let a Trainer train; what it raises becomes a coded error.

    Raises:
        TrainingError: ``trainer-failed``, or what the recorder found.
    """
    try:
        trainer.train()
    except WorkbenchError:
        raise
    except Exception as error:
        raise TrainingError(
            "trainer-failed",
            f"{type(error).__name__}: {str(error)[:300]}",
            expected="a training that ends",
            fix="Check that the loss fits the columns and labels",
            where=name,
        ) from error


def _replace(target: Path, save: Callable[[Path], None]) -> None:
    """Write a model beside its place and put it there once it is whole; an older one goes afterwards."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".saving-") as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        save(new)
        if target.exists():
            target.rename(old)
        new.rename(target)
