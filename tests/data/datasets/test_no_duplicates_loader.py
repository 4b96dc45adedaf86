"""The loader without duplicates: full batches, every example at most once, never without end."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.datasets import NoDuplicatesDataLoader as UpstreamLoader

from workbench import InputExample
from workbench.datasets import NoDuplicatesDataLoader
from workbench.errors import WorkbenchError


def numbered(count: int) -> list[InputExample]:
    return [InputExample(texts=[f"text {number}", f"other {number}"]) for number in range(count)]


@settings(max_examples=30)
@given(count=st.integers(1, 50), size=st.integers(1, 8), seed=st.integers(0, 99))
def test_without_repeated_texts_the_batches_are_like_upstreams(count: int, size: int, seed: int) -> None:
    data = numbered(count)
    random.seed(seed)
    theirs = UpstreamLoader(list(data), size)
    if len(theirs) == 0:
        with pytest.raises(WorkbenchError, match="batch-cannot-be-filled"):
            NoDuplicatesDataLoader(data, size)
        return
    ours = NoDuplicatesDataLoader(data, size, seed=seed)
    assert len(ours) == len(theirs)
    for _ in range(2):
        batches = list(ours)
        assert [len(batch) for batch in batches] == [len(batch) for batch in theirs]
        drawn = [id(example) for batch in batches for example in batch]
        assert len(set(drawn)) == len(drawn)
    assert [example.texts for example in data] == [example.texts for example in numbered(count)]


def test_a_batch_that_cannot_be_filled_ends_with_an_error() -> None:
    data = [InputExample(texts=["a", f"b{number}"]) for number in range(6)]
    # Upstream's loader would look for a second example for ever.
    with pytest.raises(WorkbenchError, match="rows-all-alike"):
        NoDuplicatesDataLoader(data, 2)
    data.append(InputExample(texts=["c", "d"]))
    with pytest.raises(WorkbenchError, match="batch-cannot-be-filled"):
        NoDuplicatesDataLoader(data, 3)
    batches = list(NoDuplicatesDataLoader(data, 3, drop_last=False))
    assert sorted(map(len, batches)) == [1, 1, 1, 1, 1, 2]


def test_it_collates_and_is_taken_up_again() -> None:
    loader = NoDuplicatesDataLoader(numbered(20), 4, seed=1)

    def names(batch: list[Any]) -> list[str]:
        return [example.texts[0] for example in batch]

    loader.collate_fn = names
    first = list(loader)
    state = loader.state_dict()
    second = list(loader)
    other = NoDuplicatesDataLoader(numbered(20), 4, seed=9)
    other.collate_fn = names
    other.load_state_dict(state)
    assert list(other) == second != first
    other.set_epoch(0)
    assert list(other) == first
