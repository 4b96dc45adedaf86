"""The tables of the store, version by version, and the way from an older version to this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

# Version n is what the first n entries make. A new version is one more entry; an old entry never changes.
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY,
            owner_hash TEXT NOT NULL,
            kind TEXT NOT NULL,
            config TEXT NOT NULL,
            created_at TEXT NOT NULL,
            position INTEGER NOT NULL,
            name TEXT NOT NULL,
            note TEXT NOT NULL,
            state TEXT NOT NULL,
            key TEXT,
            rerun_of TEXT NOT NULL,
            started_at TEXT NOT NULL,
            ended_at TEXT NOT NULL,
            started_monotonic REAL,
            seconds_before REAL NOT NULL,
            attempt INTEGER NOT NULL,
            step INTEGER NOT NULL,
            total INTEGER NOT NULL,
            loss REAL,
            stop TEXT,
            reason_code TEXT,
            reason_message TEXT,
            pid INTEGER,
            pid_start TEXT,
            UNIQUE (owner_hash, key)
        )
        """,
        "CREATE INDEX runs_by_state ON runs (state, position)",
        "CREATE INDEX runs_by_owner ON runs (owner_hash, created_at)",
    ),
)


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables in a file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> Path | None:
    """Bring older tables to the newest version, in one transaction: a kill leaves the old or the new.

    Args:
        connection: Open, in autocommit mode.
        path: The file, beside which a copy of the older version is put first; None in memory.
        migrations: The versions.

    Returns:
        The copy; None where none was needed.

    Raises:
        sqlite3.Error: Nothing is changed.
    """
    found = version(connection)
    if found >= len(migrations):
        return None
    backup = _back_up(connection, path, found) if path is not None and found else None
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[found:]:
            for statement in statements:
                connection.execute(statement)
        # A pragma takes no parameter; this is our own count.
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return backup


def _back_up(connection: sqlite3.Connection, path: Path, found: int) -> Path:
    copy = path.with_name(f"{path.name}.v{found}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
    target = sqlite3.connect(copy)
    try:
        connection.backup(target)
    finally:
        target.close()
    return copy
