"""How well a model finds the documents that answer a query in a corpus."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workbench.errors import UnknownNameError
from workbench.evaluation.depths import mean_over_queries, read_depths
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.judgments import read_judgments
from workbench.evaluation.metrics.ranking import TieGroup, tie_groups
from workbench.evaluation.metrics.score import Score, Undefined
from workbench.evaluation.results_file import file_name_part, replace_text
from workbench.evaluation.similarities import model_similarity
from workbench.evaluation.ties import DistinctRows, ScoreFunction, distinct_rows, score_rows
from workbench.models.protocols import Encoder
from workbench.util.checks import require_count
from workbench.util.similarity import SimilarityFunction


class InformationRetrievalEvaluator(SentenceEvaluator):
    """Ranks a corpus for each query; the primary metric is nDCG at its largest depth.

    Documents of one score stand for every order of them: the figures are expectations, and no order of the
    corpus changes them. Queries and documents are encoded as such.

    Args:
        queries: Id → text. Those without a relevant document are left out and counted.
        corpus: Id → text.
        relevant_docs: Query id → ids of its relevant documents.
        corpus_chunk_size: Documents that are scored at a time.
        mrr_at_k, ndcg_at_k, accuracy_at_k, precision_recall_at_k, map_at_k: Depths of the metrics.
        show_progress_bar: Handed to ``encode``.
        batch_size: Texts a forward call.
        name: Put before the metrics' names.
        write_csv: Whether a call with an output path writes a CSV file.
        score_functions: Name → function; by default the model's similarity.
        main_score_function: The one of the primary metric; by default the best of the first call.
        truncate_dim: Components of an embedding to keep.
        query_prompt, query_prompt_name, corpus_prompt, corpus_prompt_name: Handed to ``encode_query`` and
            ``encode_document``.
        write_predictions: Also write the first documents of each query, as JSON lines.

    Raises:
        InvalidTypeError, InvalidValueError: See `read_judgments` and `read_depths`.

    Source: sentence-transformers' class of this name; untied figures as trec_eval's.
    """

    def __init__(
        self,
        queries: Mapping[str, str],
        corpus: Mapping[str, str],
        relevant_docs: Mapping[str, Iterable[str]],
        corpus_chunk_size: int = 50000,
        mrr_at_k: Sequence[int] = (10,),
        ndcg_at_k: Sequence[int] = (10,),
        accuracy_at_k: Sequence[int] = (1, 3, 5, 10),
        precision_recall_at_k: Sequence[int] = (1, 3, 5, 10),
        map_at_k: Sequence[int] = (100,),
        show_progress_bar: bool | None = False,
        batch_size: int = 32,
        name: str = "",
        write_csv: bool = True,
        score_functions: Mapping[str, ScoreFunction] | None = None,
        main_score_function: str | SimilarityFunction | None = None,
        *,
        truncate_dim: int | None = None,
        query_prompt: str | None = None,
        query_prompt_name: str | None = None,
        corpus_prompt: str | None = None,
        corpus_prompt_name: str | None = None,
        write_predictions: bool = False,
    ) -> None:
        stem = f"Information-Retrieval_evaluation{'_' if name else ''}{name}"
        super().__init__(name, f"{stem}_results.csv", write_csv)
        self.judged = read_judgments(queries, corpus, relevant_docs)
        self.depths = read_depths(mrr_at_k, ndcg_at_k, accuracy_at_k, precision_recall_at_k, map_at_k)
        self.corpus_chunk_size = require_count(corpus_chunk_size, "corpus_chunk_size")
        self.show_progress_bar = show_progress_bar
        self.batch_size = batch_size
        self.score_functions = dict(sorted(score_functions.items())) if score_functions else None
        main = main_score_function
        self.main_score_function: str | None = main.value if isinstance(main, SimilarityFunction) else main
        self.best_score_function = ""
        self.truncate_dim = truncate_dim
        self.query_prompts: dict[str, Any] = {"prompt": query_prompt, "prompt_name": query_prompt_name}
        self.corpus_prompts: dict[str, Any] = {"prompt": corpus_prompt, "prompt_name": corpus_prompt_name}
        self.predictions_file = f"{file_name_part(stem)}_predictions" if write_predictions else None
        self.data_notices = self.judged.notices + few_examples_notice(len(self.judged.queries), "queries")

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Every metric at every depth for each score function."""
        functions = self._functions(model)
        queries, documents = self._embedded(model)
        found = {}
        for name, score in functions.items():
            scored = score_rows(queries, documents.rows, score, self.corpus_chunk_size)
            if self.predictions_file and output_path is not None:
                every = list(scored)
                self._write_predictions(output_path, name, documents, every)
                scored = iter(every)
            found[name] = mean_over_queries(self.depths, self._rankings(scored, documents))
        metrics = {f"{name}_{metric}": score for name in found for metric, score in found[name].items()}
        columns = {
            f"{name}-{column}": found[name][metric]
            for name in found
            for column, metric in self.depths.columns().items()
        }
        return Measured(metrics, f"{self._main(found)}_{self.depths.primary}", columns)

    def texts(self) -> list[str]:
        """Queries and documents."""
        return [*self.judged.queries, *self.judged.corpus]

    def _functions(self, model: Encoder) -> Mapping[str, ScoreFunction]:
        functions = self.score_functions or {model_similarity(model): model.similarity}
        if self.main_score_function and self.main_score_function not in functions:
            raise UnknownNameError(
                "main-score-function-not-computed",
                f"main_score_function is {self.main_score_function!r}",
                expected=f"one of {', '.join(functions)}",
                fix="Give score_functions={name: function}",
            )
        return functions

    def _embedded(self, model: Encoder) -> tuple[Tensor, DistinctRows]:
        options: dict[str, Any] = {
            "batch_size": self.batch_size,
            "show_progress_bar": self.show_progress_bar,
            "truncate_dim": self.truncate_dim,
        }
        (queries,) = embed(model.encode_query, self.judged.queries, **options, **self.query_prompts)
        (documents,) = embed(model.encode_document, self.judged.corpus, **options, **self.corpus_prompts)
        return queries, distinct_rows(documents)

    def _rankings(
        self, scored: Iterator[NDArray[Any]], documents: DistinctRows
    ) -> Iterator[tuple[list[TieGroup], int]]:
        deepest = self.depths.deepest
        for scores, places, total in zip(scored, self.judged.relevant, self.judged.totals, strict=True):
            relevant = np.bincount(documents.place[places], minlength=len(scores))
            yield tie_groups(scores, relevant, documents.sizes, deepest), total

    def _main(self, found: Mapping[str, Mapping[str, Score]]) -> str:
        """The score function of the primary metric; once chosen it stays, or epochs could not be compared."""
        if self.main_score_function:
            return self.main_score_function
        if self.best_score_function not in found:
            self.best_score_function = max(found, key=lambda name: _rank(found[name][self.depths.primary]))
        return self.best_score_function

    def _write_predictions(
        self, folder: Path, name: str, documents: DistinctRows, scored: Sequence[NDArray[Any]]
    ) -> None:
        ids = self.judged.corpus_ids
        by_id = np.argsort(np.argsort(np.asarray(ids, dtype=object), kind="stable"), kind="stable")
        lines = []
        for number, scores in enumerate(scored):
            every = scores[documents.place]
            first = np.lexsort((by_id, -every))[: self.depths.deepest]
            line = {
                "query_id": self.judged.query_ids[number],
                "query": self.judged.queries[number],
                "results": [{"corpus_id": ids[place], "score": float(every[place])} for place in first],
            }
            lines.append(json.dumps(line) + "\n")
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / f"{self.predictions_file}_{file_name_part(name)}.jsonl", "".join(lines))


def _rank(score: Score) -> float:
    return -np.inf if isinstance(score, Undefined) else score
