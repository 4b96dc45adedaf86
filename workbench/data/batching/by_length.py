"""Batches of texts of similar length, so that little is computed on padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from workbench.data.batching.batch_sampler import EpochBatchSampler, cut
from workbench.data.rows import each_row, require_rows, row_texts
from workbench.util.checks import require_count


class LengthBatchSampler(EpochBatchSampler):
    """Shuffle, sort pools of ``pool_batches`` batches by length, cut them into batches, shuffle these.

    What it costs is the composition of the batches: long texts meet long ones, and in-batch negatives are
    drawn from a pool's neighbours rather than from all rows. A larger pool saves more padding and mixes less;
    ``pool_batches=1`` is a plain shuffle. Where packed forwards leave no padding, there is nothing to save.

    Args:
        dataset: A list of ``InputExample``, or any data set with a length; read once.
        batch_size: Rows a batch.
        drop_last: Leave out the rows that do not fill a batch; which ones is drawn, whatever their length.
        pool_batches: Batches that are sorted together.
        length: Length of a row; the characters of its longest text.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidValueError: A count below 1, or an empty data set.

    Source: torchtext's ``BucketIterator`` and Transformers' ``LengthGroupedSampler`` do the same.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        drop_last: bool = False,
        *,
        pool_batches: int = 50,
        length: Callable[[Any], float] | None = None,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        rows = require_rows(dataset, type(self).__name__)
        super().__init__(rows, batch_size, drop_last, seed, generator)
        self.pool_batches = require_count(pool_batches, "pool_batches")
        measure = _characters if length is None else length
        self._lengths = np.array([measure(row) for row in each_row(dataset)])

    def batches(self, numbers: np.random.Generator) -> list[list[int]]:
        """The batches of one epoch."""
        order = numbers.permutation(self.rows)
        if self.drop_last:
            order = order[: self.rows // self.batch_size * self.batch_size]
        found: list[list[int]] = []
        pool = self.pool_batches * self.batch_size
        for start in range(0, len(order), pool):
            part = order[start : start + pool]
            by_length = part[np.argsort(self._lengths[part], kind="stable")]
            found += cut(by_length.tolist(), self.batch_size, False)
        return [found[place] for place in numbers.permutation(len(found))]


def _characters(row: object) -> int:
    return max(map(len, row_texts(row)))
