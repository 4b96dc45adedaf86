"""Embeddings that stay good when they are cut short: another loss at several lengths."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.losses.mini_batches import MiniBatches
from workbench.losses.needs import DataNeeds
from workbench.losses.wrapping import InnerLoss, check_inner, embeddings_for, targets_for
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.checks import require_count

_WHERE = "MatryoshkaLoss"


class MatryoshkaLoss(nn.Module):
    """``Σ_d w_d · loss(first d components, scaled to unit length)``.

    Data as the loss inside needs it. A teacher's embedding as label is cut to the same length.

    Args:
        model: The model that is trained.
        loss: A loss of the same model.
        matryoshka_dims: The lengths ``d``, the model's own among them, if it shall stay good too.
        matryoshka_weights: ``w_d``; 1 each by default.
        n_dims_per_step: Draw so many lengths a step with Python's ``random``; -1 for all.

    Raises:
        InvalidValueError: No length or one beyond the model's, another number of weights, a loss of another
            model, or a number of lengths a step that is neither -1 nor 1 and more.
        InvalidTypeError: A loss that does not compare the embeddings of one model.

    Source: sentence-transformers' loss of this name; Kusupati et al., Matryoshka Representation Learning,
    https://arxiv.org/abs/2205.13147.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        loss: InnerLoss,
        matryoshka_dims: Sequence[int],
        matryoshka_weights: Sequence[float] | None = None,
        n_dims_per_step: int = -1,
    ) -> None:
        super().__init__()
        check_inner(loss, model, _WHERE)
        full = model.get_sentence_embedding_dimension()
        dims = [require_count(dim, "matryoshka_dims", at_most=full) for dim in matryoshka_dims]
        weights = [1.0] * len(dims) if matryoshka_weights is None else list(matryoshka_weights)
        if not dims or len(weights) != len(dims):
            raise InvalidValueError(
                "matryoshka-dims",
                f"{len(dims)} dimensions and {len(weights)} weights",
                expected="at least one dimension, and a weight each",
                where=_WHERE,
            )
        if n_dims_per_step != -1:
            require_count(n_dims_per_step, "n_dims_per_step")
        self.model = model
        self.loss = loss
        ordered = sorted(zip(dims, weights, strict=True), key=lambda pair: pair[0], reverse=True)
        self.matryoshka_dims = tuple(dim for dim, _ in ordered)
        self.matryoshka_weights = tuple(weight for _, weight in ordered)
        self.n_dims_per_step = n_dims_per_step

    @property
    def needs(self) -> DataNeeds:
        """What the loss inside needs."""
        return self.loss.needs

    @property
    def mini_batches(self) -> MiniBatches | None:
        """How the loss inside embeds."""
        return getattr(self.loss, "mini_batches", None)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed every column once and compare at every length."""
        columns = list(sentence_features)
        embeddings = embeddings_for(self.loss, columns)
        return self.compute_loss_from_embeddings(embeddings, self.targets(columns, labels))

    def targets(self, sentence_features: Sequence[Features], labels: Tensor | None) -> Any:
        """What the pure part of the loss inside takes beside the embeddings."""
        return targets_for(self.loss, sentence_features, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Any) -> Tensor:
        """The weighted sum of the loss inside over the lengths.

        Args:
            embeddings: Shape ``(batch, dim)`` each.
            labels: As the loss inside takes them.

        Raises:
            ShapeMismatchError: Embeddings shorter than a length.
        """
        if embeddings and embeddings[0].shape[-1] < self.matryoshka_dims[0]:
            raise ShapeMismatchError(
                "embedding-dimension",
                f"embeddings of shape {tuple(embeddings[0].shape)}",
                expected=f"at least {self.matryoshka_dims[0]} dimensions",
                where=_WHERE,
            )
        losses = []
        for index in self._drawn():
            dim = self.matryoshka_dims[index]
            cut = [nn.functional.normalize(column[..., :dim], dim=-1) for column in embeddings]
            # A label of another kind is no embedding, whatever its shape.
            wanted = labels[..., :dim] if self.needs.labels == "vector" and labels is not None else labels
            losses.append(
                self.matryoshka_weights[index] * self.loss.compute_loss_from_embeddings(cut, wanted)
            )
        return torch.stack(losses).sum()

    def _drawn(self) -> list[int]:
        """Which lengths this step takes, longest first."""
        every = range(len(self.matryoshka_dims))
        if not 0 < self.n_dims_per_step < len(every):
            return list(every)
        return sorted(random.sample(every, self.n_dims_per_step))
