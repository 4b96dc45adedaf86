"""Digests tell different values apart, and take neither random numbers nor long."""

from __future__ import annotations

import hashlib
import random
from collections import UserDict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from tests.training.small import pairs
from workbench import losses
from workbench.data.input_example import InputExample
from workbench.training.digest import add_to_digest, data_fingerprint, sample_digest
from workbench.training.random_state import capture_random_state

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters())
VALUES = st.recursive(
    LEAVES | st.binary(),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=2), child, max_size=3),
    max_leaves=8,
)


def digest_of(value: object) -> str:
    digest = hashlib.sha256()
    add_to_digest(digest, value)
    return digest.hexdigest()


@settings(max_examples=150)
@given(VALUES, VALUES)
def test_equal_values_and_only_they_have_one_digest(one: Any, other: Any) -> None:
    assert (digest_of(one) == digest_of(other)) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab", "c"], ["a", "bc"]),
        ([["a"], "b"], [["a", "b"]]),
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("1", 1),
        ("a", b"a"),
        (torch.zeros(2, 3), torch.zeros(3, 2)),
        (torch.zeros(2), torch.zeros(2, dtype=torch.int32)),
        (torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.float16)),
        (torch.tensor(1.0), torch.tensor([1.0])),
        (torch.tensor([1, 2]), torch.tensor([2, 1])),
        (torch.tensor([1, 2]), np.array([1.0, 2.0])),
        (np.array(["a", None], dtype=object), np.array(["b", None], dtype=object)),
        (InputExample(texts=["a"], label=1), InputExample(texts=["a"], label=1.0)),
        (InputExample(texts=["a", "b"]), InputExample(texts=["ab"])),
        (UserDict(a=1), UserDict(a=2)),
        (torch.eye(2).to_sparse(), torch.ones(2, 2).to_sparse()),
    ],
    ids=str,
)
def test_what_is_told_apart(one: Any, other: Any) -> None:
    assert digest_of(one) != digest_of(other)


def test_views_and_types_of_no_content() -> None:
    base = torch.arange(12).view(3, 4)
    assert digest_of(base.T) == digest_of(base.T.contiguous())
    assert digest_of(torch.empty(0, 3)) != digest_of(torch.empty(3, 0))
    assert digest_of(object()) == digest_of(object())
    loop: list[Any] = []
    loop.append(loop)
    digest_of(loop)


def rows_with(place: int, text: str, count: int = 50) -> list[InputExample]:
    rows = pairs(count)
    rows[place].texts[1] = text
    return rows


@pytest.mark.parametrize("place", [0, 17, 49])
def test_a_changed_row_changes_the_fingerprint(place: int) -> None:
    original = data_fingerprint(pairs(50))
    assert data_fingerprint(pairs(50)) == original
    assert data_fingerprint(tuple(pairs(50))) == original
    assert data_fingerprint(DataLoader(pairs(50), 4, shuffle=True)) == original  # type: ignore[arg-type]
    assert data_fingerprint(rows_with(place, "changed")) != original
    assert data_fingerprint(pairs(51)) != original
    assert data_fingerprint(pairs(50)[::-1]) != original
    labelled = pairs(50)
    labelled[place].label += 0.5
    assert data_fingerprint(labelled) != original


def test_a_loader_without_a_data_set_stands_for_its_lists() -> None:
    def loader(texts: str) -> Any:
        return losses.ContrastiveTensionDataLoader(list(texts), 4, 4)

    assert data_fingerprint(loader("abcdefgh")) == data_fingerprint(loader("abcdefgh"))
    assert data_fingerprint(loader("abcdefgh")) != data_fingerprint(loader("abcdefgi"))


class Noisy(Dataset[Any]):
    def __init__(self, rows: int, word: str = "x") -> None:
        self.rows, self.word, self.asked = rows, word, 0

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> Any:
        self.asked += 1
        return self.word, index, random.random(), np.random.rand(), torch.rand(1)


class Stateful(Noisy):
    def state_dict(self) -> dict[str, int]:
        return {"asked": self.asked}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.asked = state["asked"]


def test_noise_is_the_same_and_nobody_notices() -> None:
    before = capture_random_state()[0]
    data = Stateful(100)
    first = data_fingerprint(data)
    assert data.asked == 0
    assert all(torch.equal(before[name], now) for name, now in capture_random_state()[0].items())
    torch.rand(3)
    assert data_fingerprint(Noisy(100)) == first
    assert data_fingerprint(Noisy(100, "y")) != first


def test_a_large_data_set_is_asked_for_some_rows_alone() -> None:
    data = Noisy(10**9)
    data_fingerprint(data)
    assert data.asked == 2_000
    assert data_fingerprint(Noisy(10**9)) != data_fingerprint(Noisy(10**9 + 1))


def test_a_sample_is_of_the_length_and_the_ends() -> None:
    values = list(range(10_000))
    assert sample_digest(values) == sample_digest(list(range(10_000)))
    assert sample_digest(values) != sample_digest(values[:-1])
    assert sample_digest(values) != sample_digest([*values[:-1], 0])
    assert sample_digest(torch.tensor(3)) != sample_digest(torch.tensor(4))
    assert sample_digest([]) != sample_digest([0])
