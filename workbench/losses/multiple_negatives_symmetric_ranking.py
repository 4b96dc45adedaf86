"""In-batch negatives both ways: from anchor to positive, and from positive to anchor."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from workbench.losses.multiple_negatives_ranking import MultipleNegativesRankingLoss
from workbench.models.protocols import EmbeddingModel
from workbench.util.similarity import cos_sim


class MultipleNegativesSymmetricRankingLoss(MultipleNegativesRankingLoss):
    """Half the ranking loss of every anchor among all documents, half that of its positive among all anchors.

    ``½ Σ_direction -log( exp(s·sim(a_i, p_i)) / Σ_j exp(s·sim(…)) )``, mean over the rows. Data as for
    ``MultipleNegativesRankingLoss``; hard negatives count in the first direction.

    Args:
        model: The model that is trained.
        scale: ``s``, the inverse of a temperature.
        similarity_fct: ``(n, dim)`` and ``(m, dim)`` to ``(n, m)``; the cosine.
        gather_across_devices: Take the rows of all processes as negatives.

    Source: sentence-transformers' loss of this name; Günther et al., Jina Embeddings 2,
    https://arxiv.org/abs/2310.19923.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        scale: float = 20.0,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = cos_sim,
        gather_across_devices: bool = False,
    ) -> None:
        super().__init__(
            model,
            scale,
            similarity_fct,
            gather_across_devices,
            directions=("query_to_doc", "doc_to_query"),
            partition_mode="per_direction",
        )
