"""The rows of the runs: every write in one transaction, every value a parameter."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from workbench.errors import FolderWriteError, InvalidValueError, WorkbenchError
from workbench.runs.opening import Notice, Opened
from workbench.runs.record import COLUMNS, Row
from workbench.runs.states import State, check_transition

_INSERT = f"INSERT INTO runs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM runs"
_FULL = ("disk is full", "disk I/O error", "database or disk is full")


class Store:
    """The open file of runs. Not for several threads at once: the supervisor's lock stands before it."""

    def __init__(self, opened: Opened) -> None:
        self._connection = opened.connection
        self.fresh = opened.fresh
        self.read_only = opened.read_only
        self.notices: tuple[Notice, ...] = opened.notices

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def add(self, row: Row) -> Row:
        """Add a run at the end of the queue.

        Returns:
            The row with its position; or the earlier run of the same owner under the same key.

        Raises:
            FolderWriteError: ``disk-full``, ``not-writable``, ``history-read-only``.
        """
        with self._writing():
            earlier = self.by_key(row.owner_hash, row.key)
            if earlier is not None:
                return earlier
            row = replace(row, position=self._next_position())
            self._connection.execute(_INSERT, _values(row))
        return row

    def adopt(self, rows: Sequence[Row]) -> int:
        """Take in rows found in folders, leaving out those that clash; returns how many came."""
        taken = 0
        with self._writing():
            for row in rows:
                with suppress(sqlite3.IntegrityError):
                    self._connection.execute(_INSERT, _values(row))
                    taken += 1
        return taken

    def change(self, run_id: str, to: State | None = None, **values: Any) -> Row:
        """Change a run, and take it to another state where the table of steps allows it.

        Args:
            run_id: The run.
            to: The new state; None leaves it.
            values: Columns. A run that goes to the queue gets its place at the end.

        Raises:
            InvalidValueError: ``run-transition``, or ``run-gone`` if there is no such run any more.
            FolderWriteError: As in `add`.
        """
        if not set(values) <= set(COLUMNS):
            raise ValueError(f"not columns: {sorted(set(values) - set(COLUMNS))}")
        with self._writing():
            row = self.get(run_id)
            if row is None:
                raise InvalidValueError("run-gone", "the run was deleted meanwhile", where=run_id)
            if to is not None:
                check_transition(row.state, to)
                values["state"] = to
                if to == "queued":
                    values["position"] = self._next_position()
            if values:
                sets = ", ".join(f"{name} = ?" for name in values)
                self._connection.execute(f"UPDATE runs SET {sets} WHERE id = ?", (*values.values(), run_id))
            changed = self.get(run_id)
        assert changed is not None
        return changed

    def delete(self, run_id: str) -> None:
        """Delete a run's row."""
        with self._writing():
            self._connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def get(self, run_id: str) -> Row | None:
        """One run."""
        return next(self._rows(f"{_SELECT} WHERE id = ?", (run_id,)), None)

    def by_key(self, owner_hash: str, key: str | None) -> Row | None:
        """The run that an owner started under this key."""
        if key is None:
            return None
        return next(self._rows(f"{_SELECT} WHERE owner_hash = ? AND key = ?", (owner_hash, key)), None)

    def in_state(self, state: State) -> list[Row]:
        """All runs in a state, in the order of the queue."""
        return list(self._rows(f"{_SELECT} WHERE state = ? ORDER BY position", (state,)))

    def count(self, state: State, owner_hash: str | None = None) -> int:
        """How many runs are in a state, of one owner or of all."""
        where, values = "state = ?", list[str]([state])
        if owner_hash is not None:
            where, values = "state = ? AND owner_hash = ?", [state, owner_hash]
        found = self._connection.execute(f"SELECT count(*) FROM runs WHERE {where}", values).fetchone()
        return int(found[0])

    def page(
        self,
        owner_hash: str | None,
        state: State | None = None,
        text: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[Row]:
        """The newest runs first.

        Args:
            owner_hash: Of this owner alone; None for all.
            state: In this state alone.
            text: Part of a name, a note, a kind or an id, in any case; as it stands, no pattern.
            limit: So many at most.
            offset: Leave out so many.
        """
        wheres, values = ["1"], list[Any]()
        if owner_hash is not None:
            wheres, values = [*wheres, "owner_hash = ?"], [*values, owner_hash]
        if state is not None:
            wheres, values = [*wheres, "state = ?"], [*values, state]
        if text:
            wheres.append(
                "instr(lower(name || char(10) || note || char(10) || kind || char(10) || id), lower(?))"
            )
            values.append(text)
        query = f"{_SELECT} WHERE {' AND '.join(wheres)} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        return list(self._rows(query, (*values, limit, offset)))

    def place(self, row: Row) -> int:
        """Place in the queue from 1; 0 outside it."""
        if row.state != "queued":
            return 0
        found = self._connection.execute(
            "SELECT count(*) FROM runs WHERE state = 'queued' AND position <= ?", (row.position,)
        )
        return int(found.fetchone()[0])

    def _next_position(self) -> int:
        return int(self._connection.execute("SELECT coalesce(max(position), 0) + 1 FROM runs").fetchone()[0])

    def _rows(self, query: str, values: Sequence[Any]) -> Iterator[Row]:
        try:
            found = self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise WorkbenchError(
                "history-unreadable",
                f"the history of runs cannot be read: {error}",
                fix="Restart the app: a damaged history is made anew from the folders of the runs",
            ) from error
        for row in found:
            yield Row(**dict(row))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self.read_only:
            raise FolderWriteError(
                "history-read-only",
                "the history of runs was written by a newer version",
                fix="Update this app, or give it another folder for its runs",
            )
        try:
            # Taking the write lock at once: a transaction that reads first would fail where another writes.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            full = any(word in str(error) for word in _FULL)
            raise FolderWriteError(
                "disk-full" if full else "not-writable",
                f"the history of runs cannot be written: {error}",
                fix="Free some space" if full else "Check the disk and the rights of the folder",
            ) from error


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in COLUMNS)
