"""Labelled texts: all triplets of a batch that still break the margin."""

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


class BatchAllTripletLoss(nn.Module):
    """``max(0, d(a, p) - d(a, n) + margin)``, mean over the triplets where it is above 0.

    One column of texts and a class each, any whole number; ``p`` runs over the other rows of the class of
    ``a``, ``n`` over the rows of other classes.

    Args:
        model: The model that is trained.
        distance_metric: Rows ``(batch, dim)`` to distances ``(batch, batch)``.
        margin: By how much a negative has to be farther.
        gather_across_devices: Form the triplets from the rows of all processes.

    Source: sentence-transformers' loss of this name; Hermans et al., In Defense of the Triplet Loss for
    Person Re-Identification, https://arxiv.org/abs/1703.07737.
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
        rows, classes = gathered_rows(embeddings, labels, self.gather_across_devices, "BatchAllTripletLoss")
        distances = self.distance_metric(rows)
        same = classes[:, None] == classes[None, :]
        # One row a pair of a class, so that a batch of few repeats needs no cube.
        anchor, positive = (same & ~torch.eye(len(classes), dtype=torch.bool, device=same.device)).nonzero(
            as_tuple=True
        )
        broken_by = distances[anchor, positive].unsqueeze(1) - distances[anchor] + self.margin
        broken = broken_by[~same[anchor] & (broken_by > 1e-16)]
        return broken.sum() / max(1, len(broken))
