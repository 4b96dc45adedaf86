"""Texts in one row without padding: what a packed forward pass takes, and which encoders can take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from workbench.models import packed_bert, packed_registered
from workbench.models.architectures import architecture
from workbench.models.packed_attention import Group
from workbench.models.protocols import Tokenized

# A processor's library prepares each number of rows anew: multiples of this keep them few.
ROWS_STEP = 32


@dataclass(frozen=True)
class PackedBatch:
    """The real tokens of some texts, one text after the other.

    Texts of equal length are adjacent, so that attention runs over each such group as a plain batch without a
    mask.

    Attributes:
        input_ids: Shape ``(tokens,)``.
        token_type_ids: Shape ``(tokens,)``; None where the encoder has no such input.
        position_ids: Shape ``(tokens,)``, counted as the architecture counts them.
        lengths: Tokens of each text, in packed order.
    """

    input_ids: Tensor
    token_type_ids: Tensor | None
    position_ids: Tensor
    lengths: tuple[int, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Runs of texts of one length."""
        found, start = [], 0
        for length, same in groupby(self.lengths):
            texts = sum(1 for _ in same)
            found.append(Group(start, texts, length))
            start += texts * length
        return tuple(found)

    def to(self, device: torch.device, *, non_blocking: bool = False) -> PackedBatch:
        """The same batch on another device."""
        return PackedBatch(
            self.input_ids.to(device, non_blocking=non_blocking),
            None
            if self.token_type_ids is None
            else self.token_type_ids.to(device, non_blocking=non_blocking),
            self.position_ids.to(device, non_blocking=non_blocking),
            self.lengths,
        )

    def rounded(self, multiple: int) -> PackedBatch:
        """The same texts with spare tokens behind them, so that there are a multiple of tokens."""
        spare = -len(self.input_ids) % multiple
        types = self.token_type_ids
        return PackedBatch(
            pad(self.input_ids, (0, spare)),
            None if types is None else pad(types, (0, spare)),
            pad(self.position_ids, (0, spare)),
            self.lengths,
        )

    def pinned(self) -> PackedBatch:
        """The same batch in page-locked memory, from which a GPU copies while it computes."""
        types = self.token_type_ids
        return PackedBatch(
            self.input_ids.pin_memory(),
            None if types is None else types.pin_memory(),
            self.position_ids.pin_memory(),
            self.lengths,
        )


def packable(encoder: nn.Module) -> bool:
    """Whether ``packed_forward`` knows this encoder.

    The table is closed: some architectures accept packed input and silently mix neighbours, or lose a
    relative position bias. Tests hold each member to the padded pass.
    """
    return (packed_bert.knows(encoder) or packed_registered.knows(encoder)) and untouched(encoder)


def untouched(module: nn.Module) -> bool:
    """Whether a module tree is as its library made it: no hooks, no replaced parts, no other forward.

    A packed pass goes around the modules' own ``forward``: whoever put something in there, an adapter or an
    observer, would be left out in silence.
    """
    return all(
        type(part).__module__.split(".")[0] in ("torch", "transformers", "workbench")
        and not part._forward_hooks
        and not part._forward_pre_hooks
        and not part._backward_hooks
        and "forward" not in vars(part)
        and not hasattr(part, "parametrizations")
        for part in module.modules()
    )


def pack(encoder: nn.Module, batch: Sequence[Tokenized]) -> PackedBatch:
    """Put tokenised texts into one row, in the order given.

    Args:
        encoder: Whose way to count positions is followed.
        batch: At least one text; those of equal length adjacent.
    """
    config: Any = encoder.config
    ids: list[int] = []
    types: list[int] = []
    lengths = []
    for item in batch:
        ids.extend(item.inputs["input_ids"])
        types.extend(item.inputs.get("token_type_ids", ()))
        lengths.append(item.length)
    input_ids = torch.tensor(ids, dtype=torch.long)
    counts = torch.tensor(lengths)
    starts = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    positions = torch.arange(len(ids)) - starts
    if architecture(config.model_type, "config.json").reserved_positions:
        positions = _after_padding(input_ids, positions, counts, int(config.pad_token_id))
    has_types = bool(getattr(config, "type_vocab_size", 0)) and len(types) == len(ids)
    token_types = torch.tensor(types, dtype=torch.long) if has_types else None
    return PackedBatch(input_ids, token_types, positions, tuple(lengths))


def packed_forward(encoder: nn.Module, batch: PackedBatch) -> Tensor:
    """Run an encoder over a packed batch with its own parameters, gradients and, in training mode, dropout.

    Args:
        encoder: One that is ``packable``.
        batch: On the encoder's device.

    Returns:
        The last layer, shape ``(tokens, hidden)``.
    """
    if packed_bert.knows(encoder):
        return packed_bert.forward(packed_bert.live_parts(encoder), batch)
    return packed_registered.forward(encoder, batch)


def _after_padding(input_ids: Tensor, positions: Tensor, counts: Tensor, padding: int) -> Tensor:
    """RoBERTa's way: counted from the padding id plus one, and a padding id within a text is not counted."""
    is_pad = input_ids == padding
    if not bool(is_pad.any()):
        return positions + padding + 1
    counted = (~is_pad).long()
    running = counted.cumsum(0)
    first = counts.cumsum(0) - counts
    before = torch.repeat_interleave(running[first] - counted[first], counts)
    return (running - before) * counted + padding
