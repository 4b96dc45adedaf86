"""Batches that hold several rows of several labels, for losses that form triplets in a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch

from workbench.data.batching.batch_sampler import EpochBatchSampler, cut
from workbench.data.rows import LABEL_COLUMNS, each_row, require_rows, row_label
from workbench.errors import InvalidValueError

# Two labels with two rows each: with fewer there is no triplet.
_SMALLEST = 4


class GroupByLabelBatchSampler(EpochBatchSampler):
    """Two rows of one label after two of another: in a batch at least two labels, two rows each.

    The labels take turns in an order that is drawn anew every round, and an epoch ends when fewer than two
    of them have two rows left: the rest of a label that outnumbers the others is left out, as are its odd
    row and labels of one row. They are drawn anew every epoch.

    Args:
        dataset: A list of ``InputExample``, or any data set with a length; read once.
        batch_size: Rows a batch, an even number of at least 4.
        drop_last: Leave out a last batch that is not full.
        valid_label_columns: Where rows are dicts, the columns of which the first found holds the label.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidValueError: Fewer than two labels of two rows, or a batch size that is odd or below 4.
        InvalidTypeError: A row without a label.

    Source: sentence-transformers' sampler of this name.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        drop_last: bool = False,
        valid_label_columns: Sequence[str] | None = None,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        rows = require_rows(dataset, type(self).__name__)
        super().__init__(rows, batch_size, drop_last, seed, generator)
        if self.batch_size < _SMALLEST or self.batch_size % 2:
            raise InvalidValueError(
                "batch-size-not-even",
                f"batch_size is {self.batch_size}",
                expected=f"an even number of at least {_SMALLEST}",
                where=type(self).__name__,
            )
        self._groups = _groups(dataset, valid_label_columns or LABEL_COLUMNS)
        self._stream = _stream_length([len(group) // 2 for group in self._groups])
        if drop_last and self._stream < self.batch_size:
            raise InvalidValueError(
                "batch-cannot-be-filled",
                f"the labels give {self._stream} rows an epoch",
                expected=f"{self.batch_size}, with drop_last",
                fix="Lower batch_size, or keep the shorter batch with drop_last=False",
                where=type(self).__name__,
            )

    def batches(self, numbers: np.random.Generator) -> list[list[int]]:
        """The batches of one epoch."""
        found = cut(self._drawn(numbers), self.batch_size, self.drop_last)
        # Two rows of one label teach nothing.
        return found[:-1] if len(found[-1]) < _SMALLEST else found

    def __len__(self) -> int:
        """Batches of every epoch."""
        rest = self._stream % self.batch_size
        return self._stream // self.batch_size + (not self.drop_last and rest >= _SMALLEST)

    def _drawn(self, numbers: np.random.Generator) -> list[int]:
        """The rows of one epoch: pairs of one label, no two neighbouring pairs of the same."""
        waiting = [[group[place] for place in numbers.permutation(len(group))] for group in self._groups]
        order: list[int] = []
        last = -1
        while len(left := [label for label, rows in enumerate(waiting) if len(rows) > 1]) > 1:
            turn = [left[place] for place in numbers.permutation(len(left))]
            if turn[0] == last:
                turn[0], turn[1] = turn[1], turn[0]
            for label in turn:
                order += (waiting[label].pop(), waiting[label].pop())
            last = turn[-1]
        return order


def _groups(dataset: Any, columns: Sequence[str]) -> list[list[int]]:
    """The rows of each label that has at least two."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, value in enumerate(each_row(dataset)):
        found[row_label(value, columns)].append(row)
    groups = [rows for rows in found.values() if len(rows) > 1]
    if len(groups) < 2:
        raise InvalidValueError(
            "labels-not-repeated",
            f"{len(groups)} of {len(found):,} labels with two rows or more",
            expected="at least two such labels",
            fix="Triplets need rows that share a label: check that the column holds classes, not scores",
            where="GroupByLabelBatchSampler",
        )
    return groups


def _stream_length(pairs: list[int]) -> int:
    """Rows an epoch: a round needs two labels, so the largest gives no more than the second."""
    rounds = sorted(pairs)[-2]
    return 2 * sum(min(count, rounds) for count in pairs)
