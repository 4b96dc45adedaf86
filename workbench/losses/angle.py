"""Pairs ranked by their labels, compared by an angle in complex space."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns, row_labels
from workbench.losses.columns import embed_columns
from workbench.losses.cosent import order_loss
from workbench.losses.gather import RowShare, row_share
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import pairwise_angle_sim


class AnglELoss(nn.Module):
    """``log(1 + Σ exp(s (sim_i - sim_j)))`` over pairs with ``label_i < label_j``, ``sim`` being AnglE.

    Two columns of sentences and a score a row; only the order of the scores matters. With further columns of
    negatives each pair of a first sentence and a negative joins as a row of label ``1 - label``, and without
    labels all pairs are taken for positives (1) and all negatives for 0.

    Args:
        model: The model that is trained.
        scale: ``s``, the inverse of a temperature.
        gather_across_devices: Compare with the rows of all processes.

    Source: sentence-transformers' loss of this name; Li and Li, AnglE-optimized Text Embeddings,
    https://arxiv.org/abs/2309.12871.
    """

    needs = DataNeeds(("sentence1", "sentence2", "negative*"), "score")

    def __init__(
        self, model: EmbeddingModel, scale: float = 20.0, *, gather_across_devices: bool = False
    ) -> None:
        super().__init__()
        self.model = model
        self.scale = scale
        self.gather_across_devices = gather_across_devices

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed every column and rank; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns or more, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Fewer than two columns, or not one label a row.
            InvalidValueError: No labels for a pair.
        """
        rows = check_columns(embeddings, self.needs, "AnglELoss")
        first, *others = embeddings
        if labels is None and len(others) > 1:
            labels = first.new_ones(rows)
        similar = row_labels(labels, rows, "AnglELoss")
        scores = pairwise_angle_sim(first.repeat(len(others), 1), torch.cat(others))
        negatives = [1 - similar.int() if similar.dtype == torch.bool else 1 - similar] * (len(others) - 1)
        share = row_share(first, self.gather_across_devices)
        # A process brings every column of its rows.
        pairs = RowShare(tuple(size * len(others) for size in share.sizes), share.rank)
        return order_loss(scores, torch.cat([similar, *negatives]), self.scale, pairs)
