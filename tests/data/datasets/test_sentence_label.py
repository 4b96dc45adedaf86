"""Runs of one label: against upstream with replacement, and each example once without."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.datasets import SentenceLabelDataset as UpstreamDataset
from torch.utils.data import DataLoader

from workbench import InputExample
from workbench.datasets import SentenceLabelDataset
from workbench.errors import WorkbenchError

labels = st.lists(st.integers(0, 4), min_size=1, max_size=40)


def examples(classes: list[int]) -> list[InputExample]:
    return [InputExample(guid=str(row), texts=[f"text {row}"], label=c) for row, c in enumerate(classes)]


@settings(max_examples=50)
@given(classes=labels, run=st.integers(1, 4), replaced=st.booleans(), seed=st.integers(0, 99))
def test_runs_are_of_one_label_and_different_examples(
    classes: list[int], run: int, replaced: bool, seed: int
) -> None:
    usable = {label for label, count in Counter(classes).items() if count >= run}
    if not usable:
        with pytest.raises(WorkbenchError, match="labels-not-repeated"):
            SentenceLabelDataset(examples(classes), run, replaced)
        return
    data = SentenceLabelDataset(examples(classes), run, replaced, seed=seed)
    for _ in range(2):
        drawn = list(data)
        assert len(drawn) == len(data)
        for start in range(0, len(drawn), run):
            part = drawn[start : start + run]
            assert len({example.label for example in part}) == 1
            assert len({example.guid for example in part}) == run
        assert {example.label for example in drawn} <= usable
        if not replaced:
            assert len({example.guid for example in drawn}) == len(drawn)
            for label in usable:
                count = classes.count(label)
                assert sum(example.label == label for example in drawn) == count // run * run


@settings(max_examples=30)
@given(classes=labels, run=st.integers(1, 4), seed=st.integers(0, 99))
def test_with_replacement_the_labels_come_as_with_upstream(classes: list[int], run: int, seed: int) -> None:
    if max(Counter(classes).values()) < run:
        return
    np.random.seed(seed)
    theirs = list(UpstreamDataset(examples(classes), run, with_replacement=True))
    ours = list(SentenceLabelDataset(examples(classes), run, with_replacement=True, seed=seed))
    assert len(ours) == len(theirs)
    # Whole rounds over the labels: none comes twice before each has come once.
    usable = sum(count >= run for count in Counter(classes).values())
    for drawn in (ours, theirs):
        turns = [drawn[start].label for start in range(0, len(drawn), run)]
        for start in range(0, len(turns), usable):
            assert len(set(turns[start : start + usable])) == len(turns[start : start + usable])


def test_a_loader_reads_it_and_it_is_taken_up_again() -> None:
    data = SentenceLabelDataset(examples([row % 3 for row in range(30)]), 2, seed=4)
    loader = DataLoader(data, batch_size=6, collate_fn=lambda rows: [row.guid for row in rows])
    first = list(loader)
    assert len(first) == len(loader)
    state = data.state_dict()
    second = list(loader)
    data.load_state_dict(state)
    assert list(loader) == second != first
    data.set_epoch(0)
    assert list(loader) == first


def test_worker_processes_are_refused() -> None:
    data = SentenceLabelDataset(examples([0, 0, 1, 1]), 2)
    with pytest.raises(RuntimeError, match="dataset-in-workers"):
        list(DataLoader(data, batch_size=2, num_workers=1, collate_fn=list))
