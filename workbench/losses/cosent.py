"""Pairs ranked by their labels: every two of them in the right order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns, row_labels
from workbench.losses.columns import embed_columns
from workbench.losses.gather import RowShare, row_share
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import pairwise_cos_sim
from workbench.util.tensor import as_float


class CoSENTLoss(nn.Module):
    """``log(1 + Σ exp(s (sim_i - sim_j)))`` over all pairs of rows with ``label_i < label_j``.

    Two columns of sentences and a score a row. Only the order of the scores matters, so that any scale will
    do; a batch of equal scores teaches nothing.

    Args:
        model: The model that is trained.
        scale: ``s``, the inverse of a temperature.
        similarity_fct: Two columns ``(batch, dim)`` to ``(batch,)``; the cosine.
        gather_across_devices: Compare with the rows of all processes.

    Source: sentence-transformers' loss of this name; Huang et al., CoSENT: Consistent Sentence Embedding via
    Similarity Ranking, 2024, https://doi.org/10.1109/TASLP.2024.3402087.
    """

    needs = DataNeeds(("sentence1", "sentence2"), "score")

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = pairwise_cos_sim,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.scale = scale
        self.similarity_fct = similarity_fct
        self.gather_across_devices = gather_across_devices

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed both columns and rank; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Not two columns, or not one label a row.
            InvalidValueError: No labels.
        """
        rows = check_columns(embeddings, self.needs, "CoSENTLoss")
        share = row_share(embeddings[0], self.gather_across_devices)
        scores = self.similarity_fct(*embeddings)
        return order_loss(scores, row_labels(labels, rows, "CoSENTLoss"), self.scale, share)


def order_loss(scores: Tensor, labels: Tensor, scale: float, share: RowShare) -> Tensor:
    """``log(1 + Σ exp(scale (score_i - score_j)))`` over the pairs with ``label_i < label_j``.

    Args:
        scores: This process's. Shape ``(rows,)``.
        labels: What they are ordered by. Shape ``(rows,)``.
        scale: Factor of the scores.
        share: Whose rows are compared.
    """
    scores, labels = share.gather(as_float(scores) * scale), share.gather(labels)
    wrong_way = scores[:, None] - scores[None, :]
    lower = labels[:, None] < labels[None, :]
    # exp(0): the 1 under the logarithm.
    terms = torch.cat([scores.new_zeros(1), wrong_way[lower]])
    return torch.logsumexp(terms, dim=0)
