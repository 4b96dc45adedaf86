"""Splits: nothing that belongs together is parted, sizes are near, and scipy's, sklearn's word is taken."""

from __future__ import annotations

from collections import Counter

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import InputExample
from workbench.data.normalise import normalised
from workbench.data.splits import connected_rows, split_by_group
from workbench.errors import WorkbenchError

THREE = {"train": 0.8, "dev": 0.1, "test": 0.1}
rows = st.lists(
    st.lists(st.integers(0, 120).map(lambda number: f"text {number}"), min_size=1, max_size=3),
    min_size=1,
    max_size=80,
)


@settings(max_examples=60)
@given(texts=rows, shout=st.booleans())
def test_components_equal_those_of_networkx(texts: list[list[str]], shout: bool) -> None:
    graph = networkx.Graph()
    for row, values in enumerate(texts):
        graph.add_edges_from((row, value) for value in values)
    expected = {
        frozenset(n for n in part if isinstance(n, int)) for part in networkx.connected_components(graph)
    }
    written = [
        [value.upper() + " !" if shout and row % 2 else value for value in values]
        for row, values in enumerate(texts)
    ]
    found = connected_rows(written)
    assert {frozenset(np.flatnonzero(found == number).tolist()) for number in set(found.tolist())} == expected


@settings(max_examples=60)
@given(texts=rows, seed=st.integers(0, 99), halves=st.booleans())
def test_no_text_stands_in_two_splits(texts: list[list[str]], seed: int, halves: bool) -> None:
    data = [InputExample(texts=values) for values in texts]
    shares = {"one": 0.5, "two": 0.5} if halves else THREE
    try:
        split = split_by_group(data, shares, seed=seed, tolerance=0.2)
    except WorkbenchError as error:
        assert error.code == "component-too-large"
        return
    assert sorted(row for part in split.rows.values() for row in part) == list(range(len(texts)))
    inside = [{text for example in split.take(data, name) for text in example.texts} for name in shares]
    assert sum(map(len, inside)) == len(set.union(*inside))
    for name, share in split.achieved.items():
        assert share == len(split.rows[name]) / len(texts)
        assert abs(share - shares[name]) <= max(0.2, 1 / len(texts))
    assert split_by_group(data, shares, seed=seed, tolerance=0.2) == split


def test_groups_stay_whole_and_labels_are_spread() -> None:
    groups = [f"intent {row // 10}" for row in range(2000)]
    labels = [row // 10 % 5 for row in range(2000)]
    data = [f"phrase {row}" for row in range(2000)]
    split = split_by_group(data, THREE, groups=groups, labels=labels, seed=1)
    for one in split.rows:
        own = {groups[row] for row in split.rows[one]}
        assert all(own.isdisjoint(groups[row] for row in split.rows[two]) for two in split.rows if two != one)
        assert split.label_counts[one] == Counter(labels[row] for row in split.rows[one])
        assert set(split.label_counts[one].values()) == {400 * THREE[one]}
    assert split.achieved == THREE
    assert (split.components, split.largest_component) == (200, 10)
    other = split_by_group(data, THREE, groups=groups, labels=labels, seed=2)
    assert other.rows != split.rows


def test_a_group_can_be_all_that_counts() -> None:
    data = [("shared", f"row {row}") for row in range(40)]
    groups = [row // 4 for row in range(40)]
    split = split_by_group(data, {"train": 0.8, "test": 0.2}, groups=groups, share_texts=False)
    assert split.achieved == {"train": 0.8, "test": 0.2}
    with pytest.raises(WorkbenchError, match="component-too-large") as caught:
        split_by_group(data, {"train": 0.8, "test": 0.2}, groups=groups)
    assert "40 rows" in str(caught.value) and "shared" in str(caught.value)


def test_what_is_large_is_placed_first() -> None:
    groups = ["large"] * 40 + list(range(60))
    for seed in range(6):
        split = split_by_group(
            [f"row {row}" for row in range(100)], {"a": 0.6, "b": 0.4}, groups=groups, seed=seed
        )
        assert split.achieved == {"a": 0.6, "b": 0.4}


def test_a_chain_of_texts_is_one_component() -> None:
    chain = [(f"t{row}", f"t{row + 1}") for row in range(50)]
    assert set(connected_rows(chain).tolist()) == {0}
    with pytest.raises(WorkbenchError, match="component-too-large"):
        split_by_group([*chain, ("x", "y")], {"train": 0.5, "test": 0.5})


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"train": 1.0}, "shares-not-a-whole"),
        ({"train": 0.8, "test": 0.1}, "shares-not-a-whole"),
        ({"train": 1.2, "test": -0.2}, "shares-not-a-whole"),
        ({"train": float("nan"), "test": 0.5}, "shares-not-a-whole"),
        ({"train": 0.5, "test": 0.5}, "groups-count"),
    ],
    ids=["one", "less", "negative", "nan", "groups"],
)
def test_what_is_no_split_is_refused(shares: dict[str, float], code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        split_by_group(["a", "b", "c"], shares, groups=[1, 2])
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Hello,  World!", "hello world", True),
        ("ﬁne Ⅳ", "FINE iv", True),
        ("Straße", "STRASSE", True),
        ("한국어", "한국어", True),
        ("C++", "C", False),
        ("?!", "...", False),
        ("?!", "", False),
    ],
)
def test_what_counts_as_the_same_text(one: str, other: str, same: bool) -> None:
    assert (normalised(one) == normalised(other)) is same
