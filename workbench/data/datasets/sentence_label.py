"""Examples in runs of one label, for losses that form triplets in a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from workbench.data.datasets.one_process import require_one_process
from workbench.data.epochs import Epochs
from workbench.data.input_example import InputExample
from workbench.data.rows import row_label
from workbench.errors import InvalidValueError
from workbench.util.checks import require_count


class SentenceLabelDataset(IterableDataset[InputExample]):
    """Runs of ``samples_per_label`` different examples of one label; the labels take turns in a drawn order.

    Without replacement each example comes at most once an epoch, and a label with fewer than
    ``samples_per_label`` examples left is passed over: towards the end of an epoch the largest label may be
    alone. With replacement the examples of a run differ, and every run draws from all of them, until as many
    have come as there are. Labels with fewer than ``samples_per_label`` examples are left out.

    Make the batch size a multiple of ``samples_per_label``. ``GroupByLabelBatchSampler`` sees to two labels
    in every batch.

    Args:
        examples: The examples, their classes as labels.
        samples_per_label: Examples of a run.
        with_replacement: Draw every run from all examples of its label.
        seed: None takes torch's own seed when it is first needed.
        generator: Draws one number from it an epoch, instead of a seed.

    Raises:
        InvalidValueError: No label has ``samples_per_label`` examples.
        InvalidTypeError: An example whose label is no single value.

    Source: sentence-transformers' class of this name, which describes the two kinds the other way round, and
    draws with replacement in both.
    """

    def __init__(
        self,
        examples: Sequence[InputExample],
        samples_per_label: int = 2,
        with_replacement: bool = False,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        self.samples_per_label = require_count(samples_per_label, "samples_per_label")
        self.with_replacement = with_replacement
        self.epochs = Epochs(seed, generator)
        groups: defaultdict[Hashable, list[InputExample]] = defaultdict(list)
        for example in examples:
            groups[row_label(example)].append(example)
        self._groups = [group for group in groups.values() if len(group) >= self.samples_per_label]
        if not self._groups:
            raise InvalidValueError(
                "labels-not-repeated",
                f"none of {len(groups):,} labels has {self.samples_per_label} examples",
                expected=f"labels that {self.samples_per_label} examples share",
                fix="Lower samples_per_label, and check that the labels are classes, not scores",
                where="SentenceLabelDataset",
            )

    def __len__(self) -> int:
        """Examples an epoch."""
        run = self.samples_per_label
        if self.with_replacement:
            return -(-sum(map(len, self._groups)) // run) * run
        return sum(len(group) // run * run for group in self._groups)

    def __iter__(self) -> Iterator[InputExample]:
        require_one_process("SentenceLabelDataset")
        return self._drawn(self.epochs.begin())

    def set_epoch(self, epoch: int) -> None:
        """State which epoch begins next; without it they are counted."""
        self.epochs.set_epoch(epoch)

    def state_dict(self) -> dict[str, Any]:
        """What is needed to begin the same epoch next, over the same examples; JSON can hold it."""
        return self.epochs.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin next the epoch that would have begun when the state was taken."""
        self.epochs.load_state_dict(state)

    def _drawn(self, numbers: np.random.Generator) -> Iterator[InputExample]:
        run, missing = self.samples_per_label, len(self)
        waiting = [numbers.permutation(len(group)).tolist() for group in self._groups]
        while missing:
            for label in numbers.permutation(len(self._groups)).tolist():
                group = self._groups[label]
                if self.with_replacement:
                    waiting[label] = numbers.choice(len(group), run, replace=False).tolist()
                if len(waiting[label]) < run or not missing:
                    continue
                for _ in range(run):
                    yield group[waiting[label].pop()]
                missing -= run
