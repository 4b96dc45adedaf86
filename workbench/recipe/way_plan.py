"""From a prepared config to what every way is given: plan, batches, model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from workbench.compare.settings import settings_for
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.train_contract import LossPlan, TrainingBatch, TrainPlan
from workbench.losses import WRAPPERS
from workbench.models.folder import open_model
from workbench.persistence.source import hand_over
from workbench.recipe.build_loader import index_batches
from workbench.recipe.build_loss import halvings, loss_arguments
from workbench.recipe.config import LossConfig
from workbench.recipe.prepare import Prepared, loss_needs


def plan_of(prepared: Prepared, packed: bool = False) -> TrainPlan:
    """The plan that a prepared config is, the same for every way; ``packed`` for own alone."""
    config = prepared.config
    return TrainPlan(
        loss=_loss_plan(config.loss, prepared),
        total_steps=prepared.total_steps,
        steps_per_epoch=prepared.steps_per_epoch,
        learning_rate=config.learning_rate,
        scheduler=config.scheduler,
        warmup_steps=config.warmup_steps(prepared.total_steps),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        accumulation=config.gradient_accumulation_steps,
        dropout=config.dropout,
        precision=config.precision,
        seed=config.seed,
        device=str(prepared.model.device),
        threads=config.threads or torch.get_num_threads(),
        evaluation_steps=config.evaluation_steps,
        patience=config.early_stopping_patience,
        packed=packed,
    )


def batches_of(prepared: Prepared) -> list[TrainingBatch]:
    """The batches of the whole training in their order, epochs unrolled."""
    config, rows = prepared.config, prepared.examples.train
    wanted = prepared.total_steps * config.gradient_accumulation_steps
    # Where an epoch does not fill its last step, fit takes what is missing from the next pass.
    passes = -(-wanted // len(prepared.loader))
    order = index_batches(rows, loss_needs(config.loss), config.batch_size, config.seed, passes)
    return [_batch([rows[place] for place in places]) for places in order[:wanted]]


def start_model(prepared: Prepared, folder: Path) -> tuple[ModelPaths, Settings]:
    """Write the untrained model, changed modules and new layers with it, and admit it as any other."""
    prepared.model.save(folder)
    checked = open_model(hand_over(folder))
    settings = settings_for(checked, prompt="", device=str(prepared.model.device))
    threads = prepared.config.threads or torch.get_num_threads()
    return ModelPaths(checked.root, checked.encoder), replace(settings, threads=threads)


def _batch(rows: Sequence[Any]) -> TrainingBatch:
    columns = tuple(zip(*(row.texts for row in rows), strict=True))
    labels = tuple(row.label for row in rows)
    return TrainingBatch(columns, None if all(label is None for label in labels) else labels)


def _loss_plan(config: LossConfig, prepared: Prepared) -> LossPlan:
    """The loss with what ``build_loss`` adds to it: classes and dimensions."""
    known = loss_arguments(config.name)
    arguments: dict[str, Any] = dict(config.arguments)
    dim = prepared.model.get_sentence_embedding_dimension()
    if "num_labels" in known:
        arguments.setdefault("num_labels", prepared.examples.num_labels)
        arguments.setdefault("embedding_dimension", dim)
    if "matryoshka_dims" in known:
        arguments.setdefault("matryoshka_dims", halvings(dim))
    inner = None
    if config.name in WRAPPERS:
        inner = _loss_plan(config.inner or LossConfig(), prepared)
    return LossPlan(config.name, arguments, inner)
