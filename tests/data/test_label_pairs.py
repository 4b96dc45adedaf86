"""Pairs and triplets from labels: same label, other label, each once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import InputExample
from workbench.data.label_pairs import pairs_by_label, triplets_by_label
from workbench.errors import WorkbenchError


def labelled(labels: list[int]) -> list[InputExample]:
    return [InputExample(texts=[f"text {row}"], label=label) for row, label in enumerate(labels)]


@given(
    labels=st.lists(st.integers(0, 5), min_size=2, max_size=40),
    per_text=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_positives_share_a_label_and_negatives_do_not(labels: list[int], per_text: int, seed: int) -> None:
    data = labelled(labels)
    label = {example.texts[0]: example.label for example in data}
    if len(set(labels)) == len(labels):
        with pytest.raises(WorkbenchError, match="labels-not-repeated"):
            pairs_by_label(data)
        return
    pairs = pairs_by_label(data, per_text=per_text, seed=seed)
    assert all(label[a] == label[b] and a != b for a, b in (pair.texts for pair in pairs))
    assert len({frozenset(pair.texts) for pair in pairs}) == len(pairs)
    for kind in set(labels):
        count = labels.count(kind)
        own = sum(label[pair.texts[0]] == kind for pair in pairs)
        assert own == min(count * min(per_text, count - 1), count * (count - 1) // 2)
    if len(set(labels)) == 1:
        with pytest.raises(WorkbenchError, match="labels-all-alike"):
            triplets_by_label(data)
        return
    triplets = triplets_by_label(data, per_text=per_text, seed=seed)
    assert [triplet.texts[:2] for triplet in triplets] == [pair.texts for pair in pairs]
    assert all(label[triplet.texts[0]] != label[triplet.texts[2]] for triplet in triplets)
    assert [triplet.texts for triplet in triplets_by_label(data, per_text=per_text, seed=seed)] == [
        triplet.texts for triplet in triplets
    ]


def test_a_text_under_two_labels_is_no_negative_of_either() -> None:
    data = [
        InputExample(texts=[text], label=label) for text, label in [("a", 0), ("b", 0), ("b", 1), ("c", 1)]
    ]
    with pytest.raises(WorkbenchError, match="negative-not-found"):
        # Whatever is paired with "b" leaves no text that has neither of its labels.
        for seed in range(8):
            triplets_by_label(data, seed=seed)
