"""Pooling over hidden states in numpy, for engines that answer in arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UnknownNameError

Array = NDArray[np.float32]


def pool(hidden: Array, mask: Array, modes: tuple[str, ...]) -> NDArray[np.float32]:
    """Turn the hidden states of each text into one vector; several modes are concatenated.

    Args:
        hidden: Shape ``(batch, tokens, dim)``.
        mask: 1 where a token counts. Shape ``(batch, tokens)``.
        modes: Keys of ``POOLERS``.

    Returns:
        Shape ``(batch, dim × len(modes))``.
    """
    weights = mask.astype(np.float32)
    return np.concatenate([POOLERS[mode](hidden, weights) for mode in modes], axis=1).astype(np.float32)


def split_modes(pooling: str) -> tuple[str, ...]:
    """The modes of a setting such as ``"mean+cls"``, in the order given.

    Raises:
        UnknownNameError: ``unknown-pooling``.
    """
    modes = tuple(pooling.split("+"))
    if unknown := [mode for mode in modes if mode not in POOLERS]:
        raise UnknownNameError(
            "unknown-pooling",
            f"Pooling {', '.join(map(repr, unknown))}",
            expected=f"{', '.join(POOLERS)}, or several joined by +",
        )
    return modes


def _cls(hidden: Array, mask: Array) -> Array:
    # The first token that counts: with padding on the left that is not token 0.
    return _at(hidden, mask.argmax(axis=1))


def _max(hidden: Array, mask: Array) -> Array:
    found: Array = np.where(mask[:, :, None] == 0, np.float32(-np.inf), hidden).max(axis=1)
    return found


def _mean(hidden: Array, mask: Array) -> Array:
    return _sum(hidden, mask) / _count(mask)


def _mean_sqrt_len(hidden: Array, mask: Array) -> Array:
    rows: Array = (_sum(hidden, mask) / np.sqrt(_count(mask))).astype(np.float32)
    return rows


def _weighted_mean(hidden: Array, mask: Array) -> Array:
    # Positions count from 1 at the first token that counts.
    return _mean(hidden, mask.cumsum(axis=1) * mask)


def _last_token(hidden: Array, mask: Array) -> Array:
    return _at(hidden, (mask * np.arange(mask.shape[1])).argmax(axis=1))


def _sum(hidden: Array, weights: Array) -> Array:
    total: Array = (hidden * weights[:, :, None]).sum(axis=1)
    return total


def _count(mask: Array) -> Array:
    # A text without a token gives zeros.
    count: Array = np.maximum(mask.sum(axis=1, keepdims=True), np.float32(1e-9))
    return count


def _at(hidden: Array, places: NDArray[np.intp]) -> Array:
    rows: Array = hidden[np.arange(len(hidden)), places]
    return rows


POOLERS: Mapping[str, Callable[[Array, Array], Array]] = {
    "cls": _cls,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last_token,
}
