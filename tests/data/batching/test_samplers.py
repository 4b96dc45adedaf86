"""Batch samplers: what holds for every epoch, upstream's samplers as oracle, and resuming exactly."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import datasets as hub
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.base import sampler as upstream
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, RandomSampler, SequentialSampler

from workbench import InputExample
from workbench.datasets import (
    GroupByLabelBatchSampler,
    LengthBatchSampler,
    NoDuplicatesBatchSampler,
    ProportionalBatchSampler,
    RoundRobinBatchSampler,
)
from workbench.errors import WorkbenchError

seeds = st.integers(0, 999)
sizes = st.integers(1, 9)
# Few words: texts repeat within rows, across rows and across columns.
few_words = st.sampled_from(["a", "b", "c", "d", "e", "A ", "f", "g", "h"])
pairs = st.lists(st.tuples(few_words, few_words), min_size=1, max_size=40)


def examples(rows: list[tuple[str, ...]], labels: list[int] | None = None) -> list[InputExample]:
    found = labels or [0] * len(rows)
    return [InputExample(texts=list(row), label=label) for row, label in zip(rows, found, strict=True)]


def texts_of(row: tuple[str, ...]) -> set[str]:
    return {text.strip().lower() for text in row}


def numbered(count: int, start: int = 0) -> list[InputExample]:
    return examples([(f"text {number}", f"other {number}") for number in range(start, start + count)])


@settings(max_examples=60)
@given(rows=pairs, size=sizes, seed=seeds)
def test_no_text_twice_in_a_batch_and_every_row_once(
    rows: list[tuple[str, str]], size: int, seed: int
) -> None:
    try:
        sampler = NoDuplicatesBatchSampler(examples(rows), size, seed=seed)
    except WorkbenchError as error:
        assert error.code == "rows-all-alike"
        assert size > 1 and len(rows) > 1 and set.intersection(*map(texts_of, rows))
        return
    for _ in range(2):
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert sorted(row for batch in batches for row in batch) == list(range(len(rows)))
        for batch in batches:
            assert 1 <= len(batch) <= size
            assert max(Counter(text for row in batch for text in texts_of(rows[row])).values()) == 1


@settings(max_examples=60)
@given(rows=pairs, size=sizes, seed=seeds)
def test_without_short_batches_only_full_ones_come(rows: list[tuple[str, str]], size: int, seed: int) -> None:
    try:
        sampler = NoDuplicatesBatchSampler(examples(rows), size, drop_last=True, seed=seed)
        batches = list(sampler)
    except WorkbenchError as error:
        assert error.code in ("rows-all-alike", "batch-cannot-be-filled")
        return
    assert len(batches) == len(sampler) >= 1
    drawn = [row for batch in batches for row in batch]
    assert len(set(drawn)) == len(drawn)
    assert {len(batch) for batch in batches} == {size}


@settings(max_examples=30)
@given(rows=st.integers(1, 60), size=sizes, drop_last=st.booleans(), seed=seeds)
def test_where_no_text_repeats_the_batches_are_as_many_as_upstreams(
    rows: int, size: int, drop_last: bool, seed: int
) -> None:
    if drop_last and rows < size:
        return
    ours = NoDuplicatesBatchSampler(numbered(rows), size, drop_last, seed=seed)
    table = hub.Dataset.from_dict({"a": [f"a{row}" for row in range(rows)]})
    theirs = upstream.NoDuplicatesBatchSampler(table, size, drop_last, generator=torch.Generator(), seed=seed)
    assert [len(batch) for batch in ours] == [len(batch) for batch in theirs]
    assert len(ours) == len(theirs)


@settings(max_examples=30)
@given(keys=st.lists(st.integers(0, 6), min_size=2, max_size=50), size=st.integers(2, 8), seed=seeds)
def test_rows_of_one_text_need_no_more_batches_than_upstreams(keys: list[int], size: int, seed: int) -> None:
    if len(set(keys)) == 1:
        return
    rows = [(f"key {key}",) for key in keys]
    ours = list(NoDuplicatesBatchSampler(examples(rows), size, seed=seed))
    table = hub.Dataset.from_dict({"a": [row[0] for row in rows]})
    theirs = list(
        upstream.NoDuplicatesBatchSampler(table, size, False, generator=torch.Generator(), seed=seed)
    )
    # Both are greedy over a random order: a batch more or less is chance.
    assert abs(len(ours) - len(theirs)) <= 2
    assert len(ours) >= max(-(-len(keys) // size), max(Counter(keys).values()))


def test_time_grows_with_the_rows_and_not_with_their_square() -> None:
    rows = examples([("the same", f"row {number}") for number in range(40_000)])
    rows += examples([(f"other {number}", f"another {number}") for number in range(40_000)])
    start = time.perf_counter()
    batches = list(NoDuplicatesBatchSampler(rows, 64, seed=1))
    assert sum(map(len, batches)) == 80_000
    # Upstream goes through all deferred rows for each of the 40,000 batches: minutes.
    assert time.perf_counter() - start < 15


@pytest.mark.parametrize(
    ("rows", "size", "drop_last", "code"),
    [
        ([("a", "b")] * 8, 4, False, "rows-all-alike"),
        ([("a", "b")] * 8, 4, True, "rows-all-alike"),
        ([("A ", "b"), ("c", "a")], 2, False, "rows-all-alike"),
        ([("a", "b"), ("c", "d"), ("a", "e")], 3, True, "batch-cannot-be-filled"),
        ([("a", "b")], 2, True, "batch-cannot-be-filled"),
        ([], 2, False, "dataset-empty"),
        ([("a", "b")], 0, False, "count-out-of-range"),
    ],
)
def test_what_gives_no_batch_is_refused_at_once(
    rows: list[tuple[str, str]], size: int, drop_last: bool, code: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        NoDuplicatesBatchSampler(examples(rows), size, drop_last)
    assert caught.value.code == code


labels = st.lists(st.integers(0, 5), min_size=1, max_size=60)
even = st.sampled_from([4, 6, 8, 10])


@settings(max_examples=80)
@given(classes=labels, size=even, drop_last=st.booleans(), seed=seeds)
def test_groups_of_labels_are_as_large_and_as_many_as_upstreams(
    classes: list[int], size: int, drop_last: bool, seed: int
) -> None:
    table = hub.Dataset.from_dict({"text": [str(n) for n in range(len(classes))], "label": classes})
    rows = examples([(str(number),) for number in range(len(classes))], classes)
    try:
        theirs = upstream.GroupByLabelBatchSampler(
            table, size, drop_last, ["label"], generator=torch.Generator(), seed=seed
        )
    except ValueError:
        with pytest.raises(WorkbenchError, match="labels-not-repeated"):
            GroupByLabelBatchSampler(rows, size, drop_last, seed=seed)
        return
    if len(theirs) == 0:
        with pytest.raises(WorkbenchError, match="batch-cannot-be-filled"):
            GroupByLabelBatchSampler(rows, size, drop_last, seed=seed)
        return
    ours = GroupByLabelBatchSampler(rows, size, drop_last, seed=seed)
    for _ in range(2):
        batches = list(ours)
        assert [len(batch) for batch in batches] == [len(batch) for batch in theirs]
        assert len(batches) == len(ours) == len(theirs)
        drawn = [row for batch in batches for row in batch]
        assert len(set(drawn)) == len(drawn)
        for batch in batches:
            counts = Counter(classes[row] for row in batch)
            assert len(counts) >= 2 and min(counts.values()) >= 2
        # How often each label comes is settled by its size, in both.
        per_label = Counter(classes[row] for batch in batches for row in batch)
        if not drop_last and sum(map(len, batches)) == ours._stream:
            assert per_label == Counter(classes[row] for batch in theirs for row in batch)


def test_two_rounds_that_meet_in_a_batch_do_not_bring_one_label() -> None:
    classes = [0, 1, 2] * 10
    rows = examples([(str(number),) for number in range(len(classes))], classes)
    for seed in range(10):
        for batch in GroupByLabelBatchSampler(rows, 4, seed=seed):
            assert len({classes[row] for row in batch}) == 2


@pytest.mark.parametrize(
    ("size", "code"), [(2, "batch-size-not-even"), (5, "batch-size-not-even"), (0, "count-out-of-range")]
)
def test_a_batch_size_without_room_for_two_labels_is_refused(size: int, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        GroupByLabelBatchSampler(examples([("a",)] * 8, [0, 1] * 4), size)
    assert caught.value.code == code


def test_labels_are_read_from_a_hub_data_set_and_scores_refused() -> None:
    table = hub.Dataset.from_dict({"text": list("abcdefgh"), "intent": [0, 1] * 4})
    batches = list(GroupByLabelBatchSampler(table, 4, valid_label_columns=["intent"], seed=0))
    assert [Counter(row % 2 for row in batch) for batch in batches] == [{0: 2, 1: 2}] * 2
    with pytest.raises(WorkbenchError, match="row-without-label"):
        GroupByLabelBatchSampler(table, 4)
    with pytest.raises(WorkbenchError, match="labels-not-repeated"):
        GroupByLabelBatchSampler(examples([("a",), ("b",), ("c",)], [0.1, 0.2, 0.3]), 4)  # type: ignore[list-item]


@settings(max_examples=40)
@given(rows=st.integers(1, 80), size=sizes, drop_last=st.booleans(), pool=st.integers(1, 4), seed=seeds)
def test_by_length_takes_every_row_once(rows: int, size: int, drop_last: bool, pool: int, seed: int) -> None:
    data = [("x" * (row * 37 % 101 + 1)) for row in range(rows)]
    sampler = LengthBatchSampler(data, size, drop_last, pool_batches=pool, seed=seed)
    batches = list(sampler)
    drawn = [row for batch in batches for row in batch]
    assert len(set(drawn)) == len(drawn) == (rows // size * size if drop_last else rows)
    assert len(batches) == len(sampler) == (rows // size if drop_last else -(-rows // size))
    plain = BatchSampler(RandomSampler(data), size, drop_last)  # type: ignore[arg-type]
    assert sorted(map(len, batches)) == sorted(map(len, plain))


def test_by_length_saves_padding_and_keeps_mixing() -> None:
    data = ["x" * (row * 37 % 101 + 1) for row in range(2000)]
    sampler = LengthBatchSampler(data, 20, pool_batches=10, seed=3)

    def padded(batches: list[list[int]]) -> int:
        return sum(len(batch) * max(len(data[row]) for row in batch) for batch in batches)

    real = sum(map(len, data))
    first, second = list(sampler), list(sampler)
    assert padded(first) < 1.15 * real
    plain = BatchSampler(RandomSampler(data, generator=torch.Generator().manual_seed(3)), 20, False)
    assert padded(list(plain)) > 1.7 * real
    assert {frozenset(batch) for batch in first}.isdisjoint(frozenset(batch) for batch in second)
    # Batches come in no order of length.
    means = [len(data[batch[0]]) for batch in first]
    assert means != sorted(means)


counts = st.lists(st.integers(1, 20), min_size=1, max_size=4)


def joined(parts: list[int]) -> ConcatDataset[Any]:
    return ConcatDataset([numbered(count, 100 * place) for place, count in enumerate(parts)])  # type: ignore[list-item]


@settings(max_examples=40)
@given(parts=counts, size=st.integers(1, 5))
def test_round_robin_equals_upstreams(parts: list[int], size: int) -> None:
    data = joined(parts)
    inner = [BatchSampler(SequentialSampler(part), size, False) for part in data.datasets]  # type: ignore[arg-type]
    ours = RoundRobinBatchSampler(data, inner)
    theirs = upstream.RoundRobinBatchSampler(data, inner)
    assert list(ours) == list(theirs)
    assert len(ours) == len(theirs) == len(list(ours))


@settings(max_examples=40)
@given(parts=counts, size=st.integers(1, 5), seed=seeds)
def test_proportional_gives_every_batch_of_every_data_set_once(
    parts: list[int], size: int, seed: int
) -> None:
    data = joined(parts)
    inner = [BatchSampler(SequentialSampler(part), size, False) for part in data.datasets]  # type: ignore[arg-type]
    ours = ProportionalBatchSampler(data, inner, seed=seed)
    theirs = upstream.ProportionalBatchSampler(data, inner, generator=torch.Generator(), seed=seed)
    assert sorted(ours) == sorted(theirs)
    assert len(ours) == len(theirs)


def test_proportional_mixes_the_data_sets() -> None:
    data = joined([60, 60])
    inner = [NoDuplicatesBatchSampler(part, 2, seed=0) for part in data.datasets]
    turns = [batch[0] >= 60 for batch in ProportionalBatchSampler(data, inner, seed=0)]
    assert 10 < sum(one != other for one, other in pairwise(turns)) < 50


def some_data() -> list[InputExample]:
    return examples([(f"text {row}", f"o{row % 7}") for row in range(30)], [row % 4 for row in range(30)])


def two_parts(kind: Any, seed: int | None) -> Any:
    data = joined([20, 30])
    parts = [
        LengthBatchSampler(data.datasets[0], 4, seed=seed),
        NoDuplicatesBatchSampler(data.datasets[1], 4),
    ]
    return kind(data, parts, seed=seed)


SAMPLERS: dict[str, Callable[[int | None], Any]] = {
    "no duplicates": lambda seed: NoDuplicatesBatchSampler(some_data(), 4, seed=seed),
    "by label": lambda seed: GroupByLabelBatchSampler(some_data(), 4, seed=seed),
    "by length": lambda seed: LengthBatchSampler(some_data(), 4, pool_batches=2, seed=seed),
    "round robin": lambda seed: two_parts(RoundRobinBatchSampler, seed),
    "proportional": lambda seed: two_parts(ProportionalBatchSampler, seed),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_epochs_differ_repeat_with_the_seed_and_can_be_taken_up(name: str) -> None:
    make = SAMPLERS[name]
    sampler = make(5)
    first = list(sampler)
    state = json.loads(json.dumps(sampler.state_dict()))
    second, third = list(sampler), list(sampler)
    assert first != second != third != first
    assert list(make(5)) == first != list(make(6))
    fresh = make(77)
    len(fresh)
    fresh.load_state_dict(state)
    assert fresh.epoch == 1
    assert [list(fresh), list(fresh)] == [second, third]
    # Broken off in the midst, the epoch is over.
    fresh.set_epoch(0)
    next(iter(fresh))
    assert list(fresh) == second
    fresh.set_epoch(0)
    assert list(fresh) == first


@pytest.mark.parametrize("name", SAMPLERS)
def test_without_a_seed_torchs_own_decides_and_nothing_is_drawn_from_it(name: str) -> None:
    def drawn(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        sampler = SAMPLERS[name](None)
        found = list(sampler)
        assert torch.equal(torch.get_rng_state(), before)
        return found

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_generator_is_drawn_from_and_resumed() -> None:
    def made(seed: int) -> NoDuplicatesBatchSampler:
        return NoDuplicatesBatchSampler(some_data(), 4, generator=torch.Generator().manual_seed(seed))

    sampler = made(1)
    # Asking for the length does not draw.
    assert len(sampler) == len(list(made(1)))
    first = list(sampler)
    assert first == list(made(1)) != list(made(2))
    state = json.loads(json.dumps(sampler.state_dict()))
    second = list(sampler)
    other = made(9)
    other.load_state_dict(state)
    assert list(other) == second != first
    with pytest.raises(WorkbenchError, match="sampler-state-unreadable"):
        SAMPLERS["no duplicates"](1).load_state_dict(state)
    with pytest.raises(WorkbenchError, match="seed-and-generator"):
        NoDuplicatesBatchSampler(some_data(), 4, seed=0, generator=torch.Generator())


def test_states_that_do_not_fit_are_refused() -> None:
    state = SAMPLERS["no duplicates"](1).state_dict()
    fewer = NoDuplicatesBatchSampler(some_data()[:20], 4)
    for wrong, code in [
        (state, "sampler-state-mismatch"),
        ({}, "sampler-state-mismatch"),
        ({**fewer.state_dict(), "seed": -1}, "seed-out-of-range"),
        ({**fewer.state_dict(), "epoch": "3"}, "epoch-out-of-range"),
        ({**fewer.state_dict(), "more": 1}, "sampler-state-unreadable"),
    ]:
        with pytest.raises(WorkbenchError) as caught:
            fewer.load_state_dict(wrong)
        assert caught.value.code == code
    with pytest.raises(WorkbenchError, match="sampler-state-mismatch"):
        SAMPLERS["round robin"](1).load_state_dict(state)


def test_a_part_whose_state_cannot_be_read_is_refused() -> None:
    data = joined([8, 8])
    known = [BatchSampler(RandomSampler(part), 2, False) for part in data.datasets]  # type: ignore[arg-type]
    assert RoundRobinBatchSampler(data, known, seed=1).state_dict()["parts"] == [None, None]
    own = RandomSampler(data.datasets[0], generator=torch.Generator())  # type: ignore[arg-type]
    for part in (BatchSampler(own, 2, False), [[0], [1]]):
        with pytest.raises(WorkbenchError, match="sampler-state-unknown"):
            RoundRobinBatchSampler(data, [known[0], part], seed=1).state_dict()
    with pytest.raises(WorkbenchError, match="samplers-count"):
        RoundRobinBatchSampler(data, known[:1])
    with pytest.raises(WorkbenchError, match="datasets-not-joined"):
        RoundRobinBatchSampler([[1], [2]], known)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["no duplicates", "by label", "by length"])
def test_a_data_loader_takes_the_batches_as_they_are(name: str) -> None:
    data = some_data()
    loader = DataLoader(data, batch_sampler=SAMPLERS[name](3), collate_fn=list)  # type: ignore[arg-type]
    expected = [[data[row].texts for row in batch] for batch in SAMPLERS[name](3)]
    assert [[example.texts for example in batch] for batch in loader] == expected
    assert len(loader) == len(expected)
