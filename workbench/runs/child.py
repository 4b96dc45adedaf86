"""The child process of a run as its supervisor sees it: started, told to go, asked to stop, found ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workbench.runs import process
from workbench.runs.layout import LOG, STOP
from workbench.runs.limits import Limits
from workbench.runs.outcome import kills_for_memory
from workbench.runs.record import Row

# -P: the folder of the run is no place to import from.
WORKER: Sequence[str] = (sys.executable, "-P", "-m", "workbench.runs.worker")


@dataclass
class Child:
    """A run's process.

    Args:
        run_id: Its run.
        attempt: Which start of the run it is.
        identity: The process.
        popen: How we started it; None where an earlier supervisor did.
        started_monotonic: When, by the monotonic clock.
        kills_before: Processes that the system had killed for memory by then.
        stop_since: When it was asked to stop; None before.
        folded_at: When its progress was last written into the store.
    """

    run_id: str
    attempt: int
    identity: process.Process
    popen: subprocess.Popen[bytes] | None
    started_monotonic: float
    kills_before: int
    stop_since: float | None = None
    folded_at: float = float("-inf")

    def ended(self) -> bool:
        """Whether the process is gone; what it started goes with it."""
        if self.popen is None:
            return not process.alive(self.identity)
        if self.popen.returncode is not None:
            return True
        if os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        process.kill_group_of(self.popen.pid)
        self.popen.wait()
        return True

    def returncode(self) -> int | None:
        """As `subprocess` gives it; None where we did not start it."""
        return None if self.popen is None else self.popen.returncode

    def out_of_memory(self) -> bool:
        """Whether the system killed anything for memory since the start."""
        return kills_for_memory() > self.kills_before

    def ask_to_stop(self, folder: Path, now: float) -> None:
        """Ask, by a file and by a signal: either may be missed."""
        self.stop_since = now
        with suppress(OSError):
            (folder / STOP).touch()
        process.ask_to_stop(self.identity)

    def kill(self) -> None:
        """End it and all that it started."""
        process.kill_group(self.identity)


def spawn(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker, which waits for `go` before it touches anything.

    Its own session: what ends the app, a Ctrl-C or a closed terminal, does not reach it.

    Raises:
        OSError: The process or its log cannot be made.
    """
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [*command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )


def go(worker: subprocess.Popen[bytes], row: Row, limits: Limits) -> None:
    """Let a worker begin: its run is on record now."""
    orders = {
        "kind": row.kind,
        "attempt": row.attempt,
        "steps": limits.steps,
        "address_space_bytes": limits.address_space_bytes,
        "cpu_seconds": limits.cpu_seconds,
        "niceness": limits.niceness,
    }
    assert worker.stdin is not None
    # It may be dead already; that shows at the next look.
    with suppress(BrokenPipeError), worker.stdin:
        worker.stdin.write(json.dumps(orders).encode() + b"\n")
        worker.stdin.flush()


def call_off(worker: subprocess.Popen[bytes]) -> None:
    """Let a worker end that was never told to go."""
    assert worker.stdin is not None
    with suppress(OSError):
        worker.stdin.close()
    worker.kill()
    worker.wait()


def attached(row: Row, kills_before: int) -> Child | None:
    """The child of a running row that an earlier supervisor started; None where it is gone."""
    if row.pid is None or row.pid_start is None:
        return None
    found = process.Process(row.pid, row.pid_start)
    if not process.alive(found):
        return None
    return Child(row.id, row.attempt, found, None, row.started_monotonic or 0.0, kills_before)
