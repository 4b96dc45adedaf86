"""Dropout of the packed pass: on a CPU the generator is asked for 64 bits, four numbers' share, at a time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_VALUES = 2**16


def drop(rows: Tensor, share: float) -> Tensor:
    """Set a share of the numbers to zero and enlarge the others, so that the expectation stays.

    Each number has 16 bits of its own, from torch's default generator: a seed or a checkpoint gives the same
    again, though not what ``torch.nn.functional.dropout`` would draw. The share is rounded to that, and the
    others are enlarged by what was dropped indeed.

    Args:
        rows: Any shape.
        share: 0 to 1.
    """
    if not share:
        return rows
    if rows.device.type != "cpu" or share >= 1:
        return F.dropout(rows, share)
    count, dropped = rows.numel(), min(round(share * _VALUES), _VALUES - 1)
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = bits[:count].view(rows.shape) >= dropped - _VALUES // 2
    return rows * kept.to(rows.dtype).mul_(_VALUES / (_VALUES - dropped))


def drop_as(module: nn.Module, rows: Tensor) -> Tensor:
    """What a module of dropout does, in this form where it is torch's own."""
    if type(module) is not nn.Dropout:
        out: Tensor = module(rows)
        return out
    return drop(rows, module.p if module.training else 0.0)
