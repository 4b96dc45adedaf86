"""The two clocks of a run: one for durations, one for the dates that people read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Clock:
    """Where time comes from; a test gives its own.

    Args:
        monotonic: Seconds since the machine started. Durations and limits are differences of this one, which
            no change of the date moves.
        now: The date and time as ISO text in UTC, only ever shown.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], str] = _now
