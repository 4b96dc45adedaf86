"""Batches shared by Python threads on the CPU, one intra-op thread each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

Item = TypeVar("Item")

# How many runs are on, and the thread count before the first of them: torch's count is one for all.
_state = threading.Lock()
_running = 0
_before = 1


def run_shared(items: Sequence[Item], work: Callable[[Item], None]) -> None:
    """Do ``work`` on every item, in as many Python threads as torch may use on the CPU.

    Two threads that take whole batches from one queue keep both cores busy without waiting for each other at
    the end of every operator, and a busy neighbour slows only the batches it hits.

    Args:
        items: Taken in this order.
        work: Called once an item; calls overlap. The first error ends the run and is raised here.
    """
    threads = min(available_threads(), len(items))
    if threads <= 1:
        for item in items:
            work(item)
        return
    before = _enter()
    try:
        _run(items, work, threads)
    finally:
        _leave(before)


def available_threads() -> int:
    """Threads that ``run_shared`` would take for many items."""
    with _state:
        return _before if _running else torch.get_num_threads()


def _enter() -> int:
    global _running, _before
    with _state:
        if not _running:
            _before = torch.get_num_threads()
        _running += 1
        return _before


def _leave(before: int) -> None:
    global _running
    with _state:
        _running -= 1
    # The count is the calling thread's own as well: each that set it puts it back.
    torch.set_num_threads(before)


def _run(items: Sequence[Item], work: Callable[[Item], None], threads: int) -> None:
    waiting = iter(items)
    taking = threading.Lock()
    errors: list[BaseException] = []

    def serve() -> None:
        torch.set_num_threads(1)
        while not errors:
            with taking:
                item = next(waiting, None)
            if item is None:
                return
            try:
                work(item)
            except BaseException as error:
                errors.append(error)

    others = [threading.Thread(target=serve, daemon=True) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    serve()
    for thread in others:
        thread.join()
    if errors:
        raise errors[0]
