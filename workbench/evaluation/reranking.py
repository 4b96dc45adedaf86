"""How well a model puts the right documents of a short list first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InvalidTypeError, UnknownNameError
from workbench.evaluation.checks import require_examples, require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.metrics.ranking import (
    TieGroup,
    average_precision_at_k,
    ndcg_at_k,
    reciprocal_rank_at_k,
    tie_groups,
)
from workbench.evaluation.ties import DistinctRows, ScoreFunction, distinct_rows, score_rows
from workbench.models.protocols import Encoder
from workbench.util.checks import require_count
from workbench.util.similarity import cos_sim

_KEYS = ("query", "positive", "negative")


class RerankingEvaluator(SentenceEvaluator):
    """Ranks each query's own documents; the primary metric is nDCG at ``at_k``.

    Documents of one score stand for every order of them: the figures are expectations. Queries and documents
    are encoded as such.

    Args:
        samples: Dicts with ``query``, ``positive`` and ``negative``, the last two a text or a list of them; a
            dict of such samples too. Those without both kinds are left out and counted.
        at_k: Depth of MRR and nDCG; MAP takes in the whole list.
        name: Put before the metrics' names.
        write_csv: Whether a call with an output path writes a CSV file.
        similarity_fct: Scores queries against documents.
        batch_size: Texts a forward call.
        show_progress_bar: Handed to ``encode``.
        use_batched_encoding: Encode the documents of all samples together; else sample by sample, which
            holds fewer embeddings.
        truncate_dim: Components of an embedding to keep.
        mrr_at_k: The classic name of ``at_k``.

    Raises:
        InvalidTypeError, UnknownNameError: A sample that is no such dict, or a text of another type.
        InvalidValueError: No sample with both kinds.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        samples: Sequence[Mapping[str, Any]] | Mapping[Any, Mapping[str, Any]],
        at_k: int = 10,
        name: str = "",
        write_csv: bool = True,
        similarity_fct: ScoreFunction = cos_sim,
        batch_size: int = 64,
        show_progress_bar: bool | None = False,
        use_batched_encoding: bool = True,
        truncate_dim: int | None = None,
        mrr_at_k: int | None = None,
    ) -> None:
        self.at_k = require_count(at_k if mrr_at_k is None else mrr_at_k, "at_k")
        file = f"RerankingEvaluator{'_' if name else ''}{name}_results_@{self.at_k}.csv"
        super().__init__(name, file, write_csv)
        given = list(samples.values() if isinstance(samples, Mapping) else samples)
        read = [_read(sample, row) for row, sample in enumerate(given)]
        self.samples = [sample for sample in read if sample["positive"] and sample["negative"]]
        require_examples(len(self.samples), 1, "samples with a positive and a negative")
        self.similarity_fct = similarity_fct
        self.batch_size = batch_size
        self.show_progress_bar = show_progress_bar
        self.use_batched_encoding = use_batched_encoding
        self.truncate_dim = truncate_dim
        self.data_notices = _notices(given, self.samples) + few_examples_notice(len(self.samples), "samples")

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """MAP, MRR and nDCG, means over the samples."""
        step = len(self.samples) if self.use_batched_encoding else 1
        sums = np.zeros(3)
        for start in range(0, len(self.samples), step):
            for groups, positives, documents in self._rankings(model, self.samples[start : start + step]):
                sums += (
                    average_precision_at_k(groups, documents, positives),
                    reciprocal_rank_at_k(groups, self.at_k),
                    ndcg_at_k(groups, self.at_k, positives),
                )
        names = ("map", f"mrr@{self.at_k}", f"ndcg@{self.at_k}")
        metrics = dict(zip(names, (sums / len(self.samples)).tolist(), strict=True))
        return Measured(metrics, names[2], {metric.upper(): score for metric, score in metrics.items()})

    def texts(self) -> list[str]:
        """Queries and documents."""
        return [text for s in self.samples for text in (*s["query"], *s["positive"], *s["negative"])]

    def _rankings(
        self, model: Encoder, samples: Sequence[Mapping[str, list[str]]]
    ) -> Iterator[tuple[list[TieGroup], int, int]]:
        """For each sample where its positives stand, how many they are, and how many documents there are."""
        options: dict[str, Any] = {
            "batch_size": self.batch_size,
            "show_progress_bar": self.show_progress_bar,
            "truncate_dim": self.truncate_dim,
        }
        (queries,) = embed(model.encode_query, [sample["query"][0] for sample in samples], **options)
        texts = [text for sample in samples for text in (*sample["positive"], *sample["negative"])]
        (embedded,) = embed(model.encode_document, texts, **options)
        documents = distinct_rows(embedded)
        end = 0
        for query, sample in zip(queries, samples, strict=True):
            positives, count = len(sample["positive"]), len(sample["positive"]) + len(sample["negative"])
            start, end = end, end + count
            yield self._groups(query, documents, documents.place[start:end], positives), positives, count

    def _groups(self, query: Tensor, documents: DistinctRows, places: Any, positives: int) -> list[TieGroup]:
        rows, place, sizes = np.unique(places, return_inverse=True, return_counts=True)
        corpus = documents.rows[torch.from_numpy(rows).to(documents.rows.device)]
        (scores,) = score_rows(query.unsqueeze(0), corpus, self.similarity_fct, len(corpus))
        return tie_groups(scores, np.bincount(place[:positives], minlength=len(rows)), sizes)


def _read(sample: Any, row: int) -> dict[str, list[str]]:
    where = f"samples, row {row}"
    if not isinstance(sample, Mapping):
        raise InvalidTypeError(
            "sample-not-a-dict",
            f"a {type(sample).__name__}",
            expected=f"a dict with {', '.join(_KEYS)}",
            where=where,
        )
    if missing := [key for key in _KEYS if key not in sample]:
        raise UnknownNameError(
            "sample-key-missing", f"no {', '.join(missing)}", expected=", ".join(_KEYS), where=where
        )
    if not isinstance(sample["query"], str):
        raise InvalidTypeError(
            "text-not-a-string", f"a {type(sample['query']).__name__}", expected="one string", where=where
        )
    lists = {key: [sample[key]] if isinstance(sample[key], str) else sample[key] for key in _KEYS}
    return {key: require_texts(texts, f"{where}, {key}") for key, texts in lists.items()}


def _notices(given: Sequence[object], kept: Sequence[Mapping[str, list[str]]]) -> tuple[str, ...]:
    notices = []
    if left_out := len(given) - len(kept):
        notices.append(f"{left_out:,} samples have no positive or no negative and are left out")
    if both := sum(bool(set(sample["positive"]) & set(sample["negative"])) for sample in kept):
        notices.append(f"{both:,} samples have a text among their positives and their negatives")
    return tuple(notices)
