"""In-batch negatives in batches too large for memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.gather import row_share
from workbench.losses.mini_batches import MiniBatches
from workbench.losses.needs import DataNeeds
from workbench.losses.ranking import Direction, HardnessMode, PartitionMode, Ranking
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import cos_sim


class CachedMultipleNegativesRankingLoss(nn.Module):
    """``MultipleNegativesRankingLoss``, value and gradient, in the memory of one mini-batch.

    The texts go through the model a second time in the backward pass, which costs about a third more time.

    Args:
        model: The model that is trained.
        scale: The inverse of a temperature.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``; the cosine.
        mini_batch_size: Rows at a time.
        gather_across_devices: Take the rows of all processes as negatives.
        directions, partition_mode, hardness_mode, hardness_strength: See ``Ranking``.
        show_progress_bar: Show a bar over the mini-batches.
        mini_batch_num_tokens: Most tokens at a time, instead of ``mini_batch_size``.

    Raises:
        InvalidValueError, UnknownNameError: See ``Ranking`` and ``MiniBatches``.

    Source: sentence-transformers' loss of this name; Gao et al., https://arxiv.org/abs/2101.06983.
    """

    needs = DataNeeds(("anchor", "positive", "negative*"), in_batch_negatives=True)

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim,
        mini_batch_size: int = 32,
        mini_batch_num_tokens: int | None = None,
        gather_across_devices: bool = False,
        directions: tuple[Direction, ...] = ("query_to_doc",),
        partition_mode: PartitionMode = "joint",
        show_progress_bar: bool = False,
        hardness_mode: HardnessMode | None = None,
        hardness_strength: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.gather_across_devices = gather_across_devices
        self.mini_batches = MiniBatches(mini_batch_size, mini_batch_num_tokens, show_progress_bar)
        self.ranking = Ranking(
            scale, similarity_fct, tuple(directions), partition_mode, hardness_mode, hardness_strength
        )

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed every column by mini-batches and rank; labels are not looked at."""
        embeddings = self.mini_batches.embed_columns(self.model, sentence_features)
        return self.compute_loss_from_embeddings(embeddings, labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of two columns or more, ``(batch, dim)`` each, ``mini_batch_size`` rows at a time.

        Raises:
            ShapeMismatchError: Fewer than two columns, or columns of different shapes.
        """
        check_columns(embeddings, self.needs, type(self).__name__)
        share = row_share(embeddings[0], self.gather_across_devices)
        queries, *documents = [share.gather(column) for column in embeddings]
        own = torch.arange(share.first, share.first + share.rows, device=queries.device)
        losses = self.mini_batches.over_rows(
            own, lambda part: self.ranking.row_losses(queries, documents, part)
        )
        return losses.sum() * share.weight
