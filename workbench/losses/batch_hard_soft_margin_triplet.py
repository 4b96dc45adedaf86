"""Labelled texts: the farthest positive nearer than the nearest negative, without a margin to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from workbench.losses.batch_hard_triplet import (
    LABELLED_TEXTS,
    BatchHardTripletLossDistanceFunction,
    gathered_rows,
    hardest_distances,
)
from workbench.losses.columns import embed_columns
from workbench.models.protocols import EmbeddingModel, Features


class BatchHardSoftMarginTripletLoss(nn.Module):
    """``log(1 + exp(max_p d(a, p) - min_n d(a, n)))``, mean over the rows ``a``.

    One column of texts and a class each, any whole number, as for ``BatchHardTripletLoss``.

    Args:
        model: The model that is trained.
        distance_metric: Rows ``(batch, dim)`` to distances ``(batch, batch)``.
        gather_across_devices: Look among the rows of all processes.

    Source: sentence-transformers' loss of this name; Hermans et al., https://arxiv.org/abs/1703.07737.
    """

    needs = LABELLED_TEXTS

    def __init__(
        self,
        model: EmbeddingModel,
        distance_metric: Callable[[Tensor], Tensor] = BatchHardTripletLossDistanceFunction.euclidean_distance,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.distance_metric = distance_metric
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
        where = "BatchHardSoftMarginTripletLoss"
        rows, classes = gathered_rows(embeddings, labels, self.gather_across_devices, where)
        farthest, nearest = hardest_distances(self.distance_metric(rows), classes)
        return nn.functional.softplus(farthest - nearest).mean()
