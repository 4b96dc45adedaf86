"""Training with sentence-transformers' own Trainer, optimizer and schedule, over batches in their order."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.huggingface import (
    FixedOrder,
    Recorder,
    rows_and_order,
    run_trainer,
    trainer_arguments,
)
from workbench.contenders.instruments import (
    seed_everything,
    switch_dropout_off,
    torch_threads,
    training_conditions,
)
from workbench.contenders.train_contract import (
    OnEvaluate,
    OnStep,
    TrainingBatch,
    TrainOutcome,
    TrainPlan,
    check_plan,
)
from workbench.contenders.upstream.encode import open_upstream
from workbench.contenders.upstream.losses import build_upstream_loss


class _OrderedTrainer(FixedOrder, SentenceTransformerTrainer):  # type: ignore[misc]
    """Upstream's Trainer with its batches given; the collate function is upstream's."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """No card: it would look the model up on the Hub."""


def train_upstream(
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
    """Train with ``SentenceTransformerTrainer``; arguments and errors as ``Trains``."""
    started = time.monotonic()
    check_plan(batches, plan, settings)
    with torch_threads(plan.threads), tempfile.TemporaryDirectory() as scratch:
        contender = open_upstream(paths, settings)
        model = contender.model
        if not plan.dropout:
            switch_dropout_off(model)
        seed_everything(plan.seed)
        loss = build_upstream_loss(plan.loss, model)
        arguments = trainer_arguments(SentenceTransformerTrainingArguments, plan, Path(scratch))

        def save(folder: Path) -> None:
            model.save(str(folder), create_model_card=False)

        recorder = Recorder("upstream", model, plan, contender, save, out, on_step, on_evaluate, stop)
        trainer = _OrderedTrainer(model=model, args=arguments, loss=loss)
        rows, order = rows_and_order(batches, settings.prompt)
        trainer.follow([(texts, label, _named(texts, label)) for texts, label in rows], order, recorder)
        run_trainer(trainer, "upstream")
        recorder.finish()
    return TrainOutcome(
        recorder.status,
        recorder.saved,
        recorder.steps,
        time.monotonic() - started,
        recorder.best_score,
        recorder.distance.start,
        training_conditions(plan, "sentence-transformers", "accelerate"),
    )


def _named(texts: tuple[str, ...], label: Any) -> dict[str, Any]:
    """A row as upstream's collate function takes it: columns in the order of the loss."""
    row: dict[str, Any] = {f"sentence_{place}": text for place, text in enumerate(texts)}
    return row if label is None else {**row, "label": label}
