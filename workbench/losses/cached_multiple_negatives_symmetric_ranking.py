"""In-batch negatives both ways, in batches too large for memory."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from workbench.losses.cached_multiple_negatives_ranking import CachedMultipleNegativesRankingLoss
from workbench.models.protocols import EmbeddingModel
from workbench.util.similarity import cos_sim


class CachedMultipleNegativesSymmetricRankingLoss(CachedMultipleNegativesRankingLoss):
    """``MultipleNegativesSymmetricRankingLoss``, value and gradient, in the memory of one mini-batch.

    Args:
        model: The model that is trained.
        scale: The inverse of a temperature.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``; the cosine.
        mini_batch_size: Rows at a time.
        mini_batch_num_tokens: Most tokens at a time, instead of ``mini_batch_size``.
        gather_across_devices: Take the rows of all processes as negatives.
        show_progress_bar: Show a bar over the mini-batches.

    Source: sentence-transformers' loss of this name; Gao et al., https://arxiv.org/abs/2101.06983.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim,
        mini_batch_size: int = 32,
        mini_batch_num_tokens: int | None = None,
        gather_across_devices: bool = False,
        show_progress_bar: bool = False,
    ) -> None:
        super().__init__(
            model,
            scale,
            similarity_fct,
            mini_batch_size,
            mini_batch_num_tokens,
            gather_across_devices,
            directions=("query_to_doc", "doc_to_query"),
            partition_mode="per_direction",
            show_progress_bar=show_progress_bar,
        )
