"""Getting at the runs from any process: as their supervisor where there is none, else by asking it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.errors import FolderWriteError, WorkbenchError
from workbench.runs.channel import Channel
from workbench.runs.client import Client
from workbench.runs.limits import Limits
from workbench.runs.supervisor import Supervisor

_PATIENCE_SECONDS = 10.0


@contextmanager
def open_runs(
    home: Path,
    *,
    limits: Limits | None = None,
    starts: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> Iterator[Supervisor | Client]:
    """The runs of a home: the app's supervisor, or a client where an app has them open already.

    Args:
        home: The folder of the runs.
        limits: Of a supervisor made here.
        starts: Whether a supervisor made here starts waiting runs; False for a command that only looks.
        environment: Of this process.

    Raises:
        WorkbenchError: ``supervisor-elsewhere``: another process has them open and does not answer.
    """
    runs = _connected(home, limits, starts, environment)
    channel: Channel | None = None
    try:
        if isinstance(runs, Supervisor):
            with suppress(FolderWriteError, OSError):
                channel = Channel(runs, runs.folder)
        yield runs
    finally:
        if channel is not None:
            channel.close()
        runs.close()


def _connected(
    home: Path, limits: Limits | None, starts: bool, environment: Mapping[str, str]
) -> Supervisor | Client:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return Supervisor(home, limits=limits, starts=starts, environment=environment)
        except WorkbenchError as error:
            if error.code != "supervisor-elsewhere":
                raise
            with suppress(WorkbenchError):
                return Client(home)
            # It may be opening or closing just now.
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
