"""How far a student's embeddings lie from a teacher's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from workbench.errors import InvalidTypeError, ShapeMismatchError
from workbench.evaluation.checks import require_equal_lengths, require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.models.protocols import Encoder


class MSEEvaluator(SentenceEvaluator):
    """Mean squared error between the teacher's embeddings of one text and the student's of another.

    The CSV file holds the error times 100; the metric, ``negative_mse``, is its negative.

    Args:
        source_sentences: What the teacher encodes, once, here.
        target_sentences: What the student encodes: the same texts, or their translations.
        teacher_model: Whose embeddings are the aim.
        show_progress_bar: Handed to ``encode``.
        batch_size: Texts a forward call.
        name: Put before the metric's name.
        write_csv: Whether a call with an output path writes a CSV file.
        truncate_dim: Components of an embedding to keep.

    Raises:
        InvalidTypeError: No teacher, or a text of another type.
        ShapeMismatchError: Columns of different lengths.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        source_sentences: Sequence[str],
        target_sentences: Sequence[str],
        teacher_model: Encoder | None = None,
        show_progress_bar: bool | None = False,
        batch_size: int = 32,
        name: str = "",
        write_csv: bool = True,
        truncate_dim: int | None = None,
    ) -> None:
        super().__init__(name, f"mse_evaluation_{name}_results.csv", write_csv)
        self.source_sentences = require_texts(source_sentences, "source_sentences")
        self.target_sentences = require_texts(target_sentences, "target_sentences")
        count = require_equal_lengths(
            source_sentences=self.source_sentences, target_sentences=self.target_sentences
        )
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.truncate_dim = truncate_dim
        self.data_notices = few_examples_notice(count, "texts")
        self.source_embeddings = self._embed(require_teacher(teacher_model), self.source_sentences)

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """The error, times 100."""
        error = squared_error(self.source_embeddings, self._embed(model, self.target_sentences))
        return Measured({"negative_mse": -error}, "negative_mse", {"MSE": error})

    def texts(self) -> list[str]:
        """What the student encodes."""
        return self.target_sentences

    def _embed(self, model: Encoder, texts: list[str]) -> Tensor:
        (rows,) = embed(
            model.encode,
            texts,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            truncate_dim=self.truncate_dim,
        )
        return rows


def require_teacher(teacher: Encoder | None) -> Encoder:
    """The teacher, where there is one.

    Raises:
        InvalidTypeError: None came.
    """
    if teacher is None:
        raise InvalidTypeError(
            "teacher-missing",
            "no teacher came",
            expected="a model whose embeddings are the aim",
            fix="Give teacher_model=...",
        )
    return teacher


def squared_error(teacher: Tensor, student: Tensor) -> float:
    """Mean squared difference of the components, times 100.

    Raises:
        ShapeMismatchError: The dimensions differ.
    """
    if teacher.shape != student.shape:
        raise ShapeMismatchError(
            "dimension-mismatch",
            f"the teacher gives {teacher.shape[-1]} dimensions, the student {student.shape[-1]}",
            expected="the same number",
            fix="Give truncate_dim, or put a Dense module on the student",
        )
    difference = teacher.cpu().double() - student.cpu().double()
    return float(difference.square().mean()) * 100
