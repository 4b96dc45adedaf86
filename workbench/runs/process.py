"""Which process is meant: its number and its birth, so that a number given anew is not taken for it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process of this machine.

    Args:
        pid: Its number.
        start: When it was born, as the kernel counts, and since which boot: no other process has both.
    """

    pid: int
    start: str


def identify(pid: int) -> Process | None:
    """The living process with this number; None where there is none, or only its remains."""
    start = _start(pid)
    return None if start is None else Process(pid, start)


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    return _start(process.pid) == process.start


def ask_to_stop(process: Process) -> None:
    """Send ``SIGTERM`` to the process, and not to its helpers: it has to end them in order."""
    if alive(process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)


def kill_group(process: Process) -> None:
    """Send ``SIGKILL`` to the process and all that it started; it leads a group of its own."""
    if alive(process):
        kill_group_of(process.pid)


def kill_group_of(leader: int) -> None:
    """Send ``SIGKILL`` to a group whose leader is not reaped yet, so that its number is still its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _start(pid: int) -> str | None:
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return _start_elsewhere(pid)
    try:
        # The name in brackets may hold anything, so what follows its last bracket is counted.
        fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] in "ZX" else f"{fields[19]}@{boot_id()}"


def _start_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.Error:
        return None


@cache
def boot_id() -> str:
    """Names this start of the machine; empty where the system does not say."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""
