"""The rows of all processes, for losses that compare a row with the others of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class RowShare:
    """Which rows of the whole batch this process holds.

    Attributes:
        sizes: Rows a process, in the order of their ranks.
        rank: This process.
    """

    sizes: tuple[int, ...]
    rank: int

    @property
    def first(self) -> int:
        """Place of this process's first row in the whole batch."""
        return sum(self.sizes[: self.rank])

    @property
    def rows(self) -> int:
        """Rows of this process."""
        return self.sizes[self.rank]

    @property
    def total(self) -> int:
        """Rows of the whole batch."""
        return sum(self.sizes)

    @property
    def weight(self) -> float:
        """What a sum over this process's rows is multiplied by, so that the mean of all processes is the mean
        over all rows, as gradient averaging needs it."""
        return len(self.sizes) / self.total

    def gather(self, rows: Tensor) -> Tensor:
        """Put the rows of all processes together, in the order of their ranks.

        The gradient of a row is the sum of what every process's loss says about it.

        Args:
            rows: This process's rows. Shape ``(rows, ...)``.

        Returns:
            Shape ``(total, ...)``; what came, where there is one process.
        """
        if len(self.sizes) == 1:
            return rows
        gathered: Tensor = _Gather.apply(rows, self.sizes, self.rank)  # type: ignore[no-untyped-call]
        return gathered


def row_share(rows: Tensor, gather_across_devices: bool) -> RowShare:
    """Ask every process how many rows it holds.

    Args:
        rows: This process's rows; only their number and device matter.
        gather_across_devices: False, or no process group, makes this process the only one.
    """
    if not (gather_across_devices and dist.is_available() and dist.is_initialized()):
        return RowShare((len(rows),), 0)
    sizes = torch.zeros(dist.get_world_size(), dtype=torch.long, device=rows.device)
    sizes[dist.get_rank()] = len(rows)
    dist.all_reduce(sizes)
    return RowShare(tuple(sizes.tolist()), dist.get_rank())


class _Gather(torch.autograd.Function):
    """Gather rows, and in the backward pass give every process the summed gradient of its own."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, sizes: tuple[int, ...], rank: int) -> Tensor:
        ctx.start, ctx.rows = sum(sizes[:rank]), sizes[rank]
        # Collectives want one shape: the last batch of an epoch may be shorter on some processes.
        padded = rows.new_zeros((max(sizes), *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        total = grads[0].contiguous().clone()
        dist.all_reduce(total)
        return total[ctx.start : ctx.start + ctx.rows], None, None
