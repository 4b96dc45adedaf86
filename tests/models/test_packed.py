"""Texts in one row without padding give what the padded pass gives, for every architecture of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.models.tiny import AWKWARD, write_encoder
from workbench.models import packed_bert, packed_registered
from workbench.models.architectures import ARCHITECTURES
from workbench.models.packed import pack, packable, packed_forward
from workbench.models.transformer import Transformer

PACKED = sorted(packed_bert.MODEL_TYPES | packed_registered.MODEL_TYPES)
TEXTS = [*AWKWARD, "one two three four five six", "the fox " * 30, "a padding token <pad> [PAD] inside"]


def both(encoder: Transformer) -> tuple[list[Tensor], list[Tensor]]:
    """Token embeddings of every text: from one packed row, and from one padded batch."""
    items = sorted(encoder.tokenize_texts(TEXTS), key=lambda item: item.length)
    batch = pack(encoder.auto_model, items)
    packed = packed_forward(encoder.auto_model, batch).split(list(batch.lengths))
    padded = encoder(encoder.collate(items))
    rows, mask = padded["token_embeddings"], padded["attention_mask"].bool()
    return list(packed), [row[kept] for row, kept in zip(rows, mask, strict=True)]


def test_the_table_is_within_the_architectures() -> None:
    assert set(PACKED) < set(ARCHITECTURES)
    assert not packed_bert.MODEL_TYPES & packed_registered.MODEL_TYPES


@pytest.mark.parametrize("model_type", PACKED)
def test_packed_equals_padded(tmp_path: Path, model_type: str) -> None:
    encoder = Transformer(write_encoder(tmp_path / "model", model_type), max_seq_length=60)
    assert packable(encoder.auto_model)
    encoder.auto_model.eval()
    with torch.inference_mode():
        packed, padded = both(encoder)
    for one, other in zip(packed, padded, strict=True):
        assert float((one - other).abs().max()) <= 2e-6 * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("model_type", PACKED)
def test_gradients_equal_the_padded_ones(tmp_path: Path, model_type: str) -> None:
    encoder = Transformer(write_encoder(tmp_path / "model", model_type), max_seq_length=60)
    encoder.auto_model.eval()
    gradients = []
    for which in (0, 1):
        encoder.zero_grad(set_to_none=True)
        torch.cat([(text**3).mean(0) for text in both(encoder)[which]]).sum().backward()
        gradients.append(
            {name: value.grad for name, value in encoder.named_parameters() if value.grad is not None}
        )
    assert gradients[0].keys() == gradients[1].keys() and gradients[0]
    for name, value in gradients[0].items():
        scale = float(gradients[1][name].abs().max()) + 1.0
        assert torch.allclose(value, gradients[1][name], atol=1e-5 * scale, rtol=0), name


@pytest.mark.parametrize("model_type", PACKED)
def test_dropout_acts_in_training_only(tmp_path: Path, model_type: str) -> None:
    encoder = Transformer(write_encoder(tmp_path / "model", model_type), max_seq_length=60)
    items = sorted(encoder.tokenize_texts(TEXTS), key=lambda item: item.length)
    batch = pack(encoder.auto_model, items)
    drops = any(
        value
        for name, value in vars(encoder.auto_model.config).items()
        if "drop" in name and "classifier" not in name and value
    )
    encoder.auto_model.train()
    with torch.no_grad():
        first, second = packed_forward(encoder.auto_model, batch), packed_forward(encoder.auto_model, batch)
    assert torch.equal(first, second) != drops
    encoder.auto_model.eval()
    with torch.no_grad():
        assert torch.equal(
            packed_forward(encoder.auto_model, batch), packed_forward(encoder.auto_model, batch)
        )


@pytest.mark.parametrize("model_type", sorted(set(ARCHITECTURES) - set(PACKED)))
def test_others_are_not_packed(tmp_path: Path, model_type: str) -> None:
    assert not packable(Transformer(write_encoder(tmp_path / "model", model_type)).auto_model)
