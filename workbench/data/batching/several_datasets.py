"""Batches from several data sets, each batch from one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
)

from workbench.data.epochs import Epochs
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError


class SeveralDatasetsBatchSampler(Sampler[list[int]], ABC):
    """What round robin and proportional share: the samplers of the data sets, and their rows' numbers.

    Args:
        dataset: The data sets, joined with ``ConcatDataset([first, second, …])``: its row numbers are drawn.
        batch_samplers: One for each of them, in their order.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidTypeError: ``dataset`` is no ``ConcatDataset``.
        ShapeMismatchError: Not one sampler for each data set.
    """

    def __init__(
        self,
        dataset: ConcatDataset[Any],
        batch_samplers: Sequence[Any],
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        name = type(self).__name__
        if not isinstance(dataset, ConcatDataset):
            raise InvalidTypeError(
                "datasets-not-joined",
                f"a {type(dataset).__name__} came",
                expected="torch.utils.data.ConcatDataset([first, second, ...])",
                where=name,
            )
        if len(dataset.datasets) != len(batch_samplers):
            raise ShapeMismatchError(
                "samplers-count",
                f"{len(batch_samplers)} samplers for {len(dataset.datasets)} data sets",
                expected="one each",
                where=name,
            )
        self.dataset = dataset
        self.batch_samplers = list(batch_samplers)
        self.epochs = Epochs(seed, generator)
        self._offsets = list(accumulate((len(part) for part in dataset.datasets), initial=0))  # type: ignore[arg-type]

    @abstractmethod
    def turns(self, lengths: list[int], numbers: np.random.Generator) -> list[int]:
        """Which data set gives each batch of an epoch, given how many each has."""

    @property
    def epoch(self) -> int:
        """The epoch that begins next."""
        return self.epochs.epoch

    def set_epoch(self, epoch: int) -> None:
        """State which epoch begins next, here and in the samplers that count epochs."""
        self.epochs.set_epoch(epoch)
        for sampler in self.batch_samplers:
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[list[int]]:
        # Each epoch begins in all of them here, where the iterator is made; then their lengths are its own.
        parts = [iter(sampler) for sampler in self.batch_samplers]
        turns = self.turns([len(sampler) for sampler in self.batch_samplers], self.epochs.begin())
        return self._batches(parts, turns)

    def __len__(self) -> int:
        """Batches of an epoch."""
        lengths = [len(sampler) for sampler in self.batch_samplers]
        return len(self.turns(lengths, self.epochs.peek()))

    def state_dict(self) -> dict[str, Any]:
        """What is needed to begin the same epoch next; JSON can hold it.

        Raises:
            InvalidValueError: One of the samplers draws from a state of its own that it does not give.
        """
        parts = [_state(sampler, number) for number, sampler in enumerate(self.batch_samplers)]
        return {**self.epochs.state_dict(), "parts": parts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin next the epoch that would have begun when the state was taken.

        Raises:
            InvalidValueError: It is no such state, or one of other samplers.
        """
        parts = state.get("parts")
        if not isinstance(parts, list) or [part is None for part in parts] != [
            not hasattr(sampler, "load_state_dict") for sampler in self.batch_samplers
        ]:
            raise InvalidValueError(
                "sampler-state-mismatch",
                "the state is of other samplers",
                fix="Resume with the data and the samplers that the run began with",
                where=f"{type(self).__name__}.load_state_dict",
            )
        self.epochs.load_state_dict({key: value for key, value in state.items() if key != "parts"})
        for sampler, part in zip(self.batch_samplers, parts, strict=True):
            if part is not None:
                sampler.load_state_dict(part)

    def _batches(self, parts: list[Iterator[list[int]]], turns: list[int]) -> Iterator[list[int]]:
        for turn in turns:
            batch = next(parts[turn], None)
            if batch is None:
                raise InvalidValueError(
                    "sampler-length-untrue",
                    f"the sampler of data set {turn} ended before its length",
                    expected=f"{len(self.batch_samplers[turn])} batches",
                    where=type(self).__name__,
                )
            yield [row + self._offsets[turn] for row in batch]


def _state(sampler: Any, number: int) -> dict[str, Any] | None:
    if hasattr(sampler, "state_dict"):
        found: dict[str, Any] = sampler.state_dict()
        return found
    inner = sampler.sampler if type(sampler) is BatchSampler else None
    known = type(inner) in (SequentialSampler, RandomSampler, SubsetRandomSampler)
    # Torch's own draw from its global state, which a run keeps, unless they were given a generator.
    if known and getattr(inner, "generator", None) is None:
        return None
    raise InvalidValueError(
        "sampler-state-unknown",
        f"a {type(sampler).__name__} whose random state cannot be read",
        expected="a sampler with state_dict and load_state_dict",
        fix="Use a sampler of workbench.datasets, or torch's own without a generator",
        where=f"batch_samplers[{number}]",
    )
