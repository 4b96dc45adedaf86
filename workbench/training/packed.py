"""Whether a training can run its columns in one pass without padding, found out before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from workbench.encoding.confirm import confirmed
from workbench.encoding.engine import Engine
from workbench.models.packed_columns import padded_because, step_forward
from workbench.models.protocols import TrainableModel
from workbench.models.transformer import Transformer
from workbench.training.row_gradients import RowGradients, row_gradients


def choose_packed(model: TrainableModel, wanted: bool) -> tuple[bool, str]:
    """Whether columns run packed, and where that was wanted and cannot be, why not.

    Args:
        model: Its mode is as it was afterwards.
        wanted: What the settings say.
    """
    if not wanted:
        return False, ""
    modules = list(model)
    reason = padded_because(modules)
    first: Any = modules[0]
    # The library's own encoder from the first step on: a checkpoint needs it, and what comes after a resume
    # must be computed by the same parts.
    if not reason and not _confirmed(first, first.auto_model):
        reason = "the probe found the packed pass different from the plain one"
    return not reason, reason


def row_gradients_of(model: TrainableModel, losses: Sequence[nn.Module]) -> RowGradients:
    """How the gradient of the model's vocabulary comes; see `row_gradients`."""
    first: Any = model[0]
    trained = [p for loss in losses for p in loss.parameters() if p.requires_grad]
    return row_gradients(first.auto_model, trained)


def _confirmed(first: Transformer, encoder: nn.Module) -> bool:
    training = first.training
    first.eval()
    try:
        return confirmed(first, Engine("float32", lambda batch: step_forward(encoder, batch)))
    finally:
        first.train(training)
