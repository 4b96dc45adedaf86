"""Tensors that a weights file may hold beyond the encoder: other tasks' heads, and buffers."""

from __future__ import annotations

_PREFIXES = ("cls.", "lm_head.", "classifier.", "qa_outputs.", "vocab_", "generator_", "discriminator_")
_PARTS = ("position_ids", "pooler.", "rotary_emb.inv_freq", "predictions.", "seq_relationship")


def is_spare(name: str) -> bool:
    """Whether a tensor of this name may be left over."""
    return name.startswith(_PREFIXES) or any(part in name for part in _PARTS)
