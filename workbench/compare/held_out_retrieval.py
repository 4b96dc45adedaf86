"""Held-out data where texts are to be found: queries against a corpus, labelled texts by their neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench.compare.held_out import Rows
from workbench.compare.item_scores import ItemScores
from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.evaluation.judgments import Judgments, read_judgments

# Metric and depth, the primary first.
_RETRIEVAL = (("ndcg", 10), ("mrr", 10), ("accuracy", 1), ("recall", 10))
_LABELS = (("accuracy", 1), ("precision", 10), ("mrr", 10))
_DEPTH = 10
_CHUNK = 50_000


@dataclass(frozen=True)
class Retrieval:
    """Queries, a corpus and what is relevant; made by `retrieval`. The primary metric is nDCG@10.

    Documents of one score stand for every order of them, as in the evaluator of retrieval.
    """

    judged: Judgments

    shape = "retrieval"
    primary = "ndcg@10"

    @property
    def items(self) -> int:
        return len(self.judged.queries)

    def queries(self) -> Sequence[str]:
        return self.judged.queries

    def documents(self) -> Sequence[str]:
        return self.judged.corpus

    def item_texts(self, item: int) -> tuple[str, ...]:
        # Whatever stood beside it in training: a query that was trained on is no held-out query.
        return (self.judged.queries[item],)

    def subset(self, rows: Sequence[int]) -> Self:
        judged = self.judged
        kept = replace(
            judged,
            query_ids=[judged.query_ids[row] for row in rows],
            queries=[judged.queries[row] for row in rows],
            relevant=[judged.relevant[row] for row in rows],
            totals=[judged.totals[row] for row in rows],
        )
        return type(self)(kept)

    def scores(self, queries: Rows, documents: Rows) -> Mapping[str, ItemScores]:
        from workbench.evaluation.metrics.ranking import tie_groups

        def rankings() -> Iterator[tuple[list[Any], int]]:
            place, sizes, scored = _scored(queries, documents)
            for scores, found, total in zip(scored, self.judged.relevant, self.judged.totals, strict=True):
                relevant = np.bincount(place[found], minlength=len(scores))
                yield tie_groups(scores, relevant, sizes, _DEPTH), total

        return _by_query(_RETRIEVAL, rankings())


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with a class each; made by `labelled_texts`. Each is classified by its nearest other texts.

    The primary metric, accuracy@1, is the chance that the nearest other text has the same label. The texts
    it is found among are not resampled.

    Attributes:
        texts, labels: All texts.
        asked: Which of them are items: those with another text of their label.
    """

    texts: tuple[str, ...]
    labels: tuple[Any, ...]
    asked: tuple[int, ...]

    shape = "labelled texts"
    primary = "accuracy@1"

    @property
    def items(self) -> int:
        return len(self.asked)

    def queries(self) -> Sequence[str]:
        return ()

    def documents(self) -> Sequence[str]:
        return self.texts

    def item_texts(self, item: int) -> tuple[str, ...]:
        return (self.texts[self.asked[item]],)

    def subset(self, rows: Sequence[int]) -> Self:
        return replace(self, asked=tuple(self.asked[row] for row in rows))

    def scores(self, queries: Rows, documents: Rows) -> Mapping[str, ItemScores]:
        from workbench.evaluation.metrics.ranking import tie_groups

        codes = np.unique(np.asarray([str(label) for label in self.labels]), return_inverse=True)[1]

        def rankings() -> Iterator[tuple[list[Any], int]]:
            place, sizes, scored = _scored(documents[list(self.asked)], documents)
            for scores, text in zip(scored, self.asked, strict=True):
                same = codes == codes[text]
                same[text] = False
                others = sizes.copy()
                others[place[text]] -= 1
                relevant = np.bincount(place[same], minlength=len(scores))
                yield tie_groups(scores, relevant, others, _DEPTH), int(same.sum())

        return _by_query(_LABELS, rankings())


def retrieval(
    queries: Mapping[Any, str], corpus: Mapping[Any, str], relevant: Mapping[Any, Iterable[Any]]
) -> Retrieval:
    """Check a retrieval task.

    Args:
        queries: Id → text.
        corpus: Id → text.
        relevant: Query id → ids of its relevant documents.

    Raises:
        InvalidTypeError, InvalidValueError: See ``read_judgments``.
    """
    return Retrieval(read_judgments(queries, corpus, relevant))


def labelled_texts(texts: Sequence[str], labels: Sequence[Any]) -> LabelledTexts:
    """Check texts with a class each, a number or a name.

    Raises:
        InvalidTypeError: A text of another type.
        InvalidValueError: No label stands at two texts, or all texts have the same.
        ShapeMismatchError: Columns of different lengths.
    """
    from workbench.evaluation.checks import require_texts

    checked = require_texts(texts, "texts")
    if len(checked) != len(labels):
        raise ShapeMismatchError(
            "columns-differ-in-length", f"{len(checked)} texts, {len(labels)} labels", expected="one each"
        )
    names = [str(label) for label in labels]
    at = Counter(names)
    asked = tuple(row for row, name in enumerate(names) if at[name] > 1)
    if not asked or len(set(names)) < 2:
        raise InvalidValueError(
            "labels-without-contrast",
            f"{len(set(names))} labels over {len(names)} texts",
            expected="at least two labels, one of them at two texts or more",
            where="labels",
        )
    return LabelledTexts(tuple(checked), tuple(labels), asked)


def _scored(
    queries: Rows, documents: Rows
) -> tuple[NDArray[np.int64], NDArray[np.int64], Iterator[NDArray[Any]]]:
    """Place of each document among the distinct rows, how many share each, and the cosines of each query."""
    import torch

    from workbench.evaluation.ties import distinct_rows, score_rows
    from workbench.util.similarity import cos_sim

    corpus = distinct_rows(torch.from_numpy(np.ascontiguousarray(documents, dtype=np.float32)))
    asked = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32))
    return corpus.place, corpus.sizes, score_rows(asked, corpus.rows, cos_sim, _CHUNK)


def _by_query(
    wanted: Sequence[tuple[str, int]], rankings: Iterable[tuple[list[Any], int]]
) -> dict[str, ItemScores]:
    from workbench.evaluation.depths import METRICS

    values: dict[str, list[float]] = {f"{metric}@{k}": [] for metric, k in wanted}
    for groups, total in rankings:
        for metric, k in wanted:
            values[f"{metric}@{k}"].append(METRICS[metric][1](groups, k, total))
    return {name: ItemScores(name, np.asarray(each, dtype=np.float64)) for name, each in values.items()}
