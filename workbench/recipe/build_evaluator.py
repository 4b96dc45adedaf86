"""The evaluator that chooses the best model of a run, by the shape of the data kept back for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.compare.held_out import HeldOut, ScoredPairs, Triplets
from workbench.compare.held_out_retrieval import LabelledTexts, Retrieval
from workbench.compare.item_scores import metric_value
from workbench.compare.judged_models import embedded, judged_model, scores_of
from workbench.errors import UnknownNameError
from workbench.evaluation import (
    EmbeddingSimilarityEvaluator,
    InformationRetrievalEvaluator,
    TripletEvaluator,
)
from workbench.evaluation.evaluator import Measured, SentenceEvaluator
from workbench.evaluation.metrics.score import Undefined
from workbench.models.protocols import Encoder


class NearestTextEvaluator(SentenceEvaluator):
    """Labelled texts, each classified by its nearest other text; the primary metric is ``accuracy@1``."""

    def __init__(self, data: LabelledTexts, name: str = "") -> None:
        super().__init__(
            name=name, csv_file=f"nearest_text_evaluation{f'_{name}' if name else ''}_results.csv"
        )
        self.data = data

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """The metrics of ``LabelledTexts``."""
        found = scores_of(embedded(judged_model("model", model), self.data), self.data)
        if isinstance(found, Undefined):
            return Measured({self.data.primary: found}, self.data.primary, {self.data.primary: found})
        values = {name: metric_value(scores) for name, scores in found.items()}
        return Measured(values, self.data.primary, values)


def _similarity(data: ScoredPairs, name: str) -> SentenceEvaluator:
    return EmbeddingSimilarityEvaluator(
        list(data.sentences1), list(data.sentences2), list(data.gold), name=name, main_similarity="cosine"
    )


def _triplets(data: Triplets, name: str) -> SentenceEvaluator:
    return TripletEvaluator(list(data.anchors), list(data.positives), list(data.negatives), name=name)


def _retrieval(data: Retrieval, name: str) -> SentenceEvaluator:
    judged = data.judged
    return InformationRetrievalEvaluator(
        queries=dict(zip(judged.query_ids, judged.queries, strict=True)),
        corpus=dict(zip(judged.corpus_ids, judged.corpus, strict=True)),
        relevant_docs={
            query: {judged.corpus_ids[place] for place in found}
            for query, found in zip(judged.query_ids, judged.relevant, strict=True)
        },
        name=name,
    )


_BY_SHAPE: dict[str, tuple[str, Callable[[Any, str], SentenceEvaluator]]] = {
    "scored pairs": ("EmbeddingSimilarityEvaluator", _similarity),
    "triplets": ("TripletEvaluator", _triplets),
    "retrieval": ("InformationRetrievalEvaluator", _retrieval),
    "labelled texts": ("NearestTextEvaluator", NearestTextEvaluator),
}


def build_evaluator(wanted: str, data: HeldOut | None, name: str = "dev") -> SentenceEvaluator | None:
    """The evaluator for held-out data.

    Args:
        wanted: ``auto``, ``none``, or the name of the one that fits, as a check.
        data: What it evaluates on; None for nothing.
        name: Put before its metrics.

    Raises:
        UnknownNameError: ``evaluator-does-not-fit``.
    """
    if wanted == "none" or data is None:
        return None
    fitting, build = _BY_SHAPE[data.shape]
    if wanted not in ("auto", fitting):
        raise UnknownNameError(
            "evaluator-does-not-fit",
            repr(wanted),
            expected=f"auto, none, or {fitting}: the data kept back are {data.shape}",
            where="evaluator",
        )
    return build(data, name)
