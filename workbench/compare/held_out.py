"""Held-out data that models are judged by: scored pairs, triplets, and the contract of every shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from workbench.compare.item_scores import ItemScores
from workbench.compare.similarity_matrix import row_cosines

Rows = NDArray[np.floating]


class HeldOut(Protocol):
    """Data of one shape: what is to be embedded, and what embeddings are worth on it, item by item."""

    @property
    def shape(self) -> str:
        """Name of the shape."""
        ...

    @property
    def items(self) -> int:
        """Items that are scored and resampled."""
        ...

    @property
    def primary(self) -> str:
        """The metric that the verdict is about."""
        ...

    def queries(self) -> Sequence[str]:
        """Texts to encode as queries; none where all texts are alike."""
        ...

    def documents(self) -> Sequence[str]:
        """Texts to encode as documents; all texts where they are alike."""
        ...

    def item_texts(self, item: int) -> tuple[str, ...]:
        """The texts that make an item: found together in one training row, it has leaked."""
        ...

    def subset(self, rows: Sequence[int]) -> Self:
        """The same data with these items only."""
        ...

    def scores(self, queries: Rows, documents: Rows) -> Mapping[str, ItemScores]:
        """Metric → item scores, the primary first.

        Args:
            queries: One row for each of `queries`. Shape ``(queries, dim)``, finite.
            documents: One row for each of `documents`. Shape ``(documents, dim)``, finite.
        """
        ...


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs of sentences with a gold score; made by `scored_pairs`. The primary metric is Spearman's."""

    sentences1: tuple[str, ...]
    sentences2: tuple[str, ...]
    gold: tuple[float, ...]

    shape = "scored pairs"
    primary = "spearman_cosine"

    @property
    def items(self) -> int:
        return len(self.gold)

    def queries(self) -> Sequence[str]:
        return ()

    def documents(self) -> Sequence[str]:
        return self.sentences1 + self.sentences2

    def item_texts(self, item: int) -> tuple[str, ...]:
        return self.sentences1[item], self.sentences2[item]

    def subset(self, rows: Sequence[int]) -> Self:
        return type(self)(
            tuple(self.sentences1[row] for row in rows),
            tuple(self.sentences2[row] for row in rows),
            tuple(self.gold[row] for row in rows),
        )

    def scores(self, queries: Rows, documents: Rows) -> Mapping[str, ItemScores]:
        cosines = pair_cosines(documents[: self.items], documents[self.items :])
        gold = np.asarray(self.gold, dtype=np.float64)
        return {
            "spearman_cosine": ItemScores("spearman_cosine", cosines, gold, "spearman"),
            "pearson_cosine": ItemScores("pearson_cosine", cosines, gold, "pearson"),
        }


@dataclass(frozen=True)
class Triplets:
    """Anchor, positive, negative; made by `triplets`. The metric is the share with the positive closer.

    Equal similarities are wrong, as in the evaluator of triplets.
    """

    anchors: tuple[str, ...]
    positives: tuple[str, ...]
    negatives: tuple[str, ...]

    shape = "triplets"
    primary = "accuracy_cosine"

    @property
    def items(self) -> int:
        return len(self.anchors)

    def queries(self) -> Sequence[str]:
        return self.anchors

    def documents(self) -> Sequence[str]:
        return self.positives + self.negatives

    def item_texts(self, item: int) -> tuple[str, ...]:
        return self.anchors[item], self.positives[item]

    def subset(self, rows: Sequence[int]) -> Self:
        columns = (self.anchors, self.positives, self.negatives)
        return type(self)(*(tuple(column[row] for row in rows) for column in columns))

    def scores(self, queries: Rows, documents: Rows) -> Mapping[str, ItemScores]:
        positive = pair_cosines(queries, documents[: self.items])
        negative = pair_cosines(queries, documents[self.items :])
        right = (positive > negative).astype(np.float64)
        return {"accuracy_cosine": ItemScores("accuracy_cosine", right)}


def scored_pairs(sentences1: Sequence[str], sentences2: Sequence[str], gold: Sequence[float]) -> ScoredPairs:
    """Check pairs with gold scores, on any scale.

    Raises:
        InvalidTypeError: A text or score of another type.
        InvalidValueError: No pairs, or a score that is not finite.
        ShapeMismatchError: Columns of different lengths.
    """
    from workbench.evaluation.checks import require_equal_lengths, require_numbers, require_texts

    left, right = require_texts(sentences1, "sentences1"), require_texts(sentences2, "sentences2")
    numbers = require_numbers(gold, "gold")
    require_equal_lengths(sentences1=left, sentences2=right, gold=numbers)
    return ScoredPairs(tuple(left), tuple(right), tuple(numbers))


def triplets(anchors: Sequence[str], positives: Sequence[str], negatives: Sequence[str]) -> Triplets:
    """Check triplets.

    Raises:
        InvalidTypeError: A text of another type.
        InvalidValueError: No triplets.
        ShapeMismatchError: Columns of different lengths.
    """
    from workbench.evaluation.checks import require_equal_lengths, require_texts

    columns = {
        name: require_texts(texts, name)
        for name, texts in (("anchors", anchors), ("positives", positives), ("negatives", negatives))
    }
    require_equal_lengths(**columns)
    return Triplets(*(tuple(column) for column in columns.values()))


def pair_cosines(left: Rows, right: Rows) -> NDArray[np.float64]:
    """Cosine of row ``i`` with row ``i``, rounded to float32. Shape ``(pairs,)``.

    In float64 a text against itself gives 1 or a step beside it: noise that would rank identical pairs.
    """
    rounded = row_cosines(left, right).astype(np.float32)
    return rounded.astype(np.float64)
