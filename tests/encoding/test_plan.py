"""Batches: every text once, alike lengths together, whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.encoding.plan import length_batches, packed_batches, unique_texts


@given(st.lists(st.text(max_size=3)))
def test_distinct_texts_give_every_text_back(texts: list[str]) -> None:
    distinct, places = unique_texts(texts)
    assert len(set(distinct)) == len(distinct)
    assert [distinct[place] for place in places] == texts


@given(st.lists(st.integers(0, 500)), st.integers(1, 20))
def test_batches_hold_every_index_once_and_never_mix_more_than_sorting_must(
    lengths: list[int], batch_size: int
) -> None:
    batches = length_batches(lengths, batch_size)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)
    flat = [lengths[index] for batch in batches for index in batch]
    assert flat == sorted(lengths, reverse=True)


@given(
    st.lists(st.integers(1, 300)),
    st.none() | st.integers(1, 20),
    st.integers(1, 4),
    st.integers(1, 500),
)
def test_packed_batches_hold_every_index_once_within_their_budget(
    lengths: list[int], batch_size: int | None, threads: int, budget: int
) -> None:
    batches = packed_batches(lengths, batch_size, threads=threads, budget=budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert batch_size is None or all(len(batch) <= batch_size for batch in batches)
    assert all(len(batch) == 1 or sum(lengths[index] for index in batch) <= budget for batch in batches)
    flat = [lengths[index] for batch in batches for index in batch]
    assert flat == sorted(lengths, reverse=True)
    if len(lengths) >= threads and len(set(lengths)) == 1:
        assert len(batches) >= min(threads, len(lengths))
