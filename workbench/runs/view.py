"""A row of the store as the run that others may see."""

from __future__ import annotations

import json

from workbench.runs.process import boot_id
from workbench.runs.record import Row, Run


def seen(row: Row, place: int, now: float) -> Run:
    """A run without its owner's secret.

    Args:
        row: As the store keeps it.
        place: Its place in the queue.
        now: By the monotonic clock.
    """
    return Run(
        id=row.id,
        kind=row.kind,
        name=row.name,
        note=row.note,
        state=row.state,
        owner=row.owner_hash[:8],
        config=json.loads(row.config),
        place=place,
        step=row.step,
        total=row.total,
        loss=row.loss,
        seconds=row.seconds_before + _seconds_now(row, now),
        attempt=row.attempt,
        stopping=row.state == "running" and row.stop is not None,
        reason=row.reason,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        rerun_of=row.rerun_of,
    )


def _seconds_now(row: Row, now: float) -> float:
    if row.state != "running" or row.started_monotonic is None or row.pid_start is None:
        return 0.0
    # The clock counts from the start of the machine: after another one, the difference says nothing.
    return max(0.0, now - row.started_monotonic) if row.pid_start.endswith(boot_id()) else 0.0
