"""Random texts of mixed lengths, and what counts as alike: the means to compare one pass with another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workbench.models.packed import PackedBatch, pack
from workbench.models.protocols import Tokenized

# Two texts of one length, shorter and longer neighbours: enough for a mix-up of any two to show.
_LENGTHS = (2, 5, 7, 11, 24)
# Largest difference, relative to the largest number: some thirty times what rounding gives.
_TOLERANCE = {torch.float32: 3e-5, torch.float64: 3e-5, torch.float16: 3e-3, torch.bfloat16: 2e-2}


def probe_texts(encoder: nn.Module, longest: int = max(_LENGTHS)) -> list[Tokenized]:
    """Random ids, shortest first; two of the shortest.

    One length is beyond the window of local attention, where the encoder has one and ``longest`` allows it.

    Args:
        longest: Most tokens of a text.
    """
    config: Any = encoder.config
    window = getattr(config, "sliding_window", None) or getattr(config, "local_attention", None)
    wanted = {*_LENGTHS, *([int(window) + 3] if window else [])}
    lengths = sorted(length for length in wanted if length <= longest)
    generator = torch.Generator().manual_seed(0)
    return [_text(length, int(config.vocab_size), generator) for length in [*lengths[:1], *lengths]]


def probe_batch(encoder: nn.Module) -> PackedBatch:
    """The same in one packed batch, on the CPU."""
    return pack(encoder, probe_texts(encoder))


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two results differ by no more than rounding in the type of ``other``; a NaN is like nothing."""
    scale = float(other.abs().max())
    return float((one - other).abs().max()) <= _TOLERANCE[other.dtype] * max(scale, 1e-6)


def _text(length: int, vocabulary: int, generator: torch.Generator) -> Tokenized:
    ids: Sequence[int] = torch.randint(0, vocabulary, (length,), generator=generator).tolist()
    return Tokenized({"input_ids": ids, "token_type_ids": [0] * length}, length, 0)
