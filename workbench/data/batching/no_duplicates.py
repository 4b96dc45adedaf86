"""Batches in which no text stands twice, for losses that take the other rows as negatives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from workbench.data.batching.batch_sampler import EpochBatchSampler
from workbench.data.rows import each_row, folded, require_rows, row_texts
from workbench.errors import InvalidValueError


class NoDuplicatesBatchSampler(EpochBatchSampler):
    """Every row once an epoch, and no text in two rows of a batch, white space at the ends and case aside.

    A batch that cannot be filled is shorter; with ``drop_last`` it is left out with its rows. So the number
    of batches depends on how often texts repeat, and where they repeat much it differs by an epoch's order.

    Args:
        dataset: A list of ``InputExample``, or any data set with a length; read once.
        batch_size: Rows a batch.
        drop_last: Leave out batches that are not full.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidValueError: No two rows can share a batch, or no batch can be filled under ``drop_last``; an
            empty data set.
        InvalidTypeError: A row without a text.

    Source: sentence-transformers' sampler of this name, which goes through all deferred rows for every batch,
    and draws rows again to reach the length it has promised.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        drop_last: bool = False,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(require_rows(dataset, type(self).__name__), batch_size, drop_last, seed, generator)
        self._texts = _text_numbers(dataset)
        _require_different_rows(self._texts, self.batch_size)
        # Whether a batch can be filled is told here, not in the midst of a training.
        self.batches(np.random.default_rng(0))

    def batches(self, numbers: np.random.Generator) -> list[list[int]]:
        """The batches of one epoch, in time linear in the number of texts."""
        found = _first_fit(self._texts, numbers.permutation(self.rows).tolist(), self.batch_size)
        if not self.drop_last:
            return found
        full = [batch for batch in found if len(batch) == self.batch_size]
        if not full:
            raise InvalidValueError(
                "batch-cannot-be-filled",
                f"of {self.rows:,} rows the largest batch without a repeated text has {max(map(len, found))}",
                expected=f"{self.batch_size} rows of different texts",
                fix="Lower batch_size, drop repeated rows, or keep shorter batches with drop_last=False",
                where=type(self).__name__,
            )
        return full


def _text_numbers(dataset: Iterable[Any]) -> list[tuple[int, ...]]:
    """The distinct texts of each row, as numbers."""
    known: dict[str, int] = {}
    return [
        tuple({known.setdefault(folded(text), len(known)) for text in row_texts(row)})
        for row in each_row(dataset)
    ]


def _require_different_rows(texts: list[tuple[int, ...]], batch_size: int) -> None:
    """Refuse data of which no two rows may share a batch: there is nothing to learn from."""
    if batch_size == 1 or len(texts) == 1:
        return
    common = set(texts[0]).intersection(*texts[1:])
    if common:
        raise InvalidValueError(
            "rows-all-alike",
            f"one text stands in each of the {len(texts):,} rows, so that every batch would have one row",
            expected="rows of different texts",
            fix="Look for a column that never changes, or drop repeated rows",
            where="NoDuplicatesBatchSampler",
        )


def _first_fit(texts: list[tuple[int, ...]], order: list[int], batch_size: int) -> list[list[int]]:
    """Put each row into the first batch with room that comes after all batches with one of its texts.

    Batches are looked up through ``skip``, which leads from a full batch towards the next with room
    (union-find with path halving), so that a row costs its number of texts.
    """
    batches: list[list[int]] = []
    skip: list[int] = [0]
    free_from: dict[int, int] = {}
    for row in order:
        place = max((free_from.get(text, 0) for text in texts[row]), default=0)
        while skip[place] != place:
            skip[place] = skip[skip[place]]
            place = skip[place]
        if place == len(batches):
            batches.append([])
            skip.append(place + 1)
        batches[place].append(row)
        if len(batches[place]) == batch_size:
            skip[place] = place + 1
        for text in texts[row]:
            free_from[text] = place + 1
    return batches
