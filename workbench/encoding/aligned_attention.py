"""Attention on the CPU over as many keys as fill its vector registers: texts of equal length in one row."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from workbench.models.packed_attention import Group, apart, joined

# Float32 numbers in the widest vector register. The kernel takes what is left over of a row of scores one by
# one, and for 15 keys, all left over, needs more than twice the time of 16.
_WIDTH = 16


def attend_aligned(qkv: Tensor, groups: Sequence[Group], heads: int, dropout: float = 0.0) -> Tensor:
    """Attention of every text over itself, as ``attend`` gives it to rounding, without gradients.

    Keys and values are seen through a window that is longer than the text, up to the next multiple of 16, and
    reaches into the rows beside it. A mask gives these a weight of zero: they count for nothing as long as
    they are finite.

    Args:
        qkv: Queries, keys and values side by side, contiguous, shape ``(tokens, 3 × hidden)``.
        groups: Cover the row from its start without gaps; what stands after them gives zeros.
        heads: Attention heads.
        dropout: Zero: this is for inference.

    Returns:
        Shape ``(tokens, hidden)``.
    """
    rows, hidden = qkv.shape[0], qkv.shape[1] // 3
    parts = []
    for group, piece in zip(groups, apart(qkv, groups), strict=True):
        shape = (group.texts, group.length, 3, heads, hidden // heads)
        query, key, value = piece.view(shape).permute(2, 0, 3, 1, 4)
        mask = None
        window = _window(group, rows)
        if window is not None:
            length = window.stop - window.start
            key, value = (_through(qkv, part, group, window, heads) for part in (1, 2))
            mask = qkv.new_full((length,), float("-inf"))
            mask[group.start - window.start :][: group.length] = 0
            mask = mask.view(1, 1, 1, length)
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        parts.append(mixed.transpose(1, 2).reshape(group.texts * group.length, hidden))
    return joined(parts, rows)


def _window(group: Group, rows: int) -> range | None:
    """The rows seen for the first text of a group; None where its length fits already or there is no room."""
    spare = -group.length % _WIDTH
    # One key left over costs no more than a mask.
    if spare in (0, _WIDTH - 1):
        return None
    if group.end + spare <= rows:
        return range(group.start, group.start + group.length + spare)
    if group.start >= spare:
        return range(group.start - spare, group.start + group.length)
    return None


def _through(qkv: Tensor, part: int, group: Group, window: range, heads: int) -> Tensor:
    """Keys (part 1) or values (part 2) of a group's texts, shape ``(texts, heads, window, head width)``."""
    row = qkv.shape[1]
    width = row // 3 // heads
    return qkv.as_strided(
        (group.texts, heads, len(window), width),
        (group.length * row, width, row, 1),
        qkv.storage_offset() + window.start * row + part * heads * width,
    )
