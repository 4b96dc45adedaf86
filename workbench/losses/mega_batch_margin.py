"""Each anchor against the hardest positive of another row."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workbench.losses.checks import check_columns
from workbench.losses.columns import embed_columns
from workbench.losses.gather import row_share
from workbench.losses.mini_batches import MiniBatches
from workbench.losses.needs import DataNeeds
from workbench.losses.precision import precise
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import cos_sim


class MegaBatchMarginLoss(nn.Module):
    """``max(0, m⁺ - cos(a_i, p_i)) + max(0, max_{j≠i} cos(a_i, p_j) - m⁻)``, mean over the rows ``i``.

    Two columns of paraphrases; no labels. The larger the batch, the harder the negative that it holds, so
    that batches of 500 and more are the rule.

    Args:
        model: The model that is trained.
        positive_margin: ``m⁺``: cosine from which a positive is let be.
        negative_margin: ``m⁻``: cosine below which a negative is let be.
        use_mini_batched_version: Embed ``mini_batch_size`` rows at a time, and again in the backward pass:
            the same value and gradient in less memory.
        mini_batch_size: Rows at a time.
        mini_batch_num_tokens: Most tokens at a time, instead of ``mini_batch_size``.
        show_progress_bar: Show a bar over the mini-batches.
        gather_across_devices: Look for the negative among the rows of all processes.

    Raises:
        InvalidValueError: See ``MiniBatches``.

    Source: sentence-transformers' loss of this name; Wieting and Gimpel, ParaNMT-50M, 2018,
    https://aclanthology.org/P18-1042.
    """

    needs = DataNeeds(("anchor", "positive"), in_batch_negatives=True)

    def __init__(
        self,
        model: EmbeddingModel,
        positive_margin: float = 0.8,
        negative_margin: float = 0.3,
        use_mini_batched_version: bool = True,
        mini_batch_size: int = 50,
        mini_batch_num_tokens: int | None = None,
        show_progress_bar: bool = False,
        *,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.positive_margin = positive_margin
        self.negative_margin = negative_margin
        self.gather_across_devices = gather_across_devices
        mini_batches = MiniBatches(mini_batch_size, mini_batch_num_tokens, show_progress_bar)
        self.mini_batches = mini_batches if use_mini_batched_version else None

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Embed both columns and compare; labels are not looked at."""
        embed = embed_columns if self.mini_batches is None else self.mini_batches.embed_columns
        return self.compute_loss_from_embeddings(embed(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each.

        Raises:
            ShapeMismatchError: Not two columns of one shape.
        """
        check_columns(embeddings, self.needs, "MegaBatchMarginLoss")
        anchors, positives = embeddings
        share = row_share(anchors, self.gather_across_devices)
        candidates = share.gather(positives)
        rows = torch.arange(share.rows, device=anchors.device)

        def losses_of(part: Tensor) -> Tensor:
            return self._row_losses(anchors[part], candidates, part + share.first)

        losses = (
            losses_of(rows) if self.mini_batches is None else self.mini_batches.over_rows(rows, losses_of)
        )
        return losses.sum() * share.weight

    def _row_losses(self, anchors: Tensor, candidates: Tensor, own: Tensor) -> Tensor:
        scores = precise(cos_sim, anchors, candidates)
        row = torch.arange(len(own), device=own.device)
        is_own = own[:, None] == torch.arange(len(candidates), device=own.device)
        hardest = scores.masked_fill(is_own, -torch.inf).max(dim=1).values
        too_far = nn.functional.relu(self.positive_margin - scores[row, own])
        return too_far + nn.functional.relu(hardest - self.negative_margin)
