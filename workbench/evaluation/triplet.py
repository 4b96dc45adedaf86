"""How often an anchor is closer to its positive than to its negative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from torch.utils.data import DataLoader

from workbench.data.input_example import InputExample
from workbench.errors import InvalidValueError
from workbench.evaluation.checks import require_equal_lengths, require_numbers, require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.examples import read_examples
from workbench.evaluation.metrics.score import Score, best
from workbench.evaluation.similarities import main_and_names, model_similarity, pair_scores
from workbench.models.protocols import Encoder
from workbench.util.similarity import SimilarityFunction


class TripletEvaluator(SentenceEvaluator):
    """Share of triplets with ``similarity(anchor, positive) > similarity(anchor, negative) + margin``.

    Equal similarities are wrong. Anchors are encoded as queries, the others as documents: that makes a
    difference where the model has prompts of these names.

    Args:
        anchors, positives, negatives: The triplets.
        main_distance_function: The classic name of ``main_similarity_function``.
        name: Put before the metrics' names.
        batch_size: Texts a forward call.
        show_progress_bar: Handed to ``encode``.
        write_csv: Whether a call with an output path writes a CSV file.
        main_similarity_function: The similarity of the primary metric; by default the only one computed.
        margin: How much closer the positive must be, for all similarities or by the name of each.
        truncate_dim: Components of an embedding to keep.
        similarity_fn_names: Similarities to compute; by default the main one, or else the model's.

    Raises:
        InvalidTypeError: A text of another type.
        InvalidValueError: No triplets, or an unknown similarity.
        ShapeMismatchError: Columns of different lengths.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        anchors: Sequence[str],
        positives: Sequence[str],
        negatives: Sequence[str],
        main_distance_function: str | SimilarityFunction | None = None,
        name: str = "",
        batch_size: int = 16,
        show_progress_bar: bool | None = False,
        write_csv: bool = True,
        *,
        main_similarity_function: str | SimilarityFunction | None = None,
        margin: float | Mapping[str, float] | None = None,
        truncate_dim: int | None = None,
        similarity_fn_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(name, f"triplet_evaluation{'_' if name else ''}{name}_results.csv", write_csv)
        self.anchors = require_texts(anchors, "anchors")
        self.positives = require_texts(positives, "positives")
        self.negatives = require_texts(negatives, "negatives")
        count = require_equal_lengths(
            anchors=self.anchors, positives=self.positives, negatives=self.negatives
        )
        self.main_similarity_function, self.similarity_fn_names = main_and_names(
            main_similarity_function or main_distance_function, similarity_fn_names
        )
        self.margin = _margins(margin)
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.truncate_dim = truncate_dim
        self.data_notices = few_examples_notice(count, "triplets")

    @classmethod
    def from_input_examples(cls, examples: Iterable[InputExample] | DataLoader[Any], **kwargs: Any) -> Self:
        """Take anchor, positive, negative from a list of examples, or from a DataLoader over one.

        Raises:
            InvalidValueError: An example that is no triplet.
        """
        texts = [example.texts for example in read_examples(examples, texts=3)]
        anchors, positives, negatives = (list(column) for column in zip(*texts, strict=True))
        return cls(anchors, positives, negatives, **kwargs)

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Accuracy for each similarity."""
        options: dict[str, Any] = {
            "batch_size": self.batch_size,
            "show_progress_bar": self.show_progress_bar,
            "truncate_dim": self.truncate_dim,
        }
        (anchors,) = embed(model.encode_query, self.anchors, **options)
        positives, negatives = embed(model.encode_document, self.positives, self.negatives, **options)
        names = self.similarity_fn_names or (model_similarity(model),)
        accuracies: dict[str, Score] = {}
        for name in names:
            positive, negative = (pair_scores(name, anchors, side) for side in (positives, negatives))
            accuracies[name] = float((positive > negative + self.margin[name]).mean())
        metrics = {f"{name}_accuracy": score for name, score in accuracies.items()}
        if len(names) > 1:
            metrics["max_accuracy"] = best(accuracies.values())
        main = self.main_similarity_function or (names[0] if len(names) == 1 else None)
        columns = {f"accuracy_{name}": score for name, score in accuracies.items()}
        return Measured(metrics, f"{main}_accuracy" if main else "max_accuracy", columns)

    def texts(self) -> list[str]:
        """Anchors, positives and negatives."""
        return [*self.anchors, *self.positives, *self.negatives]


def _margins(margin: float | Mapping[str, float] | None) -> dict[str, float]:
    names = SimilarityFunction.possible_values()
    given = dict(margin) if isinstance(margin, Mapping) else dict.fromkeys(names, margin or 0.0)
    if unknown := sorted(set(given) - set(names)):
        raise InvalidValueError(
            "margin-unknown-similarity",
            f"margin names {unknown}",
            expected=f"some of {', '.join(names)}",
        )
    numbers = require_numbers(given.values(), "margin")
    return dict.fromkeys(names, 0.0) | dict(zip(given, numbers, strict=True))
