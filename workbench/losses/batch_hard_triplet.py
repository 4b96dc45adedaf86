"""Labelled texts: the farthest of the same label nearer than the nearest of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns, class_labels
from workbench.losses.columns import embed_columns
from workbench.losses.gather import row_share
from workbench.losses.needs import DataNeeds
from workbench.losses.precision import precise
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import cos_sim
from workbench.util.tensor import as_float

LABELLED_TEXTS = DataNeeds(("text",), "class", grouped_labels=True)


class BatchHardTripletLossDistanceFunction:
    """Distances of every row to every row."""

    @staticmethod
    def cosine_distance(embeddings: Tensor) -> Tensor:
        """``1 - cos``. Shape ``(batch, batch)``."""
        return 1 - precise(cos_sim, embeddings, embeddings)

    @staticmethod
    def euclidean_distance(embeddings: Tensor, squared: bool = False) -> Tensor:
        """``|u - v|``, or its square. Shape ``(batch, batch)``. The gradient at distance 0 is 0."""
        # Under half precision |u|² - 2uv + |v|² would be mostly rounding.
        with torch.autocast(embeddings.device.type, enabled=False):
            wide = as_float(embeddings)
            products = wide @ wide.T
        lengths = products.diagonal()
        squares = (lengths[None, :] - 2.0 * products + lengths[:, None]).clamp(min=0)
        if squared:
            return squares
        apart = squares > 0
        return torch.where(apart, squares.where(apart, squares.new_ones(())).sqrt(), 0.0)

    # The classic spelling.
    eucledian_distance = euclidean_distance


def hardest_distances(distances: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The farthest positive and the nearest negative of every row.

    Args:
        distances: Shape ``(batch, batch)``.
        labels: Shape ``(batch,)``.

    Returns:
        Two tensors ``(batch,)``. A row without a positive has 0 there; one without a negative has the
        distance of its farthest row.
    """
    same = labels[:, None] == labels[None, :]
    other_rows = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    farthest = distances.where(same & other_rows, 0.0).max(dim=1).values
    nearest = distances.where(~same, torch.inf).min(dim=1).values
    return farthest, nearest.where(nearest.isfinite(), distances.max(dim=1).values)


def gathered_rows(
    embeddings: list[Tensor], labels: Tensor | None, gather_across_devices: bool, where: str
) -> tuple[Tensor, Tensor]:
    """The one column of a labelled batch and its labels, of all processes where asked for.

    Returns:
        Shapes ``(batch, dim)`` and ``(batch,)``.

    Raises:
        ShapeMismatchError: More than one column, or not one label a row.
        InvalidTypeError: Labels that are no whole numbers.
        InvalidValueError: No labels.
    """
    rows = check_columns(embeddings, LABELLED_TEXTS, where)
    share = row_share(embeddings[0], gather_across_devices)
    return share.gather(embeddings[0]), share.gather(class_labels(labels, rows, where))


class BatchHardTripletLoss(nn.Module):
    """``max(0, max_p d(a, p) - min_n d(a, n) + margin)``, mean over the rows ``a``.

    One column of texts and a class each, any whole number; ``p`` runs over the other rows of the row's class,
    ``n`` over those of other classes. A batch should hold several rows of each class.

    Args:
        model: The model that is trained.
        distance_metric: Rows ``(batch, dim)`` to distances ``(batch, batch)``.
        margin: By how much the nearest negative has to be farther.
        gather_across_devices: Look among the rows of all processes.

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
        rows, classes = gathered_rows(embeddings, labels, self.gather_across_devices, "BatchHardTripletLoss")
        farthest, nearest = hardest_distances(self.distance_metric(rows), classes)
        return (farthest - nearest + self.margin).clamp(min=0).mean()
