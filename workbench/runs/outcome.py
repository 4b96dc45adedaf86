"""How a run ended: what its child left behind, and the verdict over it where it left nothing."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.runs.files import get_json
from workbench.runs.record import Reason
from workbench.runs.states import State

LESS_MEMORY = "Choose a smaller batch or shorter texts and resume or start anew"
OUT_OF_MEMORY = Reason("out-of-memory", f"The memory was not enough. {LESS_MEMORY}")
KILLED = Reason(
    "killed", f"The process was killed from outside, as happens when memory runs out. {LESS_MEMORY}"
)
CPU_LIMIT = Reason("cpu-limit", "The run used up its processor time. Resume it, or train for fewer steps")
TIME_LIMIT = Reason(
    "time-limit", "The run used up its time. Resume it from its checkpoint, or train for fewer steps"
)
AWAY = Reason("interrupted", "The process ended while the app was not running. Resume it from its checkpoint")
SHUT_DOWN = Reason("shut-down", "The machine asked the process to stop. Resume it from its checkpoint")

UNWRITABLE = Reason("disk-full", "The disk is full or cannot be written. Free some space and resume")
# With which a child ends that could not even write its outcome.
UNWRITABLE_EXIT = 74

Ended = Literal["complete", "stopped", "failed"]
# Signals by which a machine shuts down in order.
_ORDERLY = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


@dataclass(frozen=True)
class Outcome:
    """What the child wrote as its last act.

    Args:
        ended: ``stopped`` is: asked to, at a checkpoint.
        seconds: How long this start of the run took, by the child's monotonic clock.
        reason: Why it failed.
    """

    ended: Ended
    seconds: float
    reason: Reason | None = None


def read_outcome(path: Path, attempt: int) -> Outcome | None:
    """The outcome of this start of the run; None where the child died before it wrote one."""
    found = get_json(path)
    if not isinstance(found, dict) or found.get("attempt") != attempt:
        return None
    ended, seconds, reason = found.get("ended"), found.get("seconds"), found.get("reason")
    if ended not in ("complete", "stopped", "failed") or not isinstance(seconds, int | float):
        return None
    told = None
    if ended == "failed":
        parts = reason if isinstance(reason, dict) else {}
        told = Reason(str(parts.get("code", "job-error"))[:100], str(parts.get("message", ""))[:4000])
    return Outcome(ended, float(seconds), told)


def judge(
    outcome: Outcome | None, returncode: int | None, stop: str | None, *, out_of_memory: bool = False
) -> tuple[State, Reason | None]:
    """The state in which an ended child leaves its run.

    Args:
        outcome: What the child wrote.
        returncode: As `subprocess` gives it; None where another process started the child.
        stop: Why we asked it to stop, ``cancel`` or ``time-limit``; None where we did not.
        out_of_memory: Whether the system says that it killed something for memory meanwhile.
    """
    if outcome is not None and outcome.ended == "complete":
        return "complete", None
    if outcome is not None and outcome.ended == "failed":
        return "failed", outcome.reason
    if stop == "cancel":
        return "cancelled", None
    if stop == "time-limit":
        return "failed", TIME_LIMIT
    if outcome is not None:
        return "interrupted", SHUT_DOWN
    if returncode is None:
        return "interrupted", AWAY
    if returncode < 0:
        return _by_signal(-returncode, out_of_memory)
    if returncode == UNWRITABLE_EXIT:
        return "failed", UNWRITABLE
    return "failed", Reason("crashed", f"The process ended with {returncode}. Its log says more")


def _by_signal(number: int, out_of_memory: bool) -> tuple[State, Reason]:
    if number in _ORDERLY:
        return "interrupted", SHUT_DOWN
    if number == signal.SIGKILL:
        return "failed", OUT_OF_MEMORY if out_of_memory else KILLED
    if number == signal.SIGXCPU:
        return "failed", CPU_LIMIT
    name = f"signal {number}"
    with suppress(ValueError):
        name = signal.Signals(number).name
    return "failed", Reason("crashed", f"The process ended by {name}. Its log says more")


def kills_for_memory() -> int:
    """How many processes the system killed for want of memory so far; 0 where it does not say."""
    for path, key in ((Path("/sys/fs/cgroup/memory.events"), "oom_kill"), (Path("/proc/vmstat"), "oom_kill")):
        with suppress(OSError, ValueError):
            for line in path.read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(" ")
                if name == key:
                    return int(value)
    return 0
