"""The modules after the encoder, run over a packed batch: one embedding a text."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workbench.models.dense import Dense
from workbench.models.dropout import Dropout
from workbench.models.layer_norm import LayerNorm
from workbench.models.normalize import Normalize
from workbench.models.packed import PackedBatch
from workbench.models.pooling import Pooling
from workbench.models.protocols import Features

# They take a sentence embedding and give one.
_LATER = (Dense, Dropout, LayerNorm, Normalize)


def can_pool_packed(modules: Sequence[nn.Module]) -> bool:
    """Whether these modules, all that follow the encoder, need no more than one text's last layer at a time.

    Exact classes only: a subclass may look at the padding, or at anything else.
    """
    if not modules or type(modules[0]) is not Pooling:
        return False
    return all(type(module) in _LATER and _in_place(module) for module in modules[1:])


def pool_packed(
    modules: Sequence[nn.Module], rows: Tensor, batch: PackedBatch, prompt_length: int | None = None
) -> Tensor:
    """Run the modules that follow the encoder.

    Args:
        modules: Some that ``can_pool_packed``.
        rows: Token embeddings, shape ``(tokens, hidden)``.
        batch: Whose they are.
        prompt_length: Tokens of the prompt at the front of each text.

    Returns:
        Shape ``(texts, dim)``, in packed order.
    """
    pooled = []
    for group in batch.groups:
        tokens = rows[group.start : group.end].view(group.texts, group.length, -1)
        features: Features = {"token_embeddings": tokens, "attention_mask": _ones(tokens)}
        if prompt_length is not None:
            features["prompt_length"] = prompt_length
        pooled.append(modules[0](features)["sentence_embedding"])
    features = {"sentence_embedding": torch.cat(pooled)}
    for module in modules[1:]:
        features = module(features)
    out: Tensor = features["sentence_embedding"]
    return out


def _in_place(module: nn.Module) -> bool:
    """Whether a module reads and writes the sentence embedding."""
    names = (
        getattr(module, name, "sentence_embedding") for name in ("module_input_name", "module_output_name")
    )
    return all(name == "sentence_embedding" for name in names)


def _ones(tokens: Tensor) -> Tensor:
    return torch.ones(tokens.shape[:2], dtype=torch.int64, device=tokens.device)
