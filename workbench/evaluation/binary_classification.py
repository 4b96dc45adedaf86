"""How well one threshold on the similarity tells related pairs from unrelated ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from workbench.data.input_example import InputExample
from workbench.evaluation.checks import (
    require_binary,
    require_equal_lengths,
    require_examples,
    require_texts,
)
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.examples import read_examples
from workbench.evaluation.metrics.average_precision import average_precision
from workbench.evaluation.metrics.score import Score, Undefined, best
from workbench.evaluation.metrics.thresholds import best_accuracy, best_f1, cuts, matthews
from workbench.evaluation.similarities import model_similarity, pair_scores, similarity_names
from workbench.models.protocols import Encoder

_MIN_PAIRS = 3
_METRICS = ("accuracy", "accuracy_threshold", "f1", "f1_threshold", "precision", "recall", "ap", "mcc")
_COLUMNS = ("accuracy", "accuracy_threshold", "f1", "precision", "recall", "f1_threshold", "ap", "mcc")
# Reported as distances, as upstream does: their thresholds are the negative similarities.
_DISTANCES = ("manhattan", "euclidean")


class BinaryClassificationEvaluator(SentenceEvaluator):
    """Finds the best thresholds on the similarity of pairs; the primary metric is average precision.

    Args:
        sentences1, sentences2: The pairs.
        labels: 1 for related, 0 for unrelated.
        name: Put before the metrics' names.
        batch_size: Texts a forward call.
        show_progress_bar: Handed to ``encode``.
        write_csv: Whether a call with an output path writes a CSV file.
        truncate_dim: Components of an embedding to keep.
        similarity_fn_names: Similarities to compute; by default the model's.

    Raises:
        InvalidTypeError: A text or label of another type.
        InvalidValueError: Fewer than three pairs, or a label that is neither 0 nor 1.
        ShapeMismatchError: Columns of different lengths.

    Source: sentence-transformers' class of this name. With labels of one kind only every metric is
    undefined; there accuracy is 1.
    """

    def __init__(
        self,
        sentences1: Sequence[str],
        sentences2: Sequence[str],
        labels: Sequence[int],
        name: str = "",
        batch_size: int = 32,
        show_progress_bar: bool | None = False,
        write_csv: bool = True,
        truncate_dim: int | None = None,
        similarity_fn_names: Sequence[str] | None = None,
    ) -> None:
        file = f"binary_classification_evaluation{'_' if name else ''}{name}_results.csv"
        super().__init__(name, file, write_csv)
        self.sentences1 = require_texts(sentences1, "sentences1")
        self.sentences2 = require_texts(sentences2, "sentences2")
        self.labels = require_binary(labels, "labels")
        count = require_equal_lengths(
            sentences1=self.sentences1, sentences2=self.sentences2, labels=self.labels
        )
        require_examples(count, _MIN_PAIRS, "sentences1")
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.truncate_dim = truncate_dim
        self.similarity_fn_names = similarity_names(similarity_fn_names)
        self.data_notices = few_examples_notice(count, "pairs")

    @classmethod
    def from_input_examples(cls, examples: Iterable[InputExample] | DataLoader[Any], **kwargs: Any) -> Self:
        """Take pairs with labels from a list of examples, or from a DataLoader over one.

        Raises:
            InvalidValueError: An example that is no pair.
        """
        pairs = read_examples(examples, texts=2)
        return cls(
            [pair.texts[0] for pair in pairs],
            [pair.texts[1] for pair in pairs],
            [pair.label for pair in pairs],
            **kwargs,
        )

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Accuracy, F1, precision, recall, average precision and Matthews correlation for each similarity."""
        left, right = embed(
            model.encode,
            self.sentences1,
            self.sentences2,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            truncate_dim=self.truncate_dim,
        )
        names = self.similarity_fn_names or (model_similarity(model),)
        related = np.asarray(self.labels, dtype=bool)
        found = {
            name: _metrics(pair_scores(name, left, right), related, name in _DISTANCES) for name in names
        }
        metrics = {f"{name}_{metric}": found[name][metric] for name in names for metric in _METRICS}
        columns = {f"{name}_{metric}": found[name][metric] for name in names for metric in _COLUMNS}
        if len(names) > 1:
            for metric in _METRICS:
                metrics[f"max_{metric}"] = best([found[name][metric] for name in names])
        return Measured(metrics, "max_ap" if len(names) > 1 else f"{names[0]}_ap", columns)

    def texts(self) -> list[str]:
        """Both sides of every pair."""
        return [*self.sentences1, *self.sentences2]


def _metrics(scores: NDArray[Any], related: NDArray[np.bool_], distance: bool) -> dict[str, Score]:
    positives = int(related.sum())
    if positives in (0, len(related)):
        kind = "related" if positives else "unrelated"
        return dict.fromkeys(_METRICS, Undefined(f"all pairs are {kind}: there is nothing to tell apart"))
    every = cuts(scores, related)
    accuracy, f1 = best_accuracy(every), best_f1(every, positives)
    sign = -1.0 if distance else 1.0
    return {
        "accuracy": accuracy.accuracy,
        "accuracy_threshold": sign * accuracy.threshold,
        "f1": f1.f1,
        "f1_threshold": sign * f1.threshold,
        "precision": f1.precision,
        "recall": f1.recall,
        "ap": average_precision(every, positives),
        "mcc": matthews(len(related), positives, f1.extracted, f1.correct),
    }
