"""A probe: texts of mixed lengths in one packed batch must come out as each does by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.encoding.engine import Engine
from workbench.models.bert_tree import BertTree
from workbench.models.packed import pack
from workbench.models.protocols import Tokenized
from workbench.models.transformer import Transformer

# Two texts of one length, shorter and longer neighbours: enough for a mix-up of any two to show.
_LENGTHS = (2, 5, 5, 7, 11, 24)
# Largest difference, relative to the largest number: some thirty times what rounding gives.
_TOLERANCE = {torch.float32: 3e-5, torch.float64: 3e-5, torch.float16: 3e-2, torch.bfloat16: 1e-1}


def confirmed(first: Transformer, engine: Engine) -> bool:
    """Whether a float32 engine gives what the encoder's plain pass gives, on random ids of mixed lengths.

    One length is longer than the window of local attention where the encoder has one and takes such texts.
    """
    texts = _probe(first)
    device = next(first.parameters()).device
    batch = pack(first.encoder, texts)
    with torch.inference_mode():
        packed = torch.split(engine.run(batch.to(device)), list(batch.lengths))
        plain = [_alone(first, engine, text, device) for text in texts]
    return all(_alike(one, other) for one, other in zip(packed, plain, strict=True))


def _alone(first: Transformer, engine: Engine, text: Tokenized, device: torch.device) -> Tensor:
    """A text by itself, without a neighbour to be mixed up with."""
    if isinstance(first.encoder, BertTree):
        # The pass is our own, and tests hold it to the library's, which takes seconds to import.
        return engine.run(pack(first.encoder, [text]).to(device))
    features = {name: value.to(device) for name, value in first.collate([text]).items()}
    out: Tensor = first(features)["token_embeddings"][0]
    return out


def _alike(one: Tensor, other: Tensor) -> bool:
    scale = float(other.abs().max())
    # False for a NaN: it is like nothing.
    return float((one - other).abs().max()) <= _TOLERANCE[other.dtype] * max(scale, 1e-6)


def _probe(first: Transformer) -> list[Tokenized]:
    config: Any = first.encoder.config
    window = getattr(config, "sliding_window", None) or getattr(config, "local_attention", None)
    lengths = sorted(
        {*_LENGTHS, *([int(window) + 3] if window else [])} & set(range(first.max_seq_length + 1))
    )
    generator = torch.Generator().manual_seed(0)
    return [_text(length, int(config.vocab_size), generator) for length in sorted([*lengths, lengths[0]])]


def _text(length: int, vocabulary: int, generator: torch.Generator) -> Tokenized:
    ids: Sequence[int] = torch.randint(0, vocabulary, (length,), generator=generator).tolist()
    return Tokenized({"input_ids": ids, "token_type_ids": [0] * length}, length, 0)
