"""A positive nearer than a negative, by a margin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import pairwise_cos_sim, pairwise_euclidean_sim, pairwise_manhattan_sim


class TripletDistanceMetric(Enum):
    """Distances of row ``i`` of one column to row ``i`` of another; call one with both columns."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    MANHATTAN = "manhattan"

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Distances. Shape ``(batch,)``."""
        return _DISTANCES[self](first, second)


_DISTANCES: dict[TripletDistanceMetric, Callable[[Tensor, Tensor], Tensor]] = {
    TripletDistanceMetric.COSINE: lambda first, second: 1 - pairwise_cos_sim(first, second),
    TripletDistanceMetric.EUCLIDEAN: lambda first, second: -pairwise_euclidean_sim(first, second),
    TripletDistanceMetric.MANHATTAN: lambda first, second: -pairwise_manhattan_sim(first, second),
}


class TripletLoss(nn.Module):
    """``max(0, d(a, p) - d(a, n) + margin)``, mean over rows.

    Columns of anchors, positives and negatives; no labels.

    Args:
        model: The model that is trained.
        distance_metric: ``d``: one of ``TripletDistanceMetric``, or any function of two columns.
        triplet_margin: By how much the negative has to be farther.

    Source: sentence-transformers' loss of this name; Hermans et al., In Defense of the Triplet Loss for
    Person Re-Identification, https://arxiv.org/abs/1703.07737.
    """

    needs = DataNeeds(("anchor", "positive", "negative"))

    def __init__(
        self,
        model: EmbeddingModel,
        distance_metric: Callable[[Tensor, Tensor], Tensor] = TripletDistanceMetric.EUCLIDEAN,
        triplet_margin: float = 5,
    ) -> None:
        super().__init__()
        self.model = model
        self.distance_metric = distance_metric
        self.triplet_margin = triplet_margin

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed the three columns and compare; labels are not looked at."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of anchors, positives and negatives, ``(batch, dim)`` each.

        Raises:
            ShapeMismatchError: Not three columns of one shape.
        """
        check_columns(embeddings, self.needs, "TripletLoss")
        anchor, positive, negative = embeddings
        near, far = self.distance_metric(anchor, positive), self.distance_metric(anchor, negative)
        return nn.functional.relu(near - far + self.triplet_margin).mean()
