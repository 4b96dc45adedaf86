"""Attention for training over texts in one row: near lengths together, so that there are few products.

A training batch holds a dozen lengths. A group for each is a dozen times the calls, forward and backward, and
in batches of this size the calls cost more than the numbers in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from workbench.models.packed_attention import Group
from workbench.models.packed_dropout import drop

# Texts go together as long as their scores, with padding, are at most so many times those without.
_MOST_PADDING = 2.0


@dataclass(frozen=True)
class _Layout:
    """Where texts stand when they are padded.

    Attributes:
        places: Of each row without padding, its row among the padded ones.
        sizes: Texts and padded length of each bucket.
        masks: What is added to the scores of each bucket, shape ``(texts × heads, 1, length)``.
    """

    places: Tensor
    sizes: tuple[tuple[int, int], ...]
    masks: tuple[Tensor, ...]

    @property
    def rows(self) -> list[int]:
        """Padded rows of each bucket."""
        return [texts * length for texts, length in self.sizes]


def attend_in_buckets(qkv: Tensor, groups: Sequence[Group], heads: int, dropout: float = 0.0) -> Tensor:
    """Attention of every text over itself, with gradients.

    Arguments and result are those of ``attend``, and so are the values, to rounding.
    """
    rows, hidden = qkv.shape[0], qkv.shape[1] // 3
    width = hidden // heads
    layout = _layout(tuple(groups), heads, qkv.device)
    real = len(layout.places)
    padded = _spread(qkv if real == rows else qkv[:real], layout.places, sum(layout.rows))
    mixed = []
    for part, mask, (texts, length) in zip(
        torch.split(padded, layout.rows), layout.masks, layout.sizes, strict=True
    ):
        apart = part.view(texts, length, 3, heads, width).permute(2, 0, 3, 1, 4)
        given = _attend(apart, mask.to(qkv.dtype), dropout)
        mixed.append(given.transpose(1, 2).reshape(texts * length, hidden))
    out = _gather(mixed[0] if len(mixed) == 1 else torch.cat(mixed), layout.places)
    return out if real == rows else F.pad(out, (0, 0, 0, rows - real))


def _attend(qkv: Tensor, mask: Tensor, dropout: float) -> Tensor:
    """Shape ``(3, texts, heads, length, width)`` → ``(texts, heads, length, width)``."""
    _, texts, heads, length, width = qkv.shape
    if not dropout:
        # The library's own keeps no scores for the gradient.
        query, key, value = qkv
        return F.scaled_dot_product_attention(query, key, value, mask.view(texts, heads, 1, length))
    query, key, value = qkv.reshape(3, texts * heads, length, width)
    scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=width**-0.5)
    return torch.bmm(drop(scores.softmax(-1), dropout), value).view(texts, heads, length, width)


def buckets(lengths: Sequence[int]) -> list[list[int]]:
    """Adjacent texts put together.

    Example:
        >>> buckets([9, 9, 8, 3])
        [[9, 9, 8], [3]]
    """
    found: list[list[int]] = []
    longest = real = 0
    for length in lengths:
        longest, real = max(longest, length), real + length**2
        if found and (len(found[-1]) + 1) * longest**2 <= _MOST_PADDING * real:
            found[-1].append(length)
        else:
            found.append([length])
            longest, real = length, length**2
    return found


# The layers of one pass ask for the same.
@lru_cache(maxsize=4)
def _layout(groups: tuple[Group, ...], heads: int, device: torch.device) -> _Layout:
    lengths = [group.length for group in groups for _ in range(group.texts)]
    places, sizes, masks = [], [], []
    before = 0
    for bucket in buckets(lengths):
        texts, longest = len(bucket), max(bucket)
        kept = torch.arange(longest) < torch.tensor(bucket)[:, None]
        places.append(before + kept.flatten().nonzero().flatten())
        masks.append(torch.zeros(texts, 1, longest).masked_fill_(~kept[:, None], float("-inf")))
        sizes.append((texts, longest))
        before += texts * longest
    return _Layout(
        torch.cat(places).to(device),
        tuple(sizes),
        tuple(mask.repeat_interleave(heads, 0).to(device) for mask in masks),
    )


def _spread(rows: Tensor, places: Tensor, count: int) -> Tensor:
    out: Tensor = _Spread.apply(rows, places, count)  # type: ignore[no-untyped-call]
    return out


def _gather(rows: Tensor, places: Tensor) -> Tensor:
    out: Tensor = _Gather.apply(rows, places)  # type: ignore[no-untyped-call]
    return out


class _Spread(torch.autograd.Function):
    """Rows to their places among zeros; its gradient is read at these places alone."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor, count: int) -> Tensor:
        ctx.save_for_backward(places)
        return rows.new_zeros(count, rows.shape[1]).index_copy_(0, places, rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        return gradients[0].index_select(0, places), None, None


class _Gather(torch.autograd.Function):
    """Rows of their places; the gradient is spread, without adding, since no place is asked for twice."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.count = len(rows)
        return rows.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        gradient = gradients[0]
        return gradient.new_zeros(ctx.count, gradient.shape[1]).index_copy_(0, places, gradient), None
