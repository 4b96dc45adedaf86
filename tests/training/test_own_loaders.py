"""The data sets, batch samplers and loaders of this package go on where they stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import ConcatDataset, DataLoader

from tests.training.small import pairs
from tests.training.test_loader_state import as_list, check
from workbench.data.input_example import InputExample
from workbench.errors import WorkbenchError
from workbench.training.digest import data_fingerprint
from workbench.training.loader_state import ReplayedLoader

datasets = pytest.importorskip("workbench.datasets")

# Texts and labels repeat, so that batches without duplicates differ in number from epoch to epoch.
ROWS = [InputExample(texts=[row.texts[0], f"text {n % 5}"], label=n % 4) for n, row in enumerate(pairs(23))]
TEXTS = [row.texts[0] for row in ROWS]


class Teacher:
    """Embeddings by the length of a text."""

    def encode(self, sentences: list[str], **arguments: Any) -> Any:
        return np.array([[len(text), 1.0] for text in sentences], dtype=np.float32)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def sampled(sampler: Any, rows: Any = ROWS) -> list[Any]:
    return [DataLoader(rows, batch_sampler=sampler, collate_fn=as_list)]


def several(kind: Any) -> list[Any]:
    sets = ConcatDataset([ROWS[:9], ROWS[9:]])  # type: ignore[list-item]
    parts = [datasets.NoDuplicatesBatchSampler(ROWS[:9], 2), datasets.GroupByLabelBatchSampler(ROWS[9:], 4)]
    return sampled(kind(sets, parts), sets)


def parallel() -> Any:
    data = datasets.ParallelSentencesDataset(student_model=None, teacher_model=Teacher())
    data.add_dataset([[text, text.upper()] for text in TEXTS])
    return data


LOADERS: dict[str, Callable[[], list[Any]]] = {
    "NoDuplicatesDataLoader": lambda: [datasets.NoDuplicatesDataLoader(ROWS, 3)],
    "NoDuplicatesDataLoader, own generator": lambda: [
        datasets.NoDuplicatesDataLoader(ROWS, 3, generator=generator())
    ],
    "NoDuplicatesBatchSampler": lambda: sampled(datasets.NoDuplicatesBatchSampler(ROWS, 3, seed=4)),
    "GroupByLabelBatchSampler": lambda: sampled(datasets.GroupByLabelBatchSampler(ROWS, 4)),
    "LengthBatchSampler": lambda: sampled(datasets.LengthBatchSampler(ROWS, 4)),
    "ProportionalBatchSampler": lambda: several(datasets.ProportionalBatchSampler),
    "RoundRobinBatchSampler": lambda: several(datasets.RoundRobinBatchSampler),
    "SentenceLabelDataset": lambda: [
        DataLoader(datasets.SentenceLabelDataset(ROWS), batch_size=4, collate_fn=as_list)
    ],
    "DenoisingAutoEncoderDataset": lambda: [
        DataLoader(datasets.DenoisingAutoEncoderDataset(TEXTS), 4, shuffle=True, collate_fn=as_list)
    ],
    "ParallelSentencesDataset": lambda: [DataLoader(parallel(), 4, collate_fn=as_list)],
}


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("stop", [0, 3, 9, 13])
def test_it_goes_on_where_it_stood(name: str, stop: int) -> None:
    check(LOADERS[name], stop, 18)


@pytest.mark.parametrize("name", LOADERS)
def test_it_has_a_fingerprint(name: str) -> None:
    first, again = (data_fingerprint(LOADERS[name]()[0]) for _ in range(2))
    assert first == again


def test_other_rows_are_refused() -> None:
    loader = ReplayedLoader(datasets.NoDuplicatesDataLoader(ROWS, 3))
    next(loader.start_epoch())
    for other in (ROWS[:-1], ROWS[::-1]):
        with pytest.raises(WorkbenchError):
            ReplayedLoader(datasets.NoDuplicatesDataLoader(other, 3)).restore(*loader.state())
