"""What the batch samplers share: epochs that are drawn anew and repeat exactly, and a length that is true."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import Sampler

from workbench.data.epochs import Epochs
from workbench.errors import InvalidValueError
from workbench.util.checks import require_count


class EpochBatchSampler(Sampler[list[int]], ABC):
    """Batches of row numbers, drawn anew every epoch; ``batches`` is what a sampler has of its own.

    Every iteration begins the next epoch, whose batches depend on seed and epoch alone. ``state_dict`` taken
    before it begins and loaded later repeats it.

    Args:
        rows: Rows of the data set.
        batch_size: Rows a batch.
        drop_last: Leave out batches that are not full.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidValueError: A batch size below 1, a seed that is none, or a seed and a generator.
    """

    def __init__(
        self, rows: int, batch_size: int, drop_last: bool, seed: int | None, generator: torch.Generator | None
    ) -> None:
        self.rows = rows
        self.batch_size = require_count(batch_size, "batch_size")
        self.drop_last = drop_last
        self.epochs = Epochs(seed, generator)
        self._length: int | None = None

    @abstractmethod
    def batches(self, numbers: np.random.Generator) -> list[list[int]]:
        """The batches of one epoch, drawn with its random numbers."""

    @property
    def epoch(self) -> int:
        """The epoch that begins next."""
        return self.epochs.epoch

    def set_epoch(self, epoch: int) -> None:
        """State which epoch begins next; without it they are counted."""
        self.epochs.set_epoch(epoch)
        self._length = None

    def __iter__(self) -> Iterator[list[int]]:
        # No generator function: the epoch begins where the iterator is made, not at its first batch.
        drawn = self.batches(self.epochs.begin())
        self._length = len(drawn)
        return iter(drawn)

    def __len__(self) -> int:
        """Batches of the epoch that began last; before the first, and where one was stated, of the next."""
        if self._length is None:
            self._length = len(self.batches(self.epochs.peek()))
        return self._length

    def state_dict(self) -> dict[str, Any]:
        """What is needed to begin the same epoch next, over the same rows; JSON can hold it."""
        return {**self.epochs.state_dict(), "rows": self.rows, "batch_size": self.batch_size}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin next the epoch that would have begun when the state was taken.

        Raises:
            InvalidValueError: The state is no such state, or one over other rows or another batch size.
        """
        for name, here in (("rows", self.rows), ("batch_size", self.batch_size)):
            if state.get(name) != here:
                raise InvalidValueError(
                    "sampler-state-mismatch",
                    f"the state is of {name} {state.get(name)!r}, and here it is {here}",
                    fix="Resume with the data and the batch size that the run began with",
                    where=f"{type(self).__name__}.load_state_dict",
                )
        self.epochs.load_state_dict(
            {key: value for key, value in state.items() if key not in ("rows", "batch_size")}
        )
        self._length = None


def cut(order: list[int], batch_size: int, drop_last: bool) -> list[list[int]]:
    """Cut rows into batches in their order; the last is shorter, or left out."""
    end = len(order) // batch_size * batch_size if drop_last else len(order)
    return [order[start : start + batch_size] for start in range(0, end, batch_size)]
