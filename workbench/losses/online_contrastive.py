"""The contrastive loss of the hard pairs of a batch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from workbench.losses.checks import binary_labels, check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.contrastive import SiameseDistanceMetric
from workbench.losses.gather import row_share
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features


class OnlineContrastiveLoss(nn.Module):
    """``Σ_hard positives d² + Σ_hard negatives max(0, margin - d)²``.

    A positive is hard where it is farther than the nearest negative of the batch, a negative where it is
    nearer than the farthest positive. Where a batch holds one kind alone, its mean distance is the bound.
    Two columns of sentences and a label a row: 1 for a similar pair, 0 for any other.

    Args:
        model: The model that is trained.
        distance_metric: ``d``: one of ``SiameseDistanceMetric``, or any function of two columns.
        margin: Distance beyond which a dissimilar pair is let be.
        gather_across_devices: Look for the hard pairs among the rows of all processes.

    Source: sentence-transformers' loss of this name.
    """

    needs = DataNeeds(("sentence1", "sentence2"), "binary", (0, 1))

    def __init__(
        self,
        model: EmbeddingModel,
        distance_metric: Callable[[Tensor, Tensor], Tensor] = SiameseDistanceMetric.COSINE_DISTANCE,
        margin: float = 0.5,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.distance_metric = distance_metric
        self.margin = margin
        self.gather_across_devices = gather_across_devices

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed both columns and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Not two columns, or not one label a row.
            InvalidValueError: No labels, or one that is neither 0 nor 1.
        """
        rows = check_columns(embeddings, self.needs, "OnlineContrastiveLoss")
        share = row_share(embeddings[0], self.gather_across_devices)
        similar = share.gather(binary_labels(labels, rows, "OnlineContrastiveLoss")).bool()
        distances = share.gather(self.distance_metric(*embeddings))
        near, far = distances[similar], distances[~similar]
        hard_near = near[near > (far.min() if len(far) else near.mean())]
        hard_far = far[far < (near.max() if len(near) else far.mean())]
        return hard_near.square().sum() + nn.functional.relu(self.margin - hard_far).square().sum()
