"""Attention over texts of any lengths in one kernel, where a GPU and this torch have one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from workbench.models.packed_attention import Group, joined

_HALF = (torch.float16, torch.bfloat16)
# What flash attention takes.
_HEAD_STEP, _LARGEST_HEAD = 8, 256


def offered(dtype: torch.dtype, device: torch.device, head_size: int) -> bool:
    """Whether there may be such a kernel; the probe at first use decides."""
    try:
        from torch.nn.attention import varlen  # noqa: F401
    except ImportError:
        return False
    return (
        device.type == "cuda"
        and dtype in _HALF
        and head_size % _HEAD_STEP == 0
        and head_size <= _LARGEST_HEAD
    )


def attend_varlen(qkv: Tensor, groups: Sequence[Group], heads: int, dropout: float = 0.0) -> Tensor:
    """As ``packed_attention.attend``, for inference.

    Raises:
        RuntimeError: The device has no such kernel after all.
    """
    from torch.nn.attention.varlen import varlen_attn

    real = groups[-1].end
    query, key, value = qkv[:real].view(real, 3, heads, -1).unbind(1)
    starts = _starts(tuple(groups), qkv.device)
    longest = max(group.length for group in groups)
    mixed = varlen_attn(query, key, value, starts, starts, longest, longest)
    assert isinstance(mixed, Tensor)
    return joined([mixed.reshape(real, -1)], qkv.shape[0])


@lru_cache(maxsize=4)
def _starts(groups: tuple[Group, ...], device: torch.device) -> Tensor:
    """Where each text begins, and the end of the last: the same in every layer of a batch."""
    lengths = torch.tensor([group.length for group in groups for _ in range(group.texts)], dtype=torch.int32)
    return torch.nn.functional.pad(lengths.cumsum(0, dtype=torch.int32), (1, 0)).to(device)
