"""A student's embedding equal to its teacher's."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from workbench.errors import ShapeMismatchError
from workbench.losses.checks import check_columns, given_labels
from workbench.losses.columns import embed_columns
from workbench.losses.needs import DataNeeds
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.checks import require_count
from workbench.util.tensor import as_float


class MSELoss(nn.Module):
    """``mean over rows and dimensions of (u - teacher)²``, mean over the columns.

    Any number of text columns, such as a sentence and its translation, and the teacher's embedding of the
    row as label, ``(batch, dim)``, for all columns alike; or one a column, ``(batch, columns, dim)``.

    Args:
        model: The model that is trained.
        projection_dim: The teacher's dimension, where it is another: a linear layer between is trained too,
            and thrown away after.

    Raises:
        InvalidValueError: A projection below 1.

    Source: sentence-transformers' loss of this name; Reimers and Gurevych, Making Monolingual Sentence
    Embeddings Multilingual using Knowledge Distillation, https://arxiv.org/abs/2004.09813.
    """

    needs = DataNeeds(("text+",), "vector")

    def __init__(self, model: EmbeddingModel, projection_dim: int | None = None) -> None:
        super().__init__()
        self.model = model
        self.projection: nn.Linear | None = None
        if projection_dim is not None:
            self.projection = nn.Linear(
                model.get_sentence_embedding_dimension(),
                require_count(projection_dim, "projection_dim"),
                device=model.device,
            )

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None) -> Tensor:
        """Embed every column and compare; see ``compute_loss_from_embeddings``."""
        return self.compute_loss_from_embeddings(embed_columns(self.model, sentence_features), labels)

    def compute_loss_from_embeddings(self, embeddings: list[Tensor], labels: Tensor | None) -> Tensor:
        """The loss of columns of embeddings, ``(batch, dim)`` each, and the teacher's embeddings.

        Raises:
            ShapeMismatchError: Embeddings and labels do not fit each other.
            InvalidValueError: No labels.
        """
        rows = check_columns(embeddings, self.needs, "MSELoss")
        stacked = torch.stack(embeddings, dim=1)
        students = as_float(stacked if self.projection is None else self.projection(stacked))
        teachers = given_labels(labels, "MSELoss").detach()
        if teachers.ndim == 2:
            teachers = teachers.unsqueeze(1).expand(-1, len(embeddings), -1)
        if teachers.shape != students.shape:
            dim = students.shape[-1]
            raise ShapeMismatchError(
                "teacher-shape",
                f"labels of shape {tuple(given_labels(labels, 'MSELoss').shape)}",
                expected=f"({rows}, {dim}), or ({rows}, {len(embeddings)}, {dim}) for one a column",
                fix="Where the teacher has another dimension, give it as projection_dim",
                where="MSELoss, labels",
            )
        return nn.functional.mse_loss(students, teachers.to(students))
