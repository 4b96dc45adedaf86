"""All batches of all data sets, in a shuffled order."""

from __future__ import annotations

import numpy as np

from workbench.data.batching.several_datasets import SeveralDatasetsBatchSampler


class ProportionalBatchSampler(SeveralDatasetsBatchSampler):
    """Every batch of every data set once, mixed: a data set is drawn as often as it has batches.

    Arguments and errors: ``SeveralDatasetsBatchSampler``.

    Source: sentence-transformers' sampler of this name.
    """

    def turns(self, lengths: list[int], numbers: np.random.Generator) -> list[int]:
        """Each data set as often as it has batches, shuffled."""
        turns: list[int] = numbers.permutation(np.repeat(np.arange(len(lengths)), lengths)).tolist()
        return turns
