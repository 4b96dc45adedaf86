"""Training with this package's own ``fit``, over batches given in their order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from workbench import losses
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.instruments import (
    WeightDistance,
    seed_everything,
    switch_dropout_off,
    torch_threads,
    training_conditions,
)
from workbench.contenders.own.encode import OwnContender, open_own
from workbench.contenders.own.loss_values import loss_value
from workbench.contenders.train_contract import (
    LossPlan,
    OnEvaluate,
    OnStep,
    StepRecord,
    TrainingBatch,
    TrainOutcome,
    TrainPlan,
    batch_sha256,
    check_plan,
)
from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, UnknownNameError
from workbench.sentence_transformer import SentenceTransformer
from workbench.training.events import Event, Stepped


class FitRecorder:
    """Makes a ``StepRecord`` of each step that ``fit`` tells of. Hand ``hear`` to ``fit`` as ``progress``.

    Args:
        model: What is trained. Its collate method is listened to, so that the digest is of the texts that
            came, not of those that should have come.
        on_step: Told of every step.
    """

    def __init__(self, model: SentenceTransformer, on_step: OnStep | None) -> None:
        self.distance = WeightDistance(model)
        self._on_step = on_step
        self._batches: list[tuple[list[Any], list[Any] | None]] = []
        self._since = time.monotonic()
        collate = model.smart_batching_collate

        def listening(batch: Sequence[InputExample]) -> Any:
            labels = [row.label for row in batch]
            columns = list(zip(*(row.texts for row in batch), strict=True))
            self._batches.append((columns, None if all(label is None for label in labels) else labels))
            return collate(batch)

        model.smart_batching_collate = listening  # type: ignore[method-assign]

    def hear(self, event: Event) -> None:
        """Take an event of ``fit``."""
        if isinstance(event, Stepped) and self._on_step is not None:
            record = StepRecord(
                event.global_step,
                batch_sha256(self._batches),
                event.losses[0],
                event.learning_rates[0],
                event.gradient_norms[0],
                self.distance.now(),
                time.monotonic() - self._since,
            )
            self._on_step(record)
        if isinstance(event, Stepped):
            self._batches = []
        self._since = time.monotonic()


def train_own(
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
    """Train with ``SentenceTransformer.fit``; arguments and errors as ``Trains``."""
    check_plan(batches, plan, settings)
    with torch_threads(plan.threads):
        contender = open_own(paths, settings)
        model = contender.model
        if not plan.dropout:
            switch_dropout_off(model)
        seed_everything(plan.seed)
        loss = build_own_loss(plan.loss, model)
        recorder = FitRecorder(model, on_step)
        result = model.fit(
            [(_loader(batches, settings.prompt), loss)],
            evaluator=None if on_evaluate is None else _evaluator(contender, on_evaluate, plan),
            epochs=-(-plan.total_steps // plan.epoch_steps),
            steps_per_epoch=plan.epoch_steps,
            scheduler=plan.scheduler,
            warmup_steps=plan.warmup_steps,
            optimizer_params={"lr": plan.learning_rate},
            weight_decay=plan.weight_decay,
            evaluation_steps=plan.evaluation_steps,
            output_path=out,
            max_grad_norm=plan.max_grad_norm,
            show_progress_bar=False,
            seed=plan.seed,
            precision=plan.precision,
            gradient_accumulation_steps=plan.accumulation,
            packed=plan.packed,
            early_stopping_patience=plan.patience,
            progress=recorder.hear,
            stop=stop,
        )
        return TrainOutcome(
            result.status,
            result.output_path,
            result.global_step,
            result.seconds,
            result.best_score,
            recorder.distance.start,
            training_conditions(plan),
        )


def build_own_loss(plan: LossPlan, model: SentenceTransformer) -> nn.Module:
    """The named loss around a model.

    Raises:
        UnknownNameError: ``loss-unknown``, ``loss-function-unknown``.
        InvalidTypeError: ``loss-arguments``.
    """
    if plan.name not in losses.LOSSES:
        raise UnknownNameError("loss-unknown", repr(plan.name), expected=f"one of {', '.join(losses.LOSSES)}")
    arguments = {name: loss_value(plan.name, name, value) for name, value in plan.arguments.items()}
    if plan.inner is not None:
        arguments["loss"] = build_own_loss(plan.inner, model)
    kind: Callable[..., nn.Module] = losses.LOSSES[plan.name]
    try:
        return kind(model, **arguments)
    except TypeError as error:
        raise InvalidTypeError("loss-arguments", str(error)[:200], where=plan.name) from error


def _loader(batches: Sequence[TrainingBatch], prompt: str) -> DataLoader[Any]:
    rows: list[InputExample] = []
    order = []
    for batch in batches:
        first = len(rows)
        labels = batch.labels if batch.labels is not None else (None,) * len(batch.columns[0])
        for texts, label in zip(zip(*batch.columns, strict=True), labels, strict=True):
            rows.append(InputExample(texts=[prompt + text for text in texts], label=label))
        order.append(list(range(first, len(rows))))
    # Without a generator it would draw from torch's own, which dropout draws from.
    return DataLoader(rows, batch_sampler=order, generator=torch.Generator())  # type: ignore[arg-type]


def _evaluator(contender: OwnContender, ask: OnEvaluate, plan: TrainPlan) -> Callable[..., Any]:
    def evaluate(model: Any, output_path: Any = None, epoch: int = 0, steps: int = -1) -> float | None:
        within = plan.epoch_steps if steps < 0 else steps
        return ask(contender, epoch * plan.epoch_steps + within)

    return evaluate
