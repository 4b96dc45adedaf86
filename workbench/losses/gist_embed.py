"""In-batch negatives without the false ones: a guide model says which to leave out."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.gather import row_share
from workbench.losses.guided_ranking import (
    GuidedRanking,
    MarginStrategy,
    check_guides,
    guide_embedding,
    must_retokenize,
)
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import Features, TextModel


class GISTEmbedLoss(nn.Module):
    """``-log( exp(cos(a_i, p_i) / T) / Σ exp(cos / T) )``, mean over rows, without likely false negatives.

    Columns of anchors, positives, and any number of negatives; no labels. The sum runs over the positives of
    all rows, the negatives, and, where asked for, anchor with anchor and positive with positive; left out is
    what the guide finds more similar than the row's own pair.

    Args:
        model: The model that is trained.
        guide: The model that judges; it is not trained.
        temperature: ``T``.
        margin_strategy, margin, contrast_anchors, contrast_positives: See ``GuidedRanking``.
        gather_across_devices: Take the rows of all processes as candidates.

    Raises:
        InvalidValueError, UnknownNameError: See ``GuidedRanking``.

    Source: sentence-transformers' loss of this name; Solatorio, GISTEmbed, https://arxiv.org/abs/2402.16829.
    """

    needs = DataNeeds(("anchor", "positive", "negative*"), in_batch_negatives=True)

    def __init__(
        self,
        model: TextModel,
        guide: TextModel,
        temperature: float = 0.01,
        margin_strategy: MarginStrategy = "absolute",
        margin: float = 0.0,
        contrast_anchors: bool = True,
        contrast_positives: bool = True,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.guide = guide
        self.ranking = GuidedRanking(
            temperature, margin_strategy, margin, contrast_anchors, contrast_positives
        )
        self.gather_across_devices = gather_across_devices
        self.must_retokenize = must_retokenize(model, guide)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed every column with the model and the guide, and rank; labels are not looked at."""
        columns = list(sentence_features)
        embeddings = embed_columns(self.model, columns)
        return self.compute_loss_from_embeddings(embeddings, self.targets(columns, labels))

    def targets(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> list[Tensor]:
        """What the guide makes of every column. Shape ``(batch, guide's dim)`` each."""
        return [
            guide_embedding(self.model, self.guide, features, self.must_retokenize)
            for features in sentence_features
        ]

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: list[Tensor]) -> Tensor:
        """The loss of two columns or more, ``(batch, dim)`` each, and the guide's embeddings of them.

        Raises:
            ShapeMismatchError: Fewer than two columns, or the guide's do not fit.
        """
        check_columns(embeddings, self.needs, "GISTEmbedLoss")
        check_guides(embeddings, labels, "GISTEmbedLoss")
        share = row_share(embeddings[0], self.gather_across_devices)
        columns = [share.gather(column) for column in embeddings]
        guides = [share.gather(column) for column in labels]
        own = torch.arange(share.first, share.first + share.rows, device=columns[0].device)
        return self.ranking.row_losses(columns, guides, own).sum() * share.weight
