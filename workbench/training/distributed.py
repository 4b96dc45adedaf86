"""Training in several processes: the same weights everywhere, gradients averaged, decisions shared.

Under ``torchrun`` with an initialised process group every process calls ``fit`` with a loader over its own
rows. Rank 0 evaluates and writes; nothing here does anything in a lone process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn


def is_distributed() -> bool:
    """Whether there is a process group."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """This process's number; 0 where it is alone."""
    return dist.get_rank() if is_distributed() else 0


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if is_distributed() else 1


def share_weights(modules: Sequence[nn.Module]) -> None:
    """Give every process the parameters and buffers of rank 0."""
    if not is_distributed():
        return
    tensors = {id(t): t.detach() for m in modules for t in (*m.parameters(), *m.buffers())}
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors.values():
        by_type.setdefault(tensor.dtype, []).append(tensor)
    for group in by_type.values():
        flat = torch.cat([tensor.reshape(-1) for tensor in group])
        dist.broadcast(flat, src=0)
        _spread(flat, group)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes.

    A parameter that only some processes used counts as zero in the others; one that none used keeps no
    gradient, so that the optimizer leaves it alone.
    """
    if not is_distributed():
        return
    wanted = [parameter for parameter in parameters if parameter.requires_grad]
    if not wanted:
        return
    used = torch.tensor([parameter.grad is not None for parameter in wanted], dtype=torch.int32)
    used = used.to(wanted[0].device)
    dist.all_reduce(used, op=dist.ReduceOp.MAX)
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for parameter, flag in zip(wanted, used.tolist(), strict=True):
        if flag:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            by_type.setdefault(parameter.grad.dtype, []).append(parameter.grad)
    for gradients in by_type.values():
        # One collective a type: one a parameter would wait for the network hundreds of times.
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        flat /= world_size()
        _spread(flat, gradients)


def _spread(flat: Tensor, into: Sequence[Tensor]) -> None:
    """Write one long row back into the tensors that it was made of."""
    parts = torch.split(flat, [tensor.numel() for tensor in into])
    for tensor, part in zip(into, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def average(value: Tensor) -> Tensor:
    """Mean of a number over the processes; NaN where one of them has NaN."""
    if not is_distributed():
        return value
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / world_size()


def any_process(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process."""
    if not is_distributed():
        return flag
    shared = torch.tensor(int(flag), device=device)
    dist.all_reduce(shared, op=dist.ReduceOp.MAX)
    return bool(shared)


def wait_for_all() -> None:
    """Go on once every process has come here."""
    if is_distributed():
        dist.barrier()


def from_first(value: float | None, device: torch.device) -> float | None:
    """The number that rank 0 has; None travels as NaN."""
    if not is_distributed():
        return value
    shared = torch.tensor(float("nan") if value is None else value, dtype=torch.float64, device=device)
    dist.broadcast(shared, src=0)
    number = float(shared)
    return None if number != number else number


def gather_bytes(data: bytes, device: torch.device) -> list[bytes]:
    """What every process has to say, in the order of their ranks."""
    if not is_distributed():
        return [data]
    sizes = torch.zeros(world_size(), dtype=torch.long, device=device)
    sizes[rank()] = len(data)
    dist.all_reduce(sizes)
    # Collectives want one shape.
    padded = torch.zeros(int(sizes.max()), dtype=torch.uint8, device=device)
    padded[: len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8).to(device)
    parts = [torch.empty_like(padded) for _ in range(world_size())]
    dist.all_gather(parts, padded)
    return [part[:size].cpu().numpy().tobytes() for part, size in zip(parts, sizes.tolist(), strict=True)]
