"""The supervisor of the runs: the only one that writes the store and starts children."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import FolderWriteError, InvalidValueError, UnknownNameError
from workbench.runs import home, layout, submission
from workbench.runs.child import WORKER
from workbench.runs.clock import Clock
from workbench.runs.files import get_json, last_bytes
from workbench.runs.jobs import JOBS
from workbench.runs.limits import Limits
from workbench.runs.metrics import Metrics, read_since
from workbench.runs.nursery import Nursery
from workbench.runs.opening import Notice
from workbench.runs.owner import Access, Operator, may_see, owner_hash
from workbench.runs.process import boot_id
from workbench.runs.queue import check_room
from workbench.runs.record import Row, Run
from workbench.runs.states import RESUMABLE, State

PAGE = 200
_LOG_BYTES = 1 << 16
_logger = logging.getLogger(__name__)


class Supervisor:
    """Holds a folder of runs: its rows, its queue and its children. Every method may be called by any thread.

    A child goes on when its supervisor ends, however that ends; the next one on the same folder finds it.

    Args:
        folder: The folder of the runs; it is made.
        limits: How much runs may take.
        starts: Whether waiting runs are started; False only looks.
        background: Whether a thread looks after the children; False leaves it to calls of `tick`.
        environment: Of the app; children get what is harmless of it.
        worker: The command of a child.
        kinds: The kinds of job that the command knows.
        clock: Where time comes from.

    Raises:
        WorkbenchError: ``supervisor-elsewhere``: another process has these runs open.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits | None = None,
        starts: bool = True,
        background: bool = True,
        environment: Mapping[str, str] = os.environ,
        worker: Sequence[str] = WORKER,
        kinds: frozenset[str] = frozenset(JOBS),
        clock: Clock | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._kinds = kinds
        self._clock = clock or Clock()
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)
        self._closing = threading.Event()
        self._trouble: dict[str, Notice] = {}
        self._home = home.take(folder, environment)
        self._store = self._home.store
        self._nursery = Nursery(self._home, self.limits, worker, environment, self._clock, starts=starts)
        with self._lock:
            self._nursery.attach()
        self._thread: threading.Thread | None = None
        if background:
            self._thread = threading.Thread(target=self._look_after, name="runs", daemon=True)
            self._thread.start()

    @property
    def folder(self) -> Path:
        """The folder of the runs; another one than asked for where the disk refuses."""
        return self._home.folder

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know about the history; empty if all is well."""
        return (*self._home.notices, *self._trouble.values())

    def submit(
        self,
        owner: str,
        kind: str,
        config: Mapping[str, Any],
        *,
        name: str = "",
        note: str = "",
        key: str | None = None,
        inputs: Mapping[str, Path] | None = None,
        rerun_of: str = "",
    ) -> Run:
        """Put a run into the queue. When this returns, the run is on disk.

        Args:
            owner: The owner's secret, from `new_owner`.
            kind: A kind of job.
            config: Its settings: JSON values, 1 MiB at most.
            name: One line, 200 characters at most.
            note: 10,000 characters at most.
            key: A start counts once under its key: the second click gets the first one's run.
            inputs: Files to copy into the run's folder, by the name that the job expects.
            rerun_of: The run whose settings these are.

        Raises:
            UnknownNameError: ``run-kind``.
            WorkbenchError: ``too-many-queued``, ``queue-full``.
            InvalidValueError: ``owner-secret``, and those of `submission`.
            FolderWriteError: ``disk-full``, ``not-writable``, ``history-read-only``.
        """
        if kind not in self._kinds:
            raise UnknownNameError(
                "run-kind", repr(kind)[:80], expected=f"one of {', '.join(sorted(self._kinds))}"
            )
        row = Row(
            id=layout.new_run_id(),
            owner_hash=owner_hash(owner),
            kind=kind,
            config=submission.checked_config(config),
            created_at=self._clock.now(),
            position=0,
            name=submission.checked_name(name),
            note=submission.checked_note(note),
            key=submission.checked_key(key),
            rerun_of=rerun_of,
        )
        folder = layout.run_folder(self.folder, row.id)
        try:
            submission.copy_inputs(inputs or {}, folder / layout.INPUTS)
            with self._lock:
                earlier = self._store.by_key(row.owner_hash, row.key)
                if earlier is None:
                    self._check_room(row.owner_hash)
                    earlier = self._store.add(row)
                    self._mirror(earlier)
                return self._seen(earlier)
        finally:
            if self._row_is_missing(row.id):
                shutil.rmtree(folder, ignore_errors=True)

    def list(
        self,
        access: Access,
        *,
        state: State | None = None,
        text: str = "",
        limit: int = PAGE,
        offset: int = 0,
    ) -> list[Run]:
        """The runs that ``access`` may see, the newest first.

        Args:
            access: An owner's secret, or ``OPERATOR`` for all.
            state: In this state alone.
            text: Part of a name, a note, a kind or an id.
            limit: At most so many.
            offset: Leave out so many.

        Raises:
            InvalidValueError: ``run-text-too-long``, ``run-text-character``, ``run-page``.
            UnknownNameError: ``run-state``.
        """
        submission.checked_filter(state, text, limit, offset)
        try:
            owner = None if isinstance(access, Operator) else owner_hash(access)
        except InvalidValueError:
            return []
        with self._lock:
            rows = self._store.page(owner, state, text, limit, offset)
            return [self._seen(row) for row in rows]

    def show(self, access: Access, run_id: str) -> Run:
        """One run.

        Raises:
            UnknownNameError: ``run-unknown``; a run of someone else does not exist either.
        """
        with self._lock:
            return self._seen(self._row(access, run_id))

    def cancel(self, access: Access, run_id: str) -> Run:
        """Ask a run to stop, keeping a checkpoint; one that has ended stays as it is.

        Raises:
            UnknownNameError: ``run-unknown``.
        """
        with self._lock:
            row = self._row(access, run_id)
            if row.state == "queued":
                row = self._store.change(row.id, "cancelled", ended_at=self._clock.now())
                self._mirror(row)
                self._ended.notify_all()
            elif row.state == "running" and row.stop is None:
                row = self._store.change(row.id, stop="cancel")
                self._nursery.ask_to_stop(row.id)
            return self._seen(row)

    def resume(self, access: Access, run_id: str) -> Run:
        """Put a run that stopped short back into the queue, to go on from its newest checkpoint.

        Raises:
            UnknownNameError: ``run-unknown``.
            InvalidValueError: ``run-complete``.
            WorkbenchError: ``too-many-queued``, ``queue-full``.
        """
        with self._lock:
            row = self._row(access, run_id)
            if row.state == "complete":
                raise InvalidValueError(
                    "run-complete", "the run is complete", fix="Run it again as a new run", where=run_id
                )
            if row.state in RESUMABLE:
                self._check_room(row.owner_hash)
                row = self._store.change(
                    row.id, "queued", stop=None, reason_code=None, reason_message=None, ended_at=""
                )
                self._mirror(row)
            return self._seen(row)

    def rerun(self, owner: str, run_id: str, *, key: str | None = None) -> Run:
        """Start a new run with the settings and files of an earlier one.

        Raises:
            UnknownNameError: ``run-unknown``.
            WorkbenchError: As for `submit`.
        """
        with self._lock:
            row = self._row(owner, run_id)
        folder = layout.run_folder(self.folder, row.id) / layout.INPUTS
        inputs = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
        return self.submit(
            owner,
            row.kind,
            json.loads(row.config),
            name=row.name,
            note=row.note,
            key=key,
            inputs=inputs,
            rerun_of=row.id,
        )

    def annotate(
        self, access: Access, run_id: str, *, name: str | None = None, note: str | None = None
    ) -> Run:
        """Change a run's name or note; None leaves it.

        Raises:
            UnknownNameError: ``run-unknown``.
            InvalidValueError: ``run-text-too-long``, ``run-text-character``.
        """
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = submission.checked_name(name)
        if note is not None:
            values["note"] = submission.checked_note(note)
        with self._lock:
            row = self._store.change(self._row(access, run_id).id, **values)
            self._mirror(row)
            return self._seen(row)

    def delete(self, access: Access, run_id: str) -> None:
        """Delete a run with all its files.

        Raises:
            UnknownNameError: ``run-unknown``.
            InvalidValueError: ``run-active``.
        """
        with self._lock:
            row = self._row(access, run_id)
            if row.state == "running":
                raise InvalidValueError(
                    "run-active", "the run is running", fix="Cancel it first", where=run_id
                )
            home.remove(self.folder, self._store, row.id)

    def metrics_since(self, access: Access, run_id: str, offset: int = 0) -> Metrics:
        """The reports of a run beyond an offset in bytes; `Metrics.offset` is where to go on."""
        return read_since(self._folder_of(access, run_id) / layout.METRICS, offset)

    def log_tail(self, access: Access, run_id: str, limit: int = _LOG_BYTES) -> str:
        """The end of what the run's process printed."""
        return last_bytes(self._folder_of(access, run_id) / layout.LOG, limit).decode("utf-8", "replace")

    def result(self, access: Access, run_id: str) -> Mapping[str, Any] | None:
        """The result of a complete run; None before."""
        found = get_json(self._folder_of(access, run_id) / layout.RESULT)
        return found if isinstance(found, dict) else None

    def run_folder(self, access: Access, run_id: str) -> Path:
        """The folder of a run, for a caller on this machine: its checkpoints and files."""
        return self._folder_of(access, run_id)

    def wait(self, access: Access, run_id: str, timeout: float | None = None) -> Run:
        """Wait until a run neither waits nor runs, or the time is over; returns how it stands then."""
        until = None if timeout is None else self._clock.monotonic() + timeout
        with self._lock:
            while True:
                if self._thread is None:
                    self.tick()
                run = self.show(access, run_id)
                left = None if until is None else until - self._clock.monotonic()
                if not run.active or (left is not None and left <= 0):
                    return run
                self._ended.wait(
                    self.limits.tick_seconds if left is None else min(left, self.limits.tick_seconds)
                )

    def tick(self) -> None:
        """Look after the children once: progress, ends, limits, and whose turn it is."""
        with self._lock:
            try:
                if self._nursery.tick():
                    self._ended.notify_all()
                self._trouble.pop("history-not-written", None)
            except FolderWriteError as error:
                self._trouble["history-not-written"] = Notice("history-not-written", error.message)

    def close(self) -> None:
        """Let go of the folder. Children go on; the next supervisor finds them."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._home.release()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_after(self) -> None:
        while not self._closing.wait(self.limits.tick_seconds):
            try:
                self.tick()
            except Exception:
                # Whatever one look met, the next one must come: the children are alone otherwise.
                _logger.exception("looking after the runs failed")

    def _row(self, access: Access, run_id: str) -> Row:
        row = self._store.get(run_id) if layout.is_run_id(run_id) else None
        if row is None or not may_see(access, row.owner_hash):
            raise UnknownNameError("run-unknown", repr(run_id)[:60], expected="the id of one of your runs")
        return row

    def _folder_of(self, access: Access, run_id: str) -> Path:
        with self._lock:
            return layout.run_folder(self.folder, self._row(access, run_id).id)

    def _row_is_missing(self, run_id: str) -> bool:
        with self._lock:
            return self._store.get(run_id) is None

    def _check_room(self, owner: str) -> None:
        check_room(self._store.count("queued", owner), self._store.count("queued"), self.limits)

    def _mirror(self, row: Row) -> None:
        try:
            self._nursery.mirror(row)
        except FolderWriteError as error:
            self._trouble["history-not-written"] = Notice("history-not-written", error.message)

    def _seen(self, row: Row) -> Run:
        seconds = row.seconds_before
        if row.state == "running" and row.started_monotonic is not None and row.pid_start is not None:
            same_boot = row.pid_start.endswith(boot_id())
            seconds += max(0.0, self._clock.monotonic() - row.started_monotonic) if same_boot else 0.0
        return Run(
            id=row.id,
            kind=row.kind,
            name=row.name,
            note=row.note,
            state=row.state,
            owner=row.owner_hash[:8],
            config=json.loads(row.config),
            place=self._store.place(row),
            step=row.step,
            total=row.total,
            loss=row.loss,
            seconds=seconds,
            attempt=row.attempt,
            stopping=row.state == "running" and row.stop is not None,
            reason=row.reason,
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            rerun_of=row.rerun_of,
        )
