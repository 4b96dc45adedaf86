"""Guided in-batch negatives in batches too large for memory."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.gather import row_share
from workbench.losses.guided_ranking import (
    GuidedRanking,
    MarginStrategy,
    check_guides,
    guide_embedding,
    must_retokenize,
)
from workbench.losses.mini_batches import MiniBatches
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import Features, TextModel


class CachedGISTEmbedLoss(nn.Module):
    """``GISTEmbedLoss``, value and gradient, in the memory of one mini-batch.

    Args:
        model: The model that is trained.
        guide: The model that judges; it is not trained.
        temperature: Divisor of the cosines.
        mini_batch_size: Rows at a time.
        mini_batch_num_tokens: Most tokens at a time, instead of ``mini_batch_size``.
        show_progress_bar: Show a bar over the mini-batches.
        margin_strategy, margin, contrast_anchors, contrast_positives: See ``GuidedRanking``.
        gather_across_devices: Take the rows of all processes as candidates.

    Raises:
        InvalidValueError, UnknownNameError: See ``GuidedRanking`` and ``MiniBatches``.

    Source: sentence-transformers' loss of this name; Solatorio, https://arxiv.org/abs/2402.16829; Gao et al.,
    https://arxiv.org/abs/2101.06983.
    """

    needs = DataNeeds(("anchor", "positive", "negative*"), in_batch_negatives=True)

    def __init__(
        self,
        model: TextModel,
        guide: TextModel,
        temperature: float = 0.01,
        mini_batch_size: int = 32,
        mini_batch_num_tokens: int | None = None,
        show_progress_bar: bool = False,
        margin_strategy: MarginStrategy = "absolute",
        margin: float = 0.0,
        contrast_anchors: bool = True,
        contrast_positives: bool = True,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.guide = guide
        self.mini_batches = MiniBatches(mini_batch_size, mini_batch_num_tokens, show_progress_bar)
        self.ranking = GuidedRanking(
            temperature, margin_strategy, margin, contrast_anchors, contrast_positives
        )
        self.gather_across_devices = gather_across_devices
        self.must_retokenize = must_retokenize(model, guide)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed every column by mini-batches with the model and the guide, and rank."""
        columns = list(sentence_features)
        embeddings = self.mini_batches.embed_columns(self.model, columns)
        return self.compute_loss_from_embeddings(embeddings, self.targets(columns, labels))

    def targets(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> list[Tensor]:
        """What the guide makes of every column. Shape ``(batch, guide's dim)`` each."""
        return [
            torch.cat(
                [
                    guide_embedding(self.model, self.guide, part, self.must_retokenize)
                    for part in self.mini_batches.parts(features)
                ]
            )
            for features in sentence_features
        ]

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: list[Tensor]) -> Tensor:
        """The loss of two columns or more, and the guide's embeddings, ``mini_batch_size`` rows at a time.

        Raises:
            ShapeMismatchError: Fewer than two columns, or the guide's do not fit.
        """
        check_columns(embeddings, self.needs, "CachedGISTEmbedLoss")
        check_guides(embeddings, labels, "CachedGISTEmbedLoss")
        share = row_share(embeddings[0], self.gather_across_devices)
        columns = [share.gather(column) for column in embeddings]
        guides = [share.gather(column) for column in labels]
        own = torch.arange(share.first, share.first + share.rows, device=columns[0].device)
        losses = self.mini_batches.over_rows(own, lambda part: self.ranking.row_losses(columns, guides, part))
        return losses.sum() * share.weight
