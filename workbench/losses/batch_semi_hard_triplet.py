"""Labelled texts: every positive against the nearest negative that lies beyond it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.losses.batch_hard_triplet import (
    LABELLED_TEXTS,
    BatchHardTripletLossDistanceFunction,
    gathered_rows,
)
from workbench.losses.columns import embed_columns
from workbench.models.protocols import EmbeddingModel, Features


class BatchSemiHardTripletLoss(nn.Module):
    """``max(0, d(a, p) - d(a, n) + margin)``, mean over all pairs ``a, p`` of one class.

    ``n`` is the nearest row of another class that is farther from ``a`` than ``p``; where all are nearer, the
    farthest of them; where there is none, the nearest row of all. One column of texts and a class each, any
    whole number.

    Args:
        model: The model that is trained.
        distance_metric: Rows ``(batch, dim)`` to distances ``(batch, batch)``.
        margin: By how much the negative has to be farther.
        gather_across_devices: Look among the rows of all processes.

    Source: sentence-transformers' loss of this name; Schroff et al., FaceNet,
    https://arxiv.org/abs/1503.03832.
    """

    needs = LABELLED_TEXTS

    def __init__(
        self,
        model: EmbeddingModel,
        distance_metric: Callable[[Tensor], Tensor] = BatchHardTripletLossDistanceFunction.euclidean_distance,
        margin: float = 5,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.distance_metric = distance_metric
        self.margin = margin
        self.gather_across_devices = gather_across_devices

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed the column and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of one column of embeddings, ``(batch, dim)``, and classes ``(batch,)``.

        Raises:
            ShapeMismatchError: More than one column, or not one label a row.
            InvalidTypeError: Labels that are no whole numbers.
            InvalidValueError: No labels.
        """
        where = "BatchSemiHardTripletLoss"
        rows, classes = gathered_rows(embeddings, labels, self.gather_across_devices, where)
        distances = self.distance_metric(rows)
        same = classes[:, None] == classes[None, :]
        pairs = same & ~torch.eye(len(classes), dtype=torch.bool, device=same.device)
        broken_by = (distances - _semi_hard(distances, same) + self.margin).clamp(min=0)
        return broken_by[pairs].sum() / max(1, int(pairs.sum()))


def _semi_hard(distances: Tensor, same: Tensor) -> Tensor:
    """Distance of ``i`` to its semi-hard negative, where ``j`` is the positive. Shape ``(batch, batch)``."""
    negatives = distances.where(~same, torch.inf).sort(dim=1).values
    with torch.no_grad():
        beyond = torch.searchsorted(negatives, distances.contiguous(), right=True)
    outside = negatives.gather(1, beyond.clamp(max=len(same) - 1))
    farthest = distances.where(~same, -torch.inf).max(dim=1, keepdim=True).values
    inside = farthest.where(farthest.isfinite(), distances.min(dim=1, keepdim=True).values)
    return torch.where(outside.isfinite(), outside, inside)
