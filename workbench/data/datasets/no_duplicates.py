"""A loader whose batches hold no text twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from workbench.data.batching.no_duplicates import NoDuplicatesBatchSampler


class NoDuplicatesDataLoader:
    """Full batches without a repeated text, for ``MultipleNegativesRankingLoss`` and its kin.

    Every epoch goes through the examples in a new order and draws each at most once; what does not fill a
    batch is left out. The list is left as it is.

    Args:
        train_examples: A list of ``InputExample``.
        batch_size: Examples a batch.
        drop_last: Leave out batches that are not full, as upstream does; False keeps them, shorter.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Attributes:
        collate_fn: Applied to every batch where it is set.

    Raises:
        InvalidValueError: No batch can be filled, or no two examples can share one; an empty list.

    Source: sentence-transformers' loader of this name, which never ends where a batch cannot be filled, and
    passes over examples that do not fit.
    """

    def __init__(
        self,
        train_examples: Sequence[Any],
        batch_size: int,
        *,
        drop_last: bool = True,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        self.train_examples = train_examples
        self.batch_sampler = NoDuplicatesBatchSampler(
            train_examples, batch_size, drop_last, seed=seed, generator=generator
        )
        self.batch_size = self.batch_sampler.batch_size
        self.collate_fn: Callable[[list[Any]], Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        return self._collated(iter(self.batch_sampler))

    def __len__(self) -> int:
        """Batches of the epoch that began last; before the first, of the next."""
        return len(self.batch_sampler)

    def set_epoch(self, epoch: int) -> None:
        """State which epoch begins next; without it they are counted."""
        self.batch_sampler.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """What is needed to begin the same epoch next, over the same examples; JSON can hold it."""
        return self.batch_sampler.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin next the epoch that would have begun when the state was taken."""
        self.batch_sampler.load_state_dict(state)

    def _collated(self, batches: Iterator[list[int]]) -> Iterator[Any]:
        for rows in batches:
            batch = [self.train_examples[row] for row in rows]
            yield batch if self.collate_fn is None else self.collate_fn(batch)
