"""The loader of contrastive tension against upstream's, and what its losses do to the model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import (
    ContrastiveTensionDataLoader as UpstreamLoader,
)

from tests.losses.cases import Fake
from tests.models.tiny import write_upstream
from workbench import losses
from workbench.errors import WorkbenchError
from workbench.sentence_transformer import SentenceTransformer


def drawn(loader: Any, seed: int) -> list[list[tuple[list[str], int]]]:
    random.seed(seed)
    return [[(example.texts, example.label) for example in batch] for batch in loader]


@settings(max_examples=40)
@given(texts=st.integers(0, 90), ratio=st.integers(1, 5), times=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_loader_draws_upstreams_first_epoch(texts: int, ratio: int, times: int, seed: int) -> None:
    sentences = [f"text {number}" for number in range(texts)]
    ours = losses.ContrastiveTensionDataLoader(sentences, ratio * times, ratio)
    theirs = UpstreamLoader(list(sentences), ratio * times, ratio)
    assert len(ours) == len(theirs)
    first = drawn(ours, seed)
    assert first == drawn(theirs, seed)
    # An epoch depends on the random state alone, so that it can be taken up again.
    assert drawn(ours, seed) == first
    assert sentences == [f"text {number}" for number in range(texts)]


def test_the_loader_collates_and_refuses_a_ratio_that_does_not_fit() -> None:
    loader = losses.ContrastiveTensionDataLoader(["a", "b", "c", "d"], 2, 2)
    loader.collate_fn = len
    assert list(loader) == [2]
    with pytest.raises(WorkbenchError) as caught:
        losses.ContrastiveTensionDataLoader(["a"], 9, 2)
    assert caught.value.code == "batch-size-not-a-multiple"


def test_the_copy_starts_equal_and_shares_nothing(tmp_path: Path) -> None:
    model = SentenceTransformer(write_upstream(tmp_path, "bert"), device="cpu")
    loss = losses.ContrastiveTensionLoss(model)
    assert loss.model2 is model
    pairs = list(zip(loss.model1.parameters(), model.parameters(), strict=True))
    assert pairs and all(torch.equal(one, other) and one is not other for one, other in pairs)


def test_equal_texts_are_found_behind_different_padding() -> None:
    ids = torch.tensor([[5, 6, 0], [7, 8, 9]])
    wide = torch.tensor([[5, 6, 0, 0], [7, 8, 4, 0]])
    first = {"input_ids": ids, "attention_mask": (ids > 0).long(), "sentence_embedding": torch.eye(2)}
    second = {"input_ids": wide, "attention_mask": (wide > 0).long(), "sentence_embedding": torch.eye(2)}
    loss = losses.ContrastiveTensionLoss(Fake())
    assert torch.equal(loss([first, second]), loss([first, second], torch.tensor([1, 0])))
    flat = {
        "input_ids": torch.tensor([5, 6, 7]),
        "offsets": torch.tensor([0, 2]),
        "sentence_embedding": torch.eye(2),
    }
    other = {**flat, "input_ids": torch.tensor([5, 7, 7]), "offsets": torch.tensor([0, 2])}
    assert torch.equal(loss([flat, other]), loss([flat, other], torch.tensor([0, 1])))


def test_a_sentence_twice_is_one_column_twice() -> None:
    loss = losses.ContrastiveTensionLossInBatchNegatives(Fake())
    column = {"input_ids": torch.ones(3, 1), "sentence_embedding": torch.randn(3, 6)}
    assert torch.equal(loss([column]), loss([column, column]))
