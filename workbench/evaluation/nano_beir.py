"""Retrieval on NanoBEIR, thirteen small cuts of the BEIR benchmark, fetched from the Hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DataFileError, InvalidValueError, MissingExtraError, UnknownNameError
from workbench.evaluation.depths import read_depths
from workbench.evaluation.evaluator import Measured, Metrics, SentenceEvaluator
from workbench.evaluation.information_retrieval import InformationRetrievalEvaluator
from workbench.evaluation.metrics.score import Score, Undefined, mean
from workbench.evaluation.ties import ScoreFunction
from workbench.models.protocols import Encoder
from workbench.util.similarity import SimilarityFunction

# Name → the name that its splits and metrics carry.
DATASETS: dict[str, str] = {
    "climatefever": "ClimateFEVER",
    "dbpedia": "DBPedia",
    "fever": "FEVER",
    "fiqa2018": "FiQA2018",
    "hotpotqa": "HotpotQA",
    "msmarco": "MSMARCO",
    "nfcorpus": "NFCorpus",
    "nq": "NQ",
    "quoraretrieval": "QuoraRetrieval",
    "scidocs": "SCIDOCS",
    "arguana": "ArguAna",
    "scifact": "SciFact",
    "touche2020": "Touche2020",
}
_COLUMNS = {"corpus": ("_id", "text"), "queries": ("_id", "text"), "qrels": ("query-id", "corpus-id")}
_HUB_NAME = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}")


class NanoBEIREvaluator(SentenceEvaluator):
    """Runs retrieval on each data set and averages; the primary metric is the mean nDCG at the largest depth.

    Args:
        dataset_names: Some of ``DATASETS``, in any case; by default all.
        dataset_id: Data set on the Hub with the parts ``corpus``, ``queries`` and ``qrels``.
        mrr_at_k, ndcg_at_k, accuracy_at_k, precision_recall_at_k, map_at_k, show_progress_bar, batch_size,
        write_csv, truncate_dim, score_functions, main_score_function, write_predictions: As in
            `InformationRetrievalEvaluator`.
        aggregate_fn: From the data sets' scores to one; their mean by default.
        aggregate_key: How that is called in the metrics' names.
        query_prompts, corpus_prompts: One for all, or by the name of each data set.

    Raises:
        InvalidValueError: No data set, or a ``dataset_id`` that is no name on the Hub.
        UnknownNameError: A data set that does not exist, or one without a prompt.
        MissingExtraError: The package ``datasets`` is not installed.
        DataFileError: The data cannot be fetched, or lack a column.

    Source: sentence-transformers' class of this name.
    """

    def __init__(
        self,
        dataset_names: Sequence[str] | None = None,
        dataset_id: str = "sentence-transformers/NanoBEIR-en",
        mrr_at_k: Sequence[int] = (10,),
        ndcg_at_k: Sequence[int] = (10,),
        accuracy_at_k: Sequence[int] = (1, 3, 5, 10),
        precision_recall_at_k: Sequence[int] = (1, 3, 5, 10),
        map_at_k: Sequence[int] = (100,),
        show_progress_bar: bool | None = False,
        batch_size: int = 32,
        write_csv: bool = True,
        truncate_dim: int | None = None,
        score_functions: Mapping[str, ScoreFunction] | None = None,
        main_score_function: str | SimilarityFunction | None = None,
        aggregate_fn: Callable[[list[float]], float] | None = None,
        aggregate_key: str = "mean",
        query_prompts: str | Mapping[str, str] | None = None,
        corpus_prompts: str | Mapping[str, str] | None = None,
        write_predictions: bool = False,
    ) -> None:
        name = f"NanoBEIR_{aggregate_key}" + (f"_{truncate_dim}" if truncate_dim else "")
        super().__init__(name, f"NanoBEIR_evaluation_{aggregate_key}_results.csv", write_csv)
        self.dataset_names = _names(dataset_names)
        self.dataset_id = _hub_name(dataset_id)
        self.depths = read_depths(mrr_at_k, ndcg_at_k, accuracy_at_k, precision_recall_at_k, map_at_k)
        self.aggregate_fn = aggregate_fn
        for_queries = _prompts(query_prompts, self.dataset_names, "query_prompts")
        for_corpus = _prompts(corpus_prompts, self.dataset_names, "corpus_prompts")
        self.evaluators = [
            InformationRetrievalEvaluator(
                *_load(self.dataset_id, dataset),
                mrr_at_k=mrr_at_k,
                ndcg_at_k=ndcg_at_k,
                accuracy_at_k=accuracy_at_k,
                precision_recall_at_k=precision_recall_at_k,
                map_at_k=map_at_k,
                show_progress_bar=show_progress_bar,
                batch_size=batch_size,
                name=_readable(dataset) + (f"_{truncate_dim}" if truncate_dim else ""),
                write_csv=write_csv,
                score_functions=score_functions,
                main_score_function=main_score_function,
                truncate_dim=truncate_dim,
                write_predictions=write_predictions,
                query_prompt=for_queries.get(dataset),
                corpus_prompt=for_corpus.get(dataset),
            )
            for dataset in self.dataset_names
        ]
        self.main_score_function = self.evaluators[0].main_score_function
        self.data_notices = tuple(
            f"{evaluator.name}: {notice}"
            for evaluator in self.evaluators
            for notice in evaluator.data_notices
        )
        self.dataset_results: Metrics = {}

    def __call__(
        self, model: Encoder, output_path: str | Path | None = None, epoch: int = -1, steps: int = -1
    ) -> Metrics:
        """The metrics of each data set under its own name, and their aggregates."""
        aggregates = super().__call__(model, output_path, epoch, steps)
        return {**self.dataset_results, **aggregates}

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """The aggregate of each metric over the data sets."""
        per_metric: dict[str, list[Score]] = {}
        self.dataset_results = {}
        for evaluator in self.evaluators:
            found = evaluator(model, output_path, epoch, steps)
            self.dataset_results |= found
            for key, value in found.items():
                score = Undefined("undefined on a data set") if value is None else value
                per_metric.setdefault(key.removeprefix(f"{evaluator.name}_"), []).append(score)
        metrics = {metric: self._aggregate(scores) for metric, scores in per_metric.items()}
        functions = list(dict.fromkeys(metric.rsplit("_", 1)[0] for metric in metrics))
        columns = {
            f"{function}-{column}": metrics[f"{function}_{metric}"]
            for function in functions
            for column, metric in self.depths.columns().items()
        }
        return Measured(metrics, f"{self._main(metrics, functions)}_{self.depths.primary}", columns)

    def texts(self) -> list[str]:
        """Queries and documents of all data sets."""
        return [text for evaluator in self.evaluators for text in evaluator.texts()]

    def _aggregate(self, scores: list[Score]) -> Score:
        if self.aggregate_fn is None:
            return mean(scores)
        defined = [score for score in scores if not isinstance(score, Undefined)]
        return float(self.aggregate_fn(defined)) if len(defined) == len(scores) else Undefined("a part is")

    def _main(self, metrics: Mapping[str, Score], functions: Sequence[str]) -> str:
        if self.main_score_function is None or self.main_score_function not in functions:
            ranked = {name: metrics[f"{name}_{self.depths.primary}"] for name in functions}
            defined = {name: score for name, score in ranked.items() if not isinstance(score, Undefined)}
            self.main_score_function = max(defined, key=lambda name: defined[name], default=functions[0])
        return self.main_score_function


def _names(names: Sequence[str] | None) -> list[str]:
    if names is None:
        return list(DATASETS)
    if isinstance(names, str) or not len(names):
        raise InvalidValueError(
            "dataset-names-empty",
            f"{names!r}",
            expected="a list of names, or None for all",
            where="dataset_names",
        )
    for name in names:
        if str(name).lower() not in DATASETS:
            raise UnknownNameError(
                "nano-beir-unknown",
                f"{name!r}",
                expected=f"some of {', '.join(DATASETS)}",
                where="dataset_names",
            )
    return list(names)


def _readable(dataset: str) -> str:
    return f"Nano{DATASETS[dataset.lower()]}"


def _hub_name(name: str) -> str:
    # The package would also read a local folder, or run a builder of this name.
    if not isinstance(name, str) or not _HUB_NAME.fullmatch(name) or Path(name).exists():
        raise InvalidValueError(
            "dataset-id", f"{str(name)[:80]!r}", expected="owner/name on the Hub", where="dataset_id"
        )
    return name


def _prompts(prompts: str | Mapping[str, str] | None, datasets: Sequence[str], name: str) -> dict[str, str]:
    if prompts is None:
        return {}
    if isinstance(prompts, str):
        return dict.fromkeys(datasets, prompts)
    if missing := [dataset for dataset in datasets if dataset not in prompts]:
        raise UnknownNameError(
            "prompt-missing",
            f"no prompt for {', '.join(missing)}",
            expected="one for each data set, or one string for all",
            where=name,
        )
    return dict(prompts)


def _load(dataset_id: str, dataset: str) -> tuple[dict[str, str], dict[str, str], dict[str, set[str]]]:
    """Queries, corpus and relevant documents of one data set; empty texts are left out, as upstream does."""
    corpus, queries, judged = (_part(dataset_id, part, _readable(dataset)) for part in _COLUMNS)
    relevant: dict[str, set[str]] = {}
    for row in judged:
        documents = row["corpus-id"]
        relevant.setdefault(row["query-id"], set()).update(
            documents if isinstance(documents, list) else [documents]
        )
    return (
        {row["_id"]: row["text"] for row in queries if row["text"]},
        {row["_id"]: row["text"] for row in corpus if row["text"]},
        relevant,
    )


def _part(dataset_id: str, part: str, split: str) -> Any:
    try:
        from datasets import DownloadConfig, load_dataset
    except ImportError as error:
        raise MissingExtraError(
            "datasets-missing", "the package datasets is not installed", fix="pip install datasets"
        ) from error
    where = f"{dataset_id}, {part}, {split}"
    try:
        # No retries: without a network the answer must come at once. No token: the data are public.
        config = DownloadConfig(max_retries=0, token=False)
        rows = load_dataset(dataset_id, part, split=split, download_config=config, token=False)
    except Exception as error:  # The package documents no base class for what can go wrong on the way.
        raise DataFileError(
            "dataset-not-fetched",
            f"it could not be read: {type(error).__name__}: {str(error)[:200]}",
            fix="Check the name and the network, or choose another evaluator",
            where=where,
        ) from error
    if missing := [column for column in _COLUMNS[part] if column not in rows.column_names]:
        raise DataFileError(
            "dataset-column-missing",
            f"no column {', '.join(missing)}",
            expected=", ".join(_COLUMNS[part]),
            where=where,
        )
    return rows
