"""How often the nearest target of a source is its translation, and the other way round."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from workbench.evaluation.checks import require_equal_lengths, require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.ties import distinct_rows, score_rows
from workbench.models.protocols import Encoder
from workbench.util.similarity import cos_sim

logger = logging.getLogger(__name__)

_CHUNK_SIZE = 50000


class TranslationEvaluator(SentenceEvaluator):
    """Matches sources and targets by cosine; the primary metric is the mean of both directions' accuracy.

    Where several targets are equally near, the share of right ones among them counts. Equal texts stand for
    each other.

    Args:
        source_sentences, target_sentences: Texts and their translations.
        show_progress_bar: Handed to ``encode``.
        batch_size: Texts a forward call.
        name: Put before the metrics' names.
        print_wrong_matches: Log each source whose nearest target is wrong.
        write_csv: Whether a call with an output path writes a CSV file.
        truncate_dim: Components of an embedding to keep.

    Raises:
        InvalidTypeError: A text of another type.
        ShapeMismatchError: Columns of different lengths.

    Source: sentence-transformers' class of this name, which takes the first of equally near ones.
    """

    def __init__(
        self,
        source_sentences: Sequence[str],
        target_sentences: Sequence[str],
        show_progress_bar: bool | None = False,
        batch_size: int = 16,
        name: str = "",
        print_wrong_matches: bool = False,
        write_csv: bool = True,
        truncate_dim: int | None = None,
    ) -> None:
        super().__init__(name, f"translation_evaluation{'_' if name else ''}{name}_results.csv", write_csv)
        self.source_sentences = require_texts(source_sentences, "source_sentences")
        self.target_sentences = require_texts(target_sentences, "target_sentences")
        count = require_equal_lengths(
            source_sentences=self.source_sentences, target_sentences=self.target_sentences
        )
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.print_wrong_matches = print_wrong_matches
        self.truncate_dim = truncate_dim
        self.data_notices = few_examples_notice(count, "translations")

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Accuracy from source to target, from target to source, and their mean."""
        sources, targets = embed(
            model.encode,
            self.source_sentences,
            self.target_sentences,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            truncate_dim=self.truncate_dim,
        )
        forward = _accuracy(sources, targets, self.target_sentences, self.print_wrong_matches)
        backward = _accuracy(targets, sources, self.source_sentences, False)
        metrics = {
            "src2trg_accuracy": forward,
            "trg2src_accuracy": backward,
            "mean_accuracy": (forward + backward) / 2,
        }
        return Measured(metrics, "mean_accuracy", {"src2trg": forward, "trg2src": backward})

    def texts(self) -> list[str]:
        """Sources and targets."""
        return [*self.source_sentences, *self.target_sentences]


def _accuracy(queries: Tensor, candidates: Tensor, texts: list[str], log_wrong: bool) -> float:
    """Mean over the queries of the share of right texts among their nearest candidates."""
    distinct = distinct_rows(candidates)
    # Equal texts have equal embeddings: the copies of a text all stand in one distinct row.
    ids = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    text_ids = np.asarray([ids[text] for text in texts])
    copies = np.bincount(text_ids)
    total = 0.0
    scored = score_rows(queries, distinct.rows, cos_sim, _CHUNK_SIZE)
    for row, scores in enumerate(scored):
        nearest = scores == scores.max()
        if nearest[distinct.place[row]]:
            total += float(copies[text_ids[row]] / distinct.sizes[nearest].sum())
        elif log_wrong:
            found = int(np.flatnonzero(nearest[distinct.place])[0])
            logger.info("Text %d %r is nearest to %d, not to its own translation", row, texts[row], found)
    return total / len(texts)
