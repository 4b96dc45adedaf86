"""How much runs may take: places in the queue, time, steps, memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one supervisor; None is no limit.

    Args:
        running: Runs at the same time, of all owners.
        running_per_owner: Of one owner at the same time.
        queued_per_owner: Waiting runs of one owner.
        queued: Waiting runs of all owners.
        wall_seconds: Time of one start of a run; beyond it the run is stopped, its checkpoint kept.
        steps: Steps of one run.
        address_space_bytes: Address space of the child process (``RLIMIT_AS``).
        cpu_seconds: Processor time of the child process (``RLIMIT_CPU``).
        niceness: By how much the child gives way to the app.
        grace_seconds: Between the request to stop and ``SIGKILL``: a long step and a checkpoint fit in.
        fold_seconds: Least time between two writings of a run's progress into the store.
        tick_seconds: Between two looks at the children.
    """

    running: int = 1
    running_per_owner: int = 1
    queued_per_owner: int = 3
    queued: int = 100
    wall_seconds: float | None = None
    steps: int | None = None
    address_space_bytes: int | None = None
    cpu_seconds: int | None = None
    niceness: int = 10
    grace_seconds: float = 30.0
    fold_seconds: float = 1.0
    tick_seconds: float = 0.2
