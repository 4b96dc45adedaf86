"""The data loader of a run: a plain shuffle, or batches as the loss needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader

from workbench.data.batching.group_by_label import GroupByLabelBatchSampler
from workbench.data.batching.no_duplicates import NoDuplicatesBatchSampler
from workbench.data.input_example import InputExample
from workbench.losses.needs import DataNeeds


def build_loader(
    examples: Sequence[InputExample], needs: DataNeeds, batch_size: int, seed: int
) -> DataLoader[Any]:
    """A loader whose order depends on the seed alone, an order of its own every epoch.

    Args:
        examples: What is trained on.
        needs: Of the loss: other rows as negatives need batches without duplicates, triplets formed in a
            batch need several rows of several labels.
        batch_size: Rows a batch.
        seed: Of the order.

    Raises:
        InvalidValueError: Batches as the loss needs them cannot be made.
    """
    rows = list(examples)
    if needs.in_batch_negatives:
        sampler: Any = NoDuplicatesBatchSampler(rows, batch_size, seed=seed)
    elif needs.grouped_labels:
        sampler = GroupByLabelBatchSampler(rows, batch_size, seed=seed)
    else:
        generator = torch.Generator().manual_seed(seed)
        return DataLoader(rows, shuffle=True, batch_size=batch_size, generator=generator)  # type: ignore[arg-type]
    # A loader without a generator draws from torch's own at every start, between two dropouts.
    return DataLoader(rows, batch_sampler=sampler, generator=torch.Generator())  # type: ignore[arg-type]


def index_batches(
    examples: Sequence[InputExample], needs: DataNeeds, batch_size: int, seed: int, epochs: int
) -> list[list[int]]:
    """The rows of every batch of some epochs, in the order in which ``build_loader``'s would come.

    Other trainers are fed by it, so that all see the same batches.
    """
    loader = build_loader(examples, needs, batch_size, seed)
    numbered: Any
    if isinstance(loader.batch_sampler, NoDuplicatesBatchSampler | GroupByLabelBatchSampler):
        numbered = DataLoader(range(len(examples)), batch_sampler=loader.batch_sampler, collate_fn=list)  # type: ignore[arg-type]
    else:
        numbered = DataLoader(
            range(len(examples)),  # type: ignore[arg-type]
            shuffle=True,
            batch_size=batch_size,
            generator=torch.Generator().manual_seed(seed),
            collate_fn=list,
        )
    return [batch for _ in range(epochs) for batch in numbered]
