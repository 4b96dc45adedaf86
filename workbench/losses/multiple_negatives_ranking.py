"""The contrastive loss with the other rows of the batch as negatives (InfoNCE)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.gather import row_share
from workbench.losses.needs import DataNeeds
from workbench.losses.ranking import Direction, HardnessMode, PartitionMode, Ranking
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import cos_sim


class MultipleNegativesRankingLoss(nn.Module):
    """``-log( exp(s·sim(a_i, p_i)) / Σ_j exp(s·sim(a_i, d_j)) )``, mean over the rows ``i``.

    A column of anchors, one of positives, and any number of columns of hard negatives; no labels. The ``d_j``
    are the positives and hard negatives of all rows, so that duplicates in a batch would be false negatives.

    Args:
        model: The model that is trained.
        scale: ``s``, the inverse of a temperature.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``; the cosine.
        gather_across_devices: Take the rows of all processes as negatives.
        directions, partition_mode, hardness_mode, hardness_strength: See ``Ranking``.

    Raises:
        InvalidValueError, UnknownNameError: See ``Ranking``.

    Source: sentence-transformers' loss of this name; Henderson et al., Efficient Natural Language Response
    Suggestion, https://arxiv.org/abs/1705.00652; van den Oord et al., https://arxiv.org/abs/1807.03748.
    """

    needs = DataNeeds(("anchor", "positive", "negative*"), in_batch_negatives=True)

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim,
        gather_across_devices: bool = False,
        directions: tuple[Direction, ...] = ("query_to_doc",),
        partition_mode: PartitionMode = "joint",
        hardness_mode: HardnessMode | None = None,
        hardness_strength: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.gather_across_devices = gather_across_devices
        self.ranking = Ranking(
            scale, similarity_fct, tuple(directions), partition_mode, hardness_mode, hardness_strength
        )

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed every column and rank; labels are not looked at."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of two columns or more, ``(batch, dim)`` each.

        Raises:
            ShapeMismatchError: Fewer than two columns, or columns of different shapes.
        """
        check_columns(embeddings, self.needs, type(self).__name__)
        share = row_share(embeddings[0], self.gather_across_devices)
        queries, *documents = [share.gather(column) for column in embeddings]
        own = torch.arange(share.first, share.first + share.rows, device=queries.device)
        return self.ranking.row_losses(queries, documents, own).sum() * share.weight
