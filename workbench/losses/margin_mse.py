"""The margin between positive and negative equal to a teacher's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.errors import ShapeMismatchError
from workbench.losses.checks import check_columns, given_labels
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import pairwise_dot_score


class MarginMSELoss(nn.Module):
    """``mean of ((sim(a, p) - sim(a, n)) - margin)²`` over rows and negatives.

    Columns of anchors, positives and one or more of negatives. The label is the teacher's margin, one number
    a row, ``(batch,)``, or one a negative, ``(batch, negatives)``; or the teacher's scores of the positive
    and the negatives, ``(batch, 1 + negatives)``. Any finite number will do.

    Args:
        model: The model that is trained.
        similarity_fct: Two columns ``(batch, dim)`` to ``(batch,)``; the dot product.

    Source: sentence-transformers' loss of this name; Hofstätter et al., Improving Efficient Neural Ranking
    Models with Cross-Architecture Knowledge Distillation, https://arxiv.org/abs/2010.02666.
    """

    needs = DataNeeds(("anchor", "positive", "negative+"), "margins")

    def __init__(
        self,
        model: EmbeddingModel,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = pairwise_dot_score,
    ) -> None:
        super().__init__()
        self.model = model
        self.similarity_fct = similarity_fct

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed every column and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of three columns or more, ``(batch, dim)`` each, and the teacher's margins or scores.

        Raises:
            ShapeMismatchError: Fewer than three columns, or labels of another shape.
            InvalidValueError: No labels.
        """
        check_columns(embeddings, self.needs, "MarginMSELoss")
        anchor, positive, *negatives = embeddings
        own = self.similarity_fct(anchor, positive)
        margins = torch.stack([own - self.similarity_fct(anchor, negative) for negative in negatives], dim=1)
        teacher = _margins(given_labels(labels, "MarginMSELoss").detach(), margins)
        return nn.functional.mse_loss(margins, teacher.to(margins))


def _margins(labels: Tensor, wanted: Tensor) -> Tensor:
    """Labels as margins. Shape ``(batch, negatives)``."""
    rows, negatives = wanted.shape
    if labels.shape == (rows, negatives + 1):
        return labels[:, :1] - labels[:, 1:]
    if labels.shape == (rows,) and negatives == 1:
        return labels.unsqueeze(1)
    if labels.shape == (rows, negatives):
        return labels
    raise ShapeMismatchError(
        "teacher-shape",
        f"labels of shape {tuple(labels.shape)}",
        expected=f"margins ({rows}, {negatives}), or scores of all candidates ({rows}, {negatives + 1})",
        where="MarginMSELoss, labels",
    )
