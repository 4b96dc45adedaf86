"""Opening the SQLite file of the runs: whole, damaged, newer, or on a disk that takes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from workbench.runs import schema

BUSY_SECONDS = 30.0
# Before this version, two connections that write and checkpoint at once can damage a file in WAL mode.
_WAL_IS_SAFE = (3, 51, 3)
# The disk refuses; anything else that fails while opening is damage.
_DISK_ERRORS = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
    }
)


@dataclass(frozen=True)
class Notice:
    """Something about the history that the user is told in a banner.

    Args:
        code: ``history-rebuilt``, ``history-newer``, ``history-off`` or ``history-not-written``.
        message: One or two sentences.
    """

    code: str
    message: str


@dataclass(frozen=True)
class Opened:
    """An open file of runs.

    Args:
        connection: In autocommit mode; transactions are begun by name.
        fresh: It was empty: folders of runs that are there are to be taken in.
        read_only: Nothing can be written.
        kept: It outlives this process.
        notices: For the banner.
    """

    connection: sqlite3.Connection
    fresh: bool = False
    read_only: bool = False
    kept: bool = True
    notices: tuple[Notice, ...] = ()


def open_database(path: Path | None, environment: Mapping[str, str] = os.environ) -> Opened:
    """Open or make the file; what is damaged is moved aside, never deleted.

    Args:
        path: The file; None keeps the history in memory.
        environment: ``SPACE_ID`` in it says that this is a Space, whose disk cannot share locks.
    """
    if path is None:
        return _in_memory(())
    if _is_newer(path):
        newer = Notice(
            "history-newer",
            "The history of runs was written by a newer version: it can be read, and no run can be started. "
            "Update this app",
        )
        return Opened(_connect(path, read_only=True), read_only=True, notices=(newer,))
    try:
        return _open(path, environment)
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DISK_ERRORS:
            return _in_memory((_off(str(error)),))
        return _start_anew(path, environment)


def journal_mode(on_space: bool, linked: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """``wal`` where it is safe: not before 3.51.3, and not on a mounted disk of a Space."""
    return "delete" if on_space or linked < _WAL_IS_SAFE else "wal"


def _open(path: Path, environment: Mapping[str, str]) -> Opened:
    connection = _connect(path)
    try:
        on_space = bool(environment.get("SPACE_ID"))
        if on_space:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute(f"PRAGMA journal_mode = {journal_mode(on_space)}")
        connection.execute("PRAGMA synchronous = FULL")
        answers = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
        if answers != ["ok"]:
            raise sqlite3.DatabaseError(str(answers[0]))
        fresh = schema.version(connection) == 0
        if fresh and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("tables of another program")
        schema.migrate(connection, path)
        connection.execute("SELECT id, state, position FROM runs LIMIT 1").fetchall()
        return Opened(connection, fresh)
    except BaseException:
        connection.close()
        raise


def _connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"file:{quote(os.fspath(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


def _is_newer(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        connection = _connect(path, read_only=True)
        try:
            return schema.version(connection) > len(schema.MIGRATIONS)
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def _start_anew(path: Path, environment: Mapping[str, str]) -> Opened:
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    try:
        for suffix in ("", "-journal", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(part.with_name(f"{part.name}.corrupt-{stamp}"))
        opened = _open(path, environment)
    except (OSError, sqlite3.Error) as error:
        return _in_memory((_off(str(error)),))
    rebuilt = Notice(
        "history-rebuilt",
        f"The history of runs was damaged. It is kept as {path.name}.corrupt-{stamp}, "
        "and the list was made anew from the folders of the runs",
    )
    return Opened(opened.connection, True, notices=(rebuilt,))


def _in_memory(notices: tuple[Notice, ...]) -> Opened:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    schema.migrate(connection, None)
    return Opened(connection, kept=False, notices=notices)


def _off(why: str) -> Notice:
    return Notice("history-off", f"Runs are not kept beyond this session: the disk cannot be written ({why})")


def history_off(why: str) -> Notice:
    """The notice of an app without a disk for its history."""
    return _off(why)
