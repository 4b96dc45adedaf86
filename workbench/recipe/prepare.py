"""From a config to the living parts of a training: examples, model, loss, loader and evaluator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from workbench.contenders.instruments import seed_everything
from workbench.errors import UnknownNameError
from workbench.evaluation.evaluator import SentenceEvaluator
from workbench.losses import WRAPPERS
from workbench.losses.needs import DataNeeds
from workbench.recipe.build_evaluator import build_evaluator
from workbench.recipe.build_loader import build_loader
from workbench.recipe.build_loss import build_loss, loss_class
from workbench.recipe.build_model import build_model
from workbench.recipe.config import LossConfig, TrainingConfig
from workbench.recipe.examples import Examples
from workbench.recipe.read_examples import load_examples
from workbench.sentence_transformer import SentenceTransformer
from workbench.training.schedules import find_schedule


@dataclass(frozen=True)
class Prepared:
    """A training that can begin.

    Attributes:
        config: What it was made from.
        examples: Train, dev and test parts, and what was found about the data.
        model: What is trained.
        loss: Around ``model``.
        loader: Gives the batches.
        evaluator: Chooses the best model; None where the last one is taken.
        epochs: Passes; 1 where ``max_steps`` cuts the training short.
        steps_per_epoch: Optimizer steps of a pass.
    """

    config: TrainingConfig
    examples: Examples
    model: SentenceTransformer
    loss: nn.Module
    loader: DataLoader[Any]
    evaluator: SentenceEvaluator | None
    epochs: int
    steps_per_epoch: int

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole training."""
        return self.epochs * self.steps_per_epoch


def prepare(config: TrainingConfig) -> Prepared:
    """Read the data, load the model, and check that the parts fit each other.

    Raises:
        WorkbenchError: Whatever does not fit, before anything is trained.
    """
    find_schedule(config.scheduler)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    needs = loss_needs(config.loss)
    examples = load_examples(config.data, needs, config.seed)
    evaluator = build_evaluator(config.evaluator, examples.dev)
    loader = build_loader(examples.train, needs, config.batch_size, config.seed)
    # New layers are drawn alike, whatever ran before.
    seed_everything(config.seed)
    model = build_model(config.model, device=config.device, dropout=config.dropout)
    loss = build_loss(config.loss, model, examples.num_labels)
    steps = -(-len(loader) // config.gradient_accumulation_steps)
    epochs = config.epochs
    if 0 < config.max_steps < steps * epochs:
        epochs, steps = 1, config.max_steps
    return Prepared(config, examples, model, loss, loader, evaluator, epochs, steps)


def loss_needs(config: LossConfig) -> DataNeeds:
    """What a loss asks of the data, before it is built.

    Raises:
        UnknownNameError: ``loss-unknown``.
    """
    named = (config.inner or LossConfig()) if config.name in WRAPPERS else config
    needs = getattr(loss_class(named.name), "needs", None)
    if not isinstance(needs, DataNeeds):
        raise UnknownNameError("loss-unknown", repr(named.name), expected="a loss that wraps no other")
    return needs
