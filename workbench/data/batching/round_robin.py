"""A batch of each data set in turn, until one of them has no more."""

from __future__ import annotations

import numpy as np

from workbench.data.batching.several_datasets import SeveralDatasetsBatchSampler


class RoundRobinBatchSampler(SeveralDatasetsBatchSampler):
    """One batch of each data set, in their order, as many rounds as the shortest has batches.

    All give as many batches; what the longer ones have left is left out of this epoch.

    Arguments and errors: ``SeveralDatasetsBatchSampler``.

    Source: sentence-transformers' sampler of this name.
    """

    def turns(self, lengths: list[int], numbers: np.random.Generator) -> list[int]:
        """Data set 0, 1, …, 0, 1, …."""
        return list(range(len(lengths))) * min(lengths)
