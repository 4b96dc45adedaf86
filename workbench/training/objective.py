"""One objective: a loader and a loss, the optimizer that trains it, and one step of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError, TrainingError
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import TrainableModel
from workbench.training.collate import (
    Batch,
    Loader,
    count_tokens,
    plain_batches,
    read_batch,
    rows_of,
    to_device,
)
from workbench.training.data_checks import batch_teaches, check_tensors, examples_of, needs_of
from workbench.training.distributed import average, average_gradients
from workbench.training.loader_state import ReplayedLoader
from workbench.training.row_gradients import RowGradients
from workbench.training.rows import check_rows
from workbench.training.settings import Precision

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Objective:
    """A loader and a loss on their way through a training.

    Attributes:
        name: For messages, such as ``"objective 0 (CosineSimilarityLoss)"``.
        loader: The user's, as it is.
        replayed: The same, able to say and to take up where it stands.
        loss: Called with features and labels.
        optimizer: Over the loss's parameters.
        rates: Full learning rate of each group.
        scheduled: Steps that the schedule has counted; a step skipped in fp16 is not.
        batches: Batches taken.
        without_signal: Those of them from which nothing could be learnt, and the last reason.
    """

    name: str
    loader: Loader
    replayed: ReplayedLoader
    loss: nn.Module
    optimizer: torch.optim.Optimizer
    rates: tuple[float, ...]
    scheduled: int = 0
    batches: int = 0
    without_signal: int = 0
    reason: str = ""
    iterator: Iterator[Any] | None = None
    needs: DataNeeds | None = field(init=False)
    checked_whole: bool = field(init=False)

    def __post_init__(self) -> None:
        self.needs = needs_of(self.loss)
        self.checked_whole = bool(examples_of(self.loader))

    def start_epoch(self) -> Iterator[Any]:
        """A new pass over the loader."""
        with plain_batches(self.loader):
            self.iterator = self.replayed.start_epoch()
        return self.iterator


@dataclass(frozen=True)
class StepFigures:
    """What one optimizer step came to; see `events.Stepped`."""

    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int


def next_batch(objective: Objective, model: TrainableModel, where: str) -> Batch:
    """The next batch on the model's device; a loader that is through begins anew.

    Raises:
        InvalidValueError: ``no-batches``: a pass without a batch.
        WorkbenchError: Rows that the loss cannot use.
    """
    iterator = objective.iterator or objective.start_epoch()
    item = next(iterator, None)
    if item is None:
        item = next(objective.start_epoch(), None)
    if item is None:
        raise InvalidValueError(
            "no-batches", "the loader gave no batch", expected="at least one", where=objective.name
        )
    rows = rows_of(item)
    place = f"{objective.name}, {where}"
    if rows is None:
        features, labels = read_batch(item, place)
        if objective.needs is not None:
            check_tensors(features, labels, objective.needs, place)
    else:
        if objective.needs is not None and not objective.checked_whole:
            check_rows(rows, objective.needs, place)
        features, labels = model.smart_batching_collate(rows)
    _note_signal(objective, features, labels, len(rows) if rows is not None else _rows(features))
    return to_device((features, labels), model.device)


def train_step(
    objective: Objective,
    model: TrainableModel,
    scaler: torch.amp.GradScaler,
    *,
    row_gradients: RowGradients,
    precision: Precision,
    micro_batches: int,
    max_grad_norm: float | None,
    where: str,
) -> StepFigures:
    """One optimizer step: the gradients of some micro-batches, averaged over the processes, clipped, applied.

    Args:
        objective: Its learning rate is set already.
        model: That is trained.
        scaler: Enabled in fp16 only.
        row_gradients: How the vocabulary's gradient comes.
        precision: Of the forward pass.
        micro_batches: Batches whose mean loss is descended.
        max_grad_norm: Longer gradients are shortened to it; None leaves them.
        where: Epoch and step, for messages.

    Raises:
        TrainingError: ``loss-not-finite``, ``gradient-not-finite``: before anything was changed.
    """
    total: Tensor | None = None
    tokens = 0
    for _ in range(micro_batches):
        features, labels = next_batch(objective, model, where)
        tokens += count_tokens(features)
        with (
            row_gradients.collected(),
            torch.autocast(
                model.device.type, dtype=_TYPES.get(precision, torch.bfloat16), enabled=precision != "fp32"
            ),
        ):
            loss = _one_number(objective.loss(features, labels), objective.name)
        part = loss / micro_batches if micro_batches > 1 else loss
        torch.autograd.backward(scaler.scale(part))
        total = part.detach() if total is None else total + part.detach()
    average_gradients(objective.loss.parameters())
    scaler.unscale_(objective.optimizer)
    assert total is not None
    longest = math.inf if max_grad_norm is None else max_grad_norm
    with row_gradients.clipped(objective.loss.parameters(), longest) as norm:
        # One transfer for both: each would wait for the device.
        value, length = torch.stack([average(total).float(), norm.float()]).tolist()
        place = f"{objective.name}, {where}"
        _refuse_not_finite(value, "loss", place)
        if not scaler.is_enabled():
            _refuse_not_finite(length, "gradient", place)
        rate = float(objective.optimizer.param_groups[0]["lr"])
        before = scaler.get_scale()
        scaler.step(objective.optimizer)
        scaler.update()
        objective.optimizer.zero_grad()
    # A scaler that met an overflow skips the step and lowers its scale; the schedule waits with it.
    if scaler.get_scale() >= before:
        objective.scheduled += 1
    return StepFigures(value, rate, length, tokens)


def _note_signal(
    objective: Objective, features: list[dict[str, Any]], labels: Tensor | None, rows: int
) -> None:
    objective.batches += 1
    reason = batch_teaches(objective.loss, objective.needs, len(features), labels, rows)
    if reason is not None:
        objective.without_signal += 1
        objective.reason = reason


def _rows(features: list[dict[str, Any]]) -> int:
    ids = features[0].get("input_ids")
    return len(ids) if isinstance(ids, Tensor) and ids.ndim == 2 else 2


def _one_number(loss: Any, name: str) -> Tensor:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        came = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise InvalidTypeError("loss-not-a-number", came, expected="a tensor with one number", where=name)
    if not loss.requires_grad:
        raise InvalidValueError(
            "loss-without-gradient",
            "the loss does not depend on any parameter that is trained",
            expected="a loss through which gradients flow",
            fix="Build the loss with the model that is trained, and do not detach its embeddings",
            where=name,
        )
    return loss.reshape(())


def _refuse_not_finite(value: float, what: str, where: str) -> None:
    if not math.isfinite(value):
        raise TrainingError(
            f"{what}-not-finite",
            f"the {what} is {value}; the weights are those of the step before",
            expected="a finite number",
            fix="Lower the learning rate or lengthen the warm-up, and look for damaged rows in the data",
            where=where,
        )
