"""How well similarities follow gold scores: Pearson's and Spearman's correlation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from workbench.data.input_example import InputExample
from workbench.errors import InvalidValueError
from workbench.evaluation.checks import (
    require_equal_lengths,
    require_examples,
    require_numbers,
    require_texts,
)
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.examples import read_examples
from workbench.evaluation.metrics.correlation import MIN_PAIRS, pearson, spearman
from workbench.evaluation.metrics.score import Score, best
from workbench.evaluation.similarities import main_and_names, model_similarity, pair_scores
from workbench.models.protocols import Encoder
from workbench.util.quantization import QuantizedPrecision
from workbench.util.similarity import SimilarityFunction


class EmbeddingSimilarityEvaluator(SentenceEvaluator):
    """Correlates the similarity of pairs with gold scores; the primary metric is Spearman's.

    Args:
        sentences1, sentences2: The pairs.
        scores: Gold score of each pair; only differences count, not the scale.
        batch_size: Texts a forward call.
        main_similarity: The similarity of the primary metric; by default the only one computed.
        name: Put before the metrics' names.
        show_progress_bar: Handed to ``encode``.
        write_csv: Whether a call with an output path writes a CSV file.
        similarity_fn_names: Similarities to compute; by default ``main_similarity``, or else the model's.
        precision: Quantise the embeddings, both sides together, after scaling them to unit length.
        truncate_dim: Components of an embedding to keep.

    Raises:
        InvalidTypeError: A text or score of another type.
        InvalidValueError: Fewer than three pairs, or a gold score that is not finite.
        ShapeMismatchError: Columns of different lengths.

    Source: sentence-transformers' class of this name; constant scores are undefined here, NaN there.
    """

    def __init__(
        self,
        sentences1: Sequence[str],
        sentences2: Sequence[str],
        scores: Sequence[float],
        batch_size: int = 16,
        main_similarity: str | SimilarityFunction | None = None,
        name: str = "",
        show_progress_bar: bool | None = False,
        write_csv: bool = True,
        *,
        similarity_fn_names: Sequence[str] | None = None,
        precision: QuantizedPrecision | None = None,
        truncate_dim: int | None = None,
    ) -> None:
        parts = ["similarity_evaluation", name, precision or "", "results.csv"]
        super().__init__(name, "_".join(str(part) for part in parts if part), write_csv)
        self.sentences1 = require_texts(sentences1, "sentences1")
        self.sentences2 = require_texts(sentences2, "sentences2")
        self.scores = require_numbers(scores, "scores")
        count = require_equal_lengths(
            sentences1=self.sentences1, sentences2=self.sentences2, scores=self.scores
        )
        require_examples(count, MIN_PAIRS, "sentences1")
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.main_similarity, self.similarity_fn_names = main_and_names(main_similarity, similarity_fn_names)
        if precision is not None and precision not in get_args(QuantizedPrecision):
            raise InvalidValueError(
                "precision-unknown",
                f"precision is {precision!r}",
                expected=f"one of {', '.join(get_args(QuantizedPrecision))}",
            )
        self.precision = precision
        self.truncate_dim = truncate_dim
        self.data_notices = few_examples_notice(count, "pairs")

    @classmethod
    def from_input_examples(cls, examples: Iterable[InputExample] | DataLoader[Any], **kwargs: Any) -> Self:
        """Take pairs with scores from a list of examples, or from a DataLoader over one.

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
        """Pearson's and Spearman's correlation for each similarity."""
        left, right = embed(
            model.encode,
            self.sentences1,
            self.sentences2,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            truncate_dim=self.truncate_dim,
            precision=self.precision,
            normalize_embeddings=True if self.precision else None,
        )
        left, right = (_unpacked(side, self.precision) for side in (left, right))
        names = self.similarity_fn_names or (model_similarity(model),)
        gold = np.asarray(self.scores)
        metrics: dict[str, Score] = {}
        for similarity in names:
            found = pair_scores(similarity, left, right)
            metrics[f"pearson_{similarity}"] = pearson(gold, found)
            metrics[f"spearman_{similarity}"] = spearman(gold, found)
        columns = {
            f"{similarity}_{metric}": metrics[f"{metric}_{similarity}"]
            for similarity in names
            for metric in ("pearson", "spearman")
        }
        if len(names) > 1:
            for metric in ("pearson", "spearman"):
                metrics[f"{metric}_max"] = best([metrics[f"{metric}_{name}"] for name in names])
        main = self.main_similarity or (names[0] if len(names) == 1 else "max")
        return Measured(metrics, f"spearman_{main}", columns)

    def texts(self) -> list[str]:
        """Both sides of every pair."""
        return [*self.sentences1, *self.sentences2]


def _unpacked(rows: Tensor, precision: str | None) -> Tensor:
    """Quantised embeddings as float32; binary ones hold eight components a byte, the signed form less 128."""
    if precision not in ("binary", "ubinary"):
        return rows.float() if precision in ("int8", "uint8") else rows
    bytes_ = rows.cpu().numpy().astype(np.int16) + (128 if precision == "binary" else 0)
    return torch.from_numpy(np.unpackbits(bytes_.astype(np.uint8), axis=1)).float()
