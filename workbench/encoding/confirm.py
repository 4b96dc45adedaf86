"""Texts of mixed lengths in one packed batch must come out as each does by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.encoding.engine import Engine
from workbench.encoding.probe import alike, probe_texts
from workbench.models.bert_tree import BertTree
from workbench.models.packed import pack
from workbench.models.protocols import Tokenized
from workbench.models.transformer import Transformer


def confirmed(first: Transformer, engine: Engine) -> bool:
    """Whether a float32 engine gives what the encoder's plain pass gives, on random ids of mixed lengths."""
    texts = probe_texts(first.encoder, first.max_seq_length)
    device = next(first.parameters()).device
    batch = pack(first.encoder, texts)
    with torch.inference_mode():
        packed = torch.split(engine.run(batch.to(device)), list(batch.lengths))
        plain = [_alone(first, engine, text, device) for text in texts]
    return all(alike(one, other) for one, other in zip(packed, plain, strict=True))


def _alone(first: Transformer, engine: Engine, text: Tokenized, device: torch.device) -> Tensor:
    """A text by itself, without a neighbour to be mixed up with."""
    if isinstance(first.encoder, BertTree):
        # The pass is our own, and tests hold it to the library's, which takes seconds to import.
        return engine.run(pack(first.encoder, [text]).to(device))
    features = {name: value.to(device) for name, value in first.collate([text]).items()}
    out: Tensor = first(features)["token_embeddings"][0]
    return out
