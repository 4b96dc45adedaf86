"""How well a model finds the pairs of one meaning among all pairs of many texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import InvalidTypeError
from workbench.evaluation.checks import require_examples, require_texts
from workbench.evaluation.embedding import embed
from workbench.evaluation.evaluator import Measured, SentenceEvaluator, few_examples_notice
from workbench.evaluation.judgments import require_one_type
from workbench.evaluation.metrics.average_precision import average_precision
from workbench.evaluation.metrics.score import Score, Undefined
from workbench.evaluation.metrics.thresholds import best_f1, cuts
from workbench.models.protocols import Encoder
from workbench.util.checks import require_count
from workbench.util.retrieval import paraphrase_mining_embeddings

_METRICS = ("average_precision", "f1", "precision", "recall", "threshold")
_COLUMNS = ("precision", "recall", "f1", "threshold", "average_precision")


class ParaphraseMiningEvaluator(SentenceEvaluator):
    """Mines the closest pairs by cosine and compares them with the known duplicates.

    Args:
        sentences_map: Id → text.
        duplicates_list: Pairs of ids that mean the same. Those with an unknown id are counted and left out.
        duplicates_dict: The same as ``{id: {other id: True}}``.
        add_transitive_closure: Whether with (a, b) and (b, c) also (a, c) means the same.
        query_chunk_size, corpus_chunk_size: Texts that are compared at a time.
        max_pairs: Pairs to mine at most.
        top_k: Neighbours of a text that may form a pair with it.
        show_progress_bar: Handed to ``encode``.
        batch_size: Texts a forward call.
        name: Put before the metrics' names.
        write_csv: Whether a call with an output path writes a CSV file.
        truncate_dim: Components of an embedding to keep.

    Raises:
        InvalidTypeError: Ids that are neither all strings nor all integers; a text of another type.
        InvalidValueError: Fewer than two texts.

    Source: sentence-transformers' class of this name. Without known duplicates every metric is undefined;
    there they are 0.
    """

    def __init__(
        self,
        sentences_map: Mapping[str, str],
        duplicates_list: Iterable[tuple[str, str]] | None = None,
        duplicates_dict: Mapping[str, Mapping[str, bool]] | None = None,
        add_transitive_closure: bool = False,
        query_chunk_size: int = 5000,
        corpus_chunk_size: int = 100000,
        max_pairs: int = 500000,
        top_k: int = 100,
        show_progress_bar: bool | None = False,
        batch_size: int = 16,
        name: str = "",
        write_csv: bool = True,
        truncate_dim: int | None = None,
    ) -> None:
        file = f"paraphrase_mining_evaluation{'_' if name else ''}{name}_results.csv"
        super().__init__(name, file, write_csv)
        if not isinstance(sentences_map, Mapping):
            raise InvalidTypeError(
                "ids-without-mapping",
                f"a {type(sentences_map).__name__}",
                expected="a dict by id",
                where="sentences_map",
            )
        require_examples(len(sentences_map), 2, "sentences_map")
        stated = [*_listed(duplicates_list), *_of_dict(duplicates_dict)]
        require_one_type("ids of sentences_map", sentences_map, (key for pair in stated for key in pair))
        texts = dict(
            zip(sentences_map, require_texts(list(sentences_map.values()), "sentences_map"), strict=True)
        )
        # By text, not as they came: of many equally near neighbours those mined must not depend on the order.
        self.ids = sorted(texts, key=lambda key: (texts[key], key))
        self.sentences = [texts[key] for key in self.ids]
        pairs = {frozenset(pair) for pair in stated}
        known = {pair for pair in pairs if len(pair) == 2 and all(key in texts for key in pair)}
        self.duplicates = set(_closed(known)) if add_transitive_closure else known
        self.sizes: dict[str, Any] = {
            name: require_count(value, name)
            for name, value in (
                ("query_chunk_size", query_chunk_size),
                ("corpus_chunk_size", corpus_chunk_size),
                ("max_pairs", max_pairs),
                ("top_k", top_k),
            )
        }
        self.show_progress_bar = show_progress_bar
        self.batch_size = batch_size
        self.truncate_dim = truncate_dim
        self.data_notices = few_examples_notice(len(texts), "texts")
        if left_out := len(pairs) - len(known):
            self.data_notices += (
                f"{left_out:,} duplicates name an unknown id, or one id twice, and are left out",
            )

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Average precision, and F1, precision and recall at the best threshold."""
        (rows,) = embed(
            model.encode,
            self.sentences,
            batch_size=self.batch_size,
            show_progress_bar=self.show_progress_bar,
            truncate_dim=self.truncate_dim,
        )
        metrics = self._metrics(paraphrase_mining_embeddings(rows, **self.sizes))
        return Measured(metrics, "average_precision", {column: metrics[column] for column in _COLUMNS})

    def texts(self) -> list[str]:
        """All texts."""
        return self.sentences

    def _metrics(self, mined: list[list[Any]]) -> dict[str, Score]:
        if not self.duplicates:
            return dict.fromkeys(_METRICS, Undefined("no duplicates are known: there is nothing to find"))
        scores = np.asarray([score for score, _, _ in mined])
        right = np.asarray([frozenset((self.ids[i], self.ids[j])) in self.duplicates for _, i, j in mined])
        every = cuts(scores, right)
        found = best_f1(every, len(self.duplicates))
        return {
            "average_precision": average_precision(every, len(self.duplicates)),
            "f1": found.f1,
            "precision": found.precision,
            "recall": found.recall,
            "threshold": found.threshold if found.correct else Undefined("no duplicate was mined"),
        }


def _listed(pairs: Iterable[Any] | None) -> Iterator[tuple[Any, Any]]:
    for row, pair in enumerate(pairs or ()):
        if isinstance(pair, str | bytes) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise InvalidTypeError(
                "not-a-pair", repr(pair)[:60], expected="two ids", where=f"duplicates_list, row {row}"
            )
        first, second = pair
        yield first, second


def _of_dict(duplicates: Mapping[Any, Mapping[Any, bool]] | None) -> Iterator[tuple[Any, Any]]:
    for first, others in (duplicates or {}).items():
        yield from ((first, second) for second, same in others.items() if same)


def _closed(pairs: Iterable[frozenset[Any]]) -> Iterator[frozenset[Any]]:
    """All pairs within the groups that the pairs join."""
    neighbours: dict[Any, set[Any]] = defaultdict(set)
    for first, second in pairs:
        neighbours[first].add(second)
        neighbours[second].add(first)
    seen: set[Any] = set()
    for start in neighbours:
        if start in seen:
            continue
        group, waiting = {start}, [start]
        while waiting:
            fresh = neighbours[waiting.pop()] - group
            group |= fresh
            waiting.extend(fresh)
        seen |= group
        yield from map(frozenset, combinations(group, 2))
