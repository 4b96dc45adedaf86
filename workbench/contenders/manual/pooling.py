"""Pooling as people write it by hand over ``last_hidden_state``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from workbench.errors import UnknownNameError


def pool(hidden: Tensor, mask: Tensor, modes: tuple[str, ...]) -> Tensor:
    """Turn the hidden states of each text into one vector; several modes are concatenated.

    Args:
        hidden: Last hidden state. Shape ``(batch, tokens, dim)``.
        mask: 1 where a token counts. Shape ``(batch, tokens)``.
        modes: Keys of ``POOLERS``.

    Returns:
        Shape ``(batch, dim × len(modes))``.
    """
    return torch.cat([POOLERS[mode](hidden, mask.to(hidden.dtype)) for mode in modes], dim=1)


def split_modes(pooling: str) -> tuple[str, ...]:
    """The modes of a setting such as ``"mean+cls"``, in the order given.

    Raises:
        UnknownNameError: A mode that the table does not hold.
    """
    modes = tuple(pooling.split("+"))
    for mode in modes:
        if mode not in POOLERS:
            raise UnknownNameError(
                "unknown-pooling",
                f"Pooling {mode!r}",
                expected=f"{', '.join(POOLERS)}, or several joined by +",
            )
    return modes


def _cls(hidden: Tensor, mask: Tensor) -> Tensor:
    # The first token that counts: with padding on the left that is not token 0.
    rows = torch.arange(hidden.shape[0], device=hidden.device)
    return hidden[rows, mask.argmax(dim=1)]


def _max(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.masked_fill(mask.unsqueeze(2) == 0, -torch.inf).amax(dim=1)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1e-9)


def _mean_sqrt_len(hidden: Tensor, mask: Tensor) -> Tensor:
    return _sum(hidden, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1e-9).sqrt()


def _weighted_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    # Positions count from 1 at the first token that counts.
    weights = mask.cumsum(dim=1) * mask
    return _sum(hidden, weights) / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)


def _last_token(hidden: Tensor, mask: Tensor) -> Tensor:
    rows = torch.arange(hidden.shape[0], device=hidden.device)
    positions = torch.arange(hidden.shape[1], device=hidden.device)
    return hidden[rows, (mask * positions).argmax(dim=1)]


def _sum(hidden: Tensor, weights: Tensor) -> Tensor:
    return (hidden * weights.unsqueeze(2)).sum(dim=1)


POOLERS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last_token,
}
