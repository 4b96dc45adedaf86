"""Supervisors for tests: a worker with faulty jobs, small times, and the oracle of the counting job."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.runs.faulty_worker import FAULTY
from workbench.runs.limits import Limits
from workbench.runs.record import Run
from workbench.runs.supervisor import Supervisor

WORKER = (sys.executable, "-P", "-m", "tests.runs.faulty_worker")
QUICK = Limits(tick_seconds=0.02, fold_seconds=0.0, grace_seconds=20.0, niceness=0)
ANN, BEN = "a" * 32, "b" * 32


def open_supervisor(home: Path, limits: Limits = QUICK, **more: Any) -> Supervisor:
    """A supervisor that also knows the faulty jobs."""
    more = {"environment": os.environ, **more}
    return Supervisor(home, limits=limits, worker=WORKER, kinds=frozenset(FAULTY), **more)


def memory_folder() -> str | None:
    """A disk that is memory; None, the usual place, where there is none."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def counted(steps: int, seed: object = 0) -> dict[str, Any]:
    """What the counting job must give, from its definition alone."""
    word, total = str(seed), 0
    for _ in range(steps):
        word = hashlib.sha256(word.encode()).hexdigest()
        total += int(word[:4], 16)
    return {"sum": total, "word": word}


def until(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds; fail if it never does."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def wait_for_step(runs: Supervisor, run: Run, step: int = 1, owner: str = ANN) -> None:
    """Wait until a run has reported a step of its newest attempt."""

    def there() -> bool:
        attempt = runs.show(owner, run.id).attempt
        lines = runs.metrics_since(owner, run.id).lines
        return any(line.get("step", 0) >= step and line["attempt"] == attempt for line in lines)

    until(there)
