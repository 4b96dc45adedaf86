"""A student's ranking of candidates equal to its teacher's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from workbench.errors import ShapeMismatchError
from workbench.losses.checks import check_columns, given_labels, positive
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.similarity import pairwise_dot_score
from workbench.util.tensor import as_float


class DistillKLDivLoss(nn.Module):
    """``T² KL(softmax(teacher / T') ‖ softmax(sim(a, d) / T))`` over the candidates ``d``, mean over rows.

    Columns of anchors, positives and one or more of negatives, and the teacher's score of each candidate as
    label, ``(batch, candidates)``; any finite numbers.

    Args:
        model: The model that is trained.
        similarity_fct: Two columns ``(batch, dim)`` to ``(batch,)``; the dot product.
        temperature: ``T`` and ``T'``.
        student_temperature: ``T`` where it differs.
        teacher_temperature: ``T'`` where it differs.

    Raises:
        InvalidValueError: A temperature that is not positive.

    Source: sentence-transformers' loss of this name; Lin et al., Distilling Dense Representations for Ranking
    using Tightly-Coupled Teachers, https://arxiv.org/abs/2010.11386.
    """

    needs = DataNeeds(("anchor", "positive", "negative+"), "scores")

    def __init__(
        self,
        model: EmbeddingModel,
        similarity_fct: Callable[[Tensor, Tensor], Tensor] = pairwise_dot_score,
        temperature: float = 1.0,
        student_temperature: float | None = None,
        teacher_temperature: float | None = None,
    ) -> None:
        super().__init__()
        where = "DistillKLDivLoss"
        student = temperature if student_temperature is None else student_temperature
        teacher = temperature if teacher_temperature is None else teacher_temperature
        self.model = model
        self.similarity_fct = similarity_fct
        self.student_temperature = positive(student, "student_temperature", where)
        self.teacher_temperature = positive(teacher, "teacher_temperature", where)

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed every column and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of three columns or more, ``(batch, dim)`` each, and scores ``(batch, candidates)``.

        Raises:
            ShapeMismatchError: Fewer than three columns, or not one score a candidate.
            InvalidValueError: No labels.
        """
        rows = check_columns(embeddings, self.needs, "DistillKLDivLoss")
        anchor, *candidates = embeddings
        teacher = given_labels(labels, "DistillKLDivLoss").detach()
        if teacher.shape != (rows, len(candidates)):
            raise ShapeMismatchError(
                "teacher-shape",
                f"labels of shape {tuple(teacher.shape)}",
                expected=f"one score a candidate, ({rows}, {len(candidates)})",
                where="DistillKLDivLoss, labels",
            )
        scores = as_float(torch.stack([self.similarity_fct(anchor, text) for text in candidates], dim=1))
        student = torch.log_softmax(scores / self.student_temperature, dim=1)
        wanted = torch.softmax(teacher.to(scores) / self.teacher_temperature, dim=1)
        divergence = nn.functional.kl_div(student, wanted, reduction="batchmean")
        return divergence * self.student_temperature**2
