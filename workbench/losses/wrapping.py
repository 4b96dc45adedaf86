"""What a loss around another needs of it: its model, its pure part, and how it embeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features


class InnerLoss(Protocol):
    """A loss of one model with a pure part.

    It may also have ``mini_batches``, how it embeds, and ``targets(sentence_features, labels)``, which makes
    what its pure part takes instead of labels.
    """

    @property
    def model(self) -> EmbeddingModel: ...

    @property
    def needs(self) -> DataNeeds: ...

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Any) -> Tensor: ...


def check_inner(loss: InnerLoss, model: EmbeddingModel, where: str) -> None:
    """Refuse a loss that cannot be wrapped.

    Raises:
        InvalidTypeError: It has no model of its own, or no pure part.
        InvalidValueError: It trains another model.
    """
    if not hasattr(loss, "model") or not hasattr(loss, "compute_loss_from_embeddings"):
        raise InvalidTypeError(
            "loss-not-wrappable",
            f"a {type(loss).__name__}",
            expected="a loss that compares the embeddings of one model, such as MultipleNegativesRankingLoss",
            where=f"{where}, loss",
        )
    if loss.model is not model:
        raise InvalidValueError(
            "loss-of-another-model",
            f"the {type(loss).__name__} was built with another model",
            fix="Build both with the same model",
            where=f"{where}, loss",
        )


def embeddings_for(loss: InnerLoss, columns: Sequence[Features]) -> list[Tensor]:
    """Embed every column the way the loss does."""
    mini_batches = getattr(loss, "mini_batches", None)
    if mini_batches is None:
        return embed_columns(loss.model, columns)
    embedded: list[Tensor] = mini_batches.embed_columns(loss.model, columns)
    return embedded


def targets_for(loss: InnerLoss, columns: Sequence[Features], labels: Tensor | None) -> Any:
    """What the pure part of the loss takes beside the embeddings: the labels, or what it makes itself."""
    targets = getattr(loss, "targets", None)
    return labels if targets is None else targets(columns, labels)
