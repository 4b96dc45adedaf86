"""Attention over texts in one row: each group of equal length is a plain batch and needs no mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


@dataclass(frozen=True)
class Group:
    """A run of texts of one length.

    Attributes:
        start: Its first token in the row.
        texts: How many.
        length: Tokens of each.
    """

    start: int
    texts: int
    length: int

    @property
    def end(self) -> int:
        """One past its last token."""
        return self.start + self.texts * self.length


def attend(qkv: Tensor, groups: Sequence[Group], heads: int, dropout: float = 0.0) -> Tensor:
    """Attention of every text over itself.

    Args:
        qkv: Queries, keys and values side by side, shape ``(tokens, 3 × hidden)``.
        groups: Cover the row from its start without gaps; what stands after them gives zeros.
        heads: Attention heads.
        dropout: Share of the attention weights set to zero.

    Returns:
        Shape ``(tokens, hidden)``.
    """
    hidden = qkv.shape[1] // 3
    parts = []
    for group in groups:
        shape = (group.texts, group.length, 3, heads, hidden // heads)
        query, key, value = qkv[group.start : group.end].view(shape).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        parts.append(mixed.transpose(1, 2).reshape(group.texts * group.length, hidden))
    return joined(parts, qkv.shape[0])


def joined(parts: list[Tensor], tokens: int) -> Tensor:
    """The groups' rows one after the other, with zeros up to ``tokens`` rows."""
    spare = tokens - sum(len(part) for part in parts)
    if spare:
        parts = [*parts, parts[0].new_zeros((spare, *parts[0].shape[1:]))]
    return parts[0] if len(parts) == 1 else torch.cat(parts)
