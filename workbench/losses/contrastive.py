"""Similar pairs together, others apart by a margin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

import torch.nn.functional as F
from torch import Tensor, nn

from workbench.losses.checks import binary_labels, check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features


class SiameseDistanceMetric(Enum):
    """Distances of row ``i`` of one column to row ``i`` of another; call one with both columns."""

    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"
    COSINE_DISTANCE = "cosine_distance"

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances. Shape ``(batch,)``."""
        return _DISTANCES[self](first, second)


_DISTANCES: dict[SiameseDistanceMetric, Callable[[Tensor, Tensor], Tensor]] = {
    SiameseDistanceMetric.EUCLIDEAN: lambda first, second: F.pairwise_distance(first, second, p=2),
    SiameseDistanceMetric.MANHATTAN: lambda first, second: F.pairwise_distance(first, second, p=1),
    SiameseDistanceMetric.COSINE_DISTANCE: lambda first, second: 1 - F.cosine_similarity(first, second),
}


class ContrastiveLoss(nn.Module):
    """``½ (y d² + (1 - y) max(0, margin - d)²)`` with ``d = d(u, v)``, mean or sum over rows.

    Two columns of sentences and a label a row: 1 for a similar pair, 0 for any other.

    Args:
        model: The model that is trained.
        distance_metric: ``d``: one of ``SiameseDistanceMetric``, or any function of two columns.
        margin: Distance beyond which a dissimilar pair is let be.
        size_average: Mean over the rows; False for the sum.

    Source: sentence-transformers' loss of this name; Hadsell et al., Dimensionality Reduction by Learning an
    Invariant Mapping, 2006, https://doi.org/10.1109/CVPR.2006.100.
    """

    needs = DataNeeds(("sentence1", "sentence2"), "binary", (0, 1))

    def __init__(
        self,
        model: EmbeddingModel,
        distance_metric: Callable[[Tensor, Tensor], Tensor] = SiameseDistanceMetric.COSINE_DISTANCE,
        margin: float = 0.5,
        size_average: bool = True,
    ) -> None:
        super().__init__()
        self.model = model
        self.distance_metric = distance_metric
        self.margin = margin
        self.size_average = size_average

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed both columns and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Not two columns, or not one label a row.
            InvalidValueError: No labels, or one that is neither 0 nor 1.
        """
        rows = check_columns(embeddings, self.needs, "ContrastiveLoss")
        similar = binary_labels(labels, rows, "ContrastiveLoss")
        distances = self.distance_metric(*embeddings)
        together = similar * distances.square()
        apart = (1 - similar) * F.relu(self.margin - distances).square()
        losses = 0.5 * (together + apart)
        return losses.mean() if self.size_average else losses.sum()
