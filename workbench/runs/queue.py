"""Whose turn it is, and who may still join the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from workbench.errors import WorkbenchError
from workbench.runs.limits import Limits
from workbench.runs.record import Row


def next_to_start(queued: Sequence[Row], running: Iterable[Row], limits: Limits) -> Row | None:
    """The first waiting run whose owner has a place free; None where nothing can start.

    Args:
        queued: In the order of the queue.
        running: In any order.
        limits: Of the supervisor.
    """
    owners = Counter(row.owner_hash for row in running)
    if owners.total() >= limits.running:
        return None
    return next((row for row in queued if owners[row.owner_hash] < limits.running_per_owner), None)


def check_room(queued_of_owner: int, queued: int, limits: Limits) -> None:
    """Refuse one more waiting run.

    Raises:
        WorkbenchError: ``too-many-queued``, ``queue-full``.
    """
    if queued_of_owner >= limits.queued_per_owner:
        raise WorkbenchError(
            "too-many-queued",
            f"{queued_of_owner} of your runs are waiting already",
            expected=f"at most {limits.queued_per_owner}",
            fix="Wait for one to start, or cancel one",
        )
    if queued >= limits.queued:
        raise WorkbenchError(
            "queue-full",
            f"{queued} runs are waiting on this machine",
            expected=f"at most {limits.queued}",
            fix="Try again in some minutes",
        )
