"""Where things lie in the home of the runs, and the ids that folders are named by."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}", re.ASCII)

CONFIG = "config.json"
RECORD = "run.json"
METRICS = "metrics.jsonl"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
INPUTS = "inputs"
RESULT = "result.json"
OUTCOME = "outcome.json"
STOP = "stop"

_DELETED = ".deleted-"


def default_home(environment: Mapping[str, str] = os.environ) -> Path:
    """``WORKBENCH_HOME``, or ``runs`` in the current folder."""
    return Path(environment.get("WORKBENCH_HOME") or "runs").absolute()


def new_run_id() -> str:
    """A fresh id: the date, which sorts, and 32 random bits. No word of a user is ever part of a path."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def is_run_id(text: object) -> bool:
    """Whether the text could be one of our ids; everything else names no run."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def database(home: Path) -> Path:
    """The SQLite file."""
    return home / "runs.sqlite3"


def supervisor_lock(home: Path) -> Path:
    """The lock that the one supervisor of a home holds while it lives."""
    return home / "supervisor.lock"


def channel_file(home: Path) -> Path:
    """The file that says on which socket the supervisor listens."""
    return home / "channel.json"


def runs_folder(home: Path) -> Path:
    """The folder that holds a folder a run."""
    return home / "runs"


def run_folder(home: Path, run_id: str) -> Path:
    """The folder of one run.

    Raises:
        ValueError: The id is not one of ours. A guard, never met by a caller that looked the run up.
    """
    if not is_run_id(run_id):
        raise ValueError("not a run id")
    return runs_folder(home) / run_id


def deleted_folder(home: Path, run_id: str) -> Path:
    """The name that a run's folder takes the moment it is being deleted."""
    return runs_folder(home) / f"{_DELETED}{run_folder(home, run_id).name}"


def deleted_ids(home: Path) -> list[str]:
    """Runs whose deletion was begun."""
    found = (path.name.removeprefix(_DELETED) for path in runs_folder(home).glob(f"{_DELETED}*"))
    return sorted(name for name in found if is_run_id(name))
