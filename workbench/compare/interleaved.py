"""Timing several things fairly: in interleaved rounds, A B C, A B C, …, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from workbench.errors import Cancelled


@dataclass(frozen=True)
class Timed:
    """One call: which, in which round from 1 on, and its seconds."""

    label: str
    round: int
    seconds: float


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    budget_seconds: float,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Timed]:
    """Time every call once a round, one after the other.

    Interleaving spreads whatever else the machine does over all of them. There is at least one round;
    another one is begun only while the longest one so far still fits into the budget.

    Args:
        calls: Label → what is timed; it waits for a GPU itself (see `synchronize`).
        rounds: At most so many.
        budget_seconds: Time for all rounds.
        stop: Asked between any two calls.

    Yields:
        Each call as it ends.

    Raises:
        Cancelled: ``stop`` said so.
    """
    begun = time.perf_counter()
    longest = 0.0
    for number in range(1, rounds + 1):
        round_begun = time.perf_counter()
        if number > 1 and round_begun - begun + longest > budget_seconds:
            return
        for label, call in calls.items():
            if stop():
                raise Cancelled
            yield Timed(label, number, seconds_of(call))
        longest = max(longest, time.perf_counter() - round_begun)


def seconds_of(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def synchronize(device: str) -> None:
    """Wait for a GPU: its calls return before the work is done."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
