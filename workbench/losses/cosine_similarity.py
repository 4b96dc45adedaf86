"""Regression of the cosine of a pair on a score."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from torch import Tensor, nn

from workbench.losses.checks import check_columns, row_labels
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.tensor import as_float


class CosineSimilarityLoss(nn.Module):
    """``mean over rows of (t(cos(u, v)) - label)²``.

    Two columns of sentences and one score a row, within what the cosine can reach: -1 to 1, in most data
    0 to 1. Scores of another scale are to be rescaled first.

    Args:
        model: The model that is trained.
        loss_fct: Predicted and true scores, each ``(batch,)``, to one number; the mean squared error.
        cos_score_transformation: ``t``: what is done with the cosines, ``(batch,)``, before.

    Source: sentence-transformers' loss of this name; Reimers and Gurevych, Sentence-BERT,
    https://arxiv.org/abs/1908.10084, the regression objective.
    """

    needs = DataNeeds(("sentence1", "sentence2"), "score", (-1.0, 1.0))

    def __init__(
        self,
        model: EmbeddingModel,
        loss_fct: Callable[[Tensor, Tensor], Tensor] | None = None,
        cos_score_transformation: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.loss_fct = nn.MSELoss() if loss_fct is None else loss_fct
        self.cos_score_transformation = (
            nn.Identity() if cos_score_transformation is None else cos_score_transformation
        )
        if not isinstance(self.cos_score_transformation, nn.Identity):
            self.needs = replace(type(self).needs, label_range=None)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed both columns and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of two columns of embeddings, ``(batch, dim)`` each, and labels ``(batch,)``.

        Raises:
            ShapeMismatchError: Not two columns, or not one label a row.
            InvalidValueError: No labels.
        """
        rows = check_columns(embeddings, self.needs, "CosineSimilarityLoss")
        first, second = embeddings
        scores = as_float(nn.functional.cosine_similarity(first, second))
        wanted = row_labels(labels, rows, "CosineSimilarityLoss").to(scores.dtype)
        return self.loss_fct(self.cos_score_transformation(scores), wanted)
