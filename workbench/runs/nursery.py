"""The children of a supervisor: started in turn, followed, stopped, and their ends put on record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench.errors import FolderWriteError
from workbench.runs import home, layout
from workbench.runs.child import Child, attached, call_off, go, spawn
from workbench.runs.clock import Clock
from workbench.runs.environment import child_environment
from workbench.runs.files import put_json
from workbench.runs.limits import Limits
from workbench.runs.metrics import last_report
from workbench.runs.outcome import UNWRITABLE, judge, kills_for_memory, read_outcome
from workbench.runs.process import identify
from workbench.runs.queue import next_to_start
from workbench.runs.record import Row


class Nursery:
    """Holds the children. Not for several threads at once: the supervisor's lock stands before it."""

    def __init__(
        self,
        place: home.Home,
        limits: Limits,
        command: Sequence[str],
        environment: Mapping[str, str],
        clock: Clock,
        *,
        starts: bool,
    ) -> None:
        self._folder = place.folder
        self._store = place.store
        self._limits = limits
        self._command = command
        self._environment = child_environment(environment)
        self._clock = clock
        self._starts = starts and not place.store.read_only
        self._children: dict[str, Child] = {}

    def attach(self) -> None:
        """Find the children of an earlier supervisor, and put those that are gone on record."""
        if self._store.read_only:
            return
        for row in self._store.in_state("running"):
            child = attached(row, kills_for_memory())
            if child is None:
                with suppress(FolderWriteError):
                    self._end(row, None)
                continue
            self._children[row.id] = child
            if row.stop is not None:
                self.ask_to_stop(row.id)

    def tick(self) -> bool:
        """Look at every child, then start what can start; True if any ended.

        Raises:
            FolderWriteError: Something could not be put on record; the next look tries again.
        """
        trouble: FolderWriteError | None = None
        any_ended = False
        for child in list(self._children.values()):
            try:
                any_ended |= self._look_at(child)
            except FolderWriteError as error:
                trouble = error
        if self._starts and trouble is None:
            while self._start_next():
                pass
        if trouble is not None:
            raise trouble
        return any_ended

    def ask_to_stop(self, run_id: str) -> None:
        """Ask the child of a run to stop at a checkpoint."""
        child = self._children.get(run_id)
        if child is not None:
            child.ask_to_stop(layout.run_folder(self._folder, run_id), self._clock.monotonic())

    def mirror(self, row: Row) -> None:
        """Write the small files of a run's folder that follow its row.

        Raises:
            FolderWriteError: ``disk-full``, ``not-writable``.
        """
        folder = layout.run_folder(self._folder, row.id)
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = folder / layout.CONFIG
        if not config.exists():
            put_json(config, json.loads(row.config), sync=False)
        home.mirror(self._folder, row)

    def _look_at(self, child: Child) -> bool:
        row = self._store.get(child.run_id)
        if row is None:
            child.kill()
            del self._children[child.run_id]
            return True
        if child.ended():
            self._end(row, child)
            del self._children[child.run_id]
            return True
        now = self._clock.monotonic()
        wall = self._limits.wall_seconds
        if wall is not None and row.stop is None and now - child.started_monotonic > wall:
            self._store.change(row.id, stop="time-limit")
            self.ask_to_stop(row.id)
        if child.stop_since is not None and now - child.stop_since > self._limits.grace_seconds:
            child.kill()
        if now - child.folded_at >= self._limits.fold_seconds:
            child.folded_at = now
            progress = self._progress(row)
            if any(getattr(row, name) != value for name, value in progress.items()):
                self._store.change(row.id, **progress)
        return False

    def _start_next(self) -> bool:
        running = [row for row in map(self._store.get, self._children) if row is not None]
        row = next_to_start(self._store.in_state("queued"), running, self._limits)
        if row is not None:
            self._start(row)
        return row is not None

    def _start(self, row: Row) -> None:
        folder = layout.run_folder(self._folder, row.id)
        try:
            self.mirror(row)
            for stale in (layout.STOP, layout.OUTCOME):
                (folder / stale).unlink(missing_ok=True)
            worker = spawn(folder, self._command, self._environment)
        except OSError:
            row = self._store.change(
                row.id,
                "failed",
                reason_code=UNWRITABLE.code,
                reason_message=UNWRITABLE.message,
                ended_at=self._clock.now(),
            )
            return
        # The row first, then the word to go: a child that nobody knows of must never begin.
        identity = identify(worker.pid)
        try:
            if identity is None:
                raise FolderWriteError("not-writable", "the process ended before it began")
            started = self._clock.monotonic()
            row = self._store.change(
                row.id,
                "running",
                attempt=row.attempt + 1,
                started_at=self._clock.now(),
                started_monotonic=started,
                pid=identity.pid,
                pid_start=identity.start,
            )
        except BaseException:
            call_off(worker)
            raise
        self._children[row.id] = Child(row.id, row.attempt, identity, worker, started, kills_for_memory())
        go(worker, row, self._limits)
        with suppress(FolderWriteError):
            self.mirror(row)

    def _end(self, row: Row, child: Child | None) -> None:
        folder = layout.run_folder(self._folder, row.id)
        outcome = read_outcome(folder / layout.OUTCOME, row.attempt)
        returncode = child.returncode() if child is not None else None
        out_of_memory = child is not None and child.out_of_memory()
        state, reason = judge(outcome, returncode, row.stop, out_of_memory=out_of_memory)
        progress = self._progress(row)
        seconds = outcome.seconds if outcome is not None else self._seconds_without_outcome(row, child)
        row = self._store.change(
            row.id,
            state,
            **progress,
            reason_code=reason.code if reason else None,
            reason_message=reason.message if reason else None,
            ended_at=self._clock.now(),
            seconds_before=row.seconds_before + seconds,
            started_monotonic=None,
            stop=None,
            pid=None,
            pid_start=None,
        )
        with suppress(FolderWriteError):
            self.mirror(row)

    def _seconds_without_outcome(self, row: Row, child: Child | None) -> float:
        if child is not None and child.popen is not None:
            return max(0.0, self._clock.monotonic() - child.started_monotonic)
        # It ended while nobody looked: its last report is the last that is known of it.
        report = last_report(layout.run_folder(self._folder, row.id) / layout.METRICS)
        if report is None or report.get("attempt") != row.attempt:
            return 0.0
        seconds = report.get("seconds")
        return float(seconds) if isinstance(seconds, int | float) else 0.0

    def _progress(self, row: Row) -> dict[str, Any]:
        report = last_report(layout.run_folder(self._folder, row.id) / layout.METRICS)
        if report is None:
            return {}
        loss = report.get("values", {}).get("loss")
        total = report.get("total", 0)
        return {
            "step": report["step"],
            "total": total,
            "loss": loss if isinstance(loss, int | float) else None,
        }
