"""Every admitted architecture, loaded safely, gives upstream's embeddings; so does its round trip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer as Upstream

from tests.models.tiny import AWKWARD, write_encoder, write_upstream
from workbench.models.architectures import ARCHITECTURES
from workbench.models.transformer import Transformer
from workbench.sentence_transformer import SentenceTransformer

_LEFT = ("qwen3", "gemma3_text")


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_embeddings_equal_upstreams(model_type: str, tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, model_type, "lasttoken" if model_type in _LEFT else "mean")
    theirs = Upstream(str(folder), device="cpu", local_files_only=True)
    ours = SentenceTransformer(folder, device="cpu")
    assert ours.max_seq_length == theirs.max_seq_length
    expected = theirs.encode(AWKWARD, batch_size=4)
    for batch_size in (1, 4, 32):
        got = ours.encode(AWKWARD, batch_size=batch_size)
        assert got.dtype == np.float32
        assert np.abs(got - expected).max() <= 1e-6, (model_type, batch_size)


@pytest.mark.parametrize("model_type", ARCHITECTURES)
def test_round_trip_keeps_every_tensor(model_type: str, tmp_path: Path) -> None:
    first = SentenceTransformer(write_upstream(tmp_path / "a", model_type), device="cpu")
    first.save(tmp_path / "b")
    second = SentenceTransformer(tmp_path / "b", device="cpu")
    before, after = first.state_dict(), second.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert np.array_equal(first.encode(AWKWARD), second.encode(AWKWARD))
    theirs = Upstream(str(tmp_path / "b"), device="cpu", local_files_only=True)
    assert np.abs(theirs.encode(AWKWARD) - second.encode(AWKWARD)).max() <= 1e-6


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta", "qwen3"])
def test_a_plain_encoder_is_the_first_module(model_type: str, tmp_path: Path) -> None:
    module = Transformer(write_encoder(tmp_path / "encoder", model_type), max_seq_length=16)
    batch = module.tokenize(AWKWARD)
    assert batch["input_ids"].shape == batch["attention_mask"].shape
    assert batch["input_ids"].shape[1] == 16
    theirs = module.tokenizer(AWKWARD, truncation=True, max_length=16, padding=True, return_tensors="pt")
    assert torch.equal(batch["input_ids"], theirs["input_ids"])
    assert torch.equal(batch["attention_mask"], theirs["attention_mask"])
