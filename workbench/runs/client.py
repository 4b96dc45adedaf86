"""The same calls as the supervisor's, from another process of the same user."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from workbench import errors
from workbench.errors import WorkbenchError
from workbench.runs.channel import LINE_BYTES, socket_path
from workbench.runs.metrics import Metrics
from workbench.runs.opening import Notice
from workbench.runs.owner import Access, Operator
from workbench.runs.record import Run
from workbench.runs.states import State

CALL_SECONDS = 120.0
_POLL_SECONDS = 0.2
_KINDS: Mapping[str, type[WorkbenchError]] = {
    kind.__name__: kind
    for kind in (
        WorkbenchError,
        errors.InvalidValueError,
        errors.InvalidTypeError,
        errors.UnknownNameError,
        errors.DataFileError,
        errors.FolderWriteError,
    )
}


class Client:
    """Asks the supervisor of a home; see `Supervisor` for what each call does and raises.

    Args:
        home: The folder of the runs.

    Raises:
        WorkbenchError: ``supervisor-away``: nobody listens.
    """

    def __init__(self, home: Path) -> None:
        path = socket_path(home)
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CALL_SECONDS)
        try:
            if path is None:
                raise FileNotFoundError
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise _away() from error
        self._reader = self._socket.makefile("rb")

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
    ) -> Run:
        """As `Supervisor.submit`."""
        files = {file: str(path) for file, path in (inputs or {}).items()}
        values = {"kind": kind, "config": dict(config), "name": name, "note": note, "key": key}
        return Run.from_dict(self._call("submit", owner=owner, inputs=files, **values))

    def list(
        self,
        access: Access,
        *,
        state: State | None = None,
        text: str = "",
        limit: int = 200,
        offset: int = 0,
    ) -> list[Run]:
        """As `Supervisor.list`."""
        found = self._call("list", access=access, state=state, text=text, limit=limit, offset=offset)
        return [Run.from_dict(run) for run in found]

    def show(self, access: Access, run_id: str) -> Run:
        """As `Supervisor.show`."""
        return Run.from_dict(self._call("show", access=access, run_id=run_id))

    def cancel(self, access: Access, run_id: str) -> Run:
        """As `Supervisor.cancel`."""
        return Run.from_dict(self._call("cancel", access=access, run_id=run_id))

    def resume(self, access: Access, run_id: str) -> Run:
        """As `Supervisor.resume`."""
        return Run.from_dict(self._call("resume", access=access, run_id=run_id))

    def rerun(self, owner: str, run_id: str, *, key: str | None = None) -> Run:
        """As `Supervisor.rerun`."""
        return Run.from_dict(self._call("rerun", owner=owner, run_id=run_id, key=key))

    def annotate(
        self, access: Access, run_id: str, *, name: str | None = None, note: str | None = None
    ) -> Run:
        """As `Supervisor.annotate`."""
        return Run.from_dict(self._call("annotate", access=access, run_id=run_id, name=name, note=note))

    def delete(self, access: Access, run_id: str) -> None:
        """As `Supervisor.delete`."""
        self._call("delete", access=access, run_id=run_id)

    def metrics_since(self, access: Access, run_id: str, offset: int = 0) -> Metrics:
        """As `Supervisor.metrics_since`."""
        return Metrics.from_dict(self._call("metrics_since", access=access, run_id=run_id, offset=offset))

    def log_tail(self, access: Access, run_id: str, limit: int = 1 << 16) -> str:
        """As `Supervisor.log_tail`."""
        return str(self._call("log_tail", access=access, run_id=run_id, limit=limit))

    def result(self, access: Access, run_id: str) -> Mapping[str, Any] | None:
        """As `Supervisor.result`."""
        found = self._call("result", access=access, run_id=run_id)
        return found if isinstance(found, dict) else None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """As `Supervisor.notices`."""
        return tuple(Notice(**notice) for notice in self._call("notices"))

    def wait(self, access: Access, run_id: str, timeout: float | None = None) -> Run:
        """As `Supervisor.wait`."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            run = self.show(access, run_id)
            if not run.active or (until is not None and time.monotonic() >= until):
                return run
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, call: str, **values: Any) -> Any:
        sent = {name: None if isinstance(value, Operator) else value for name, value in values.items()}
        line = json.dumps({"call": call, "values": sent}).encode() + b"\n"
        if len(line) > LINE_BYTES:
            raise errors.InvalidValueError(
                "run-request-too-big", f"{len(line):,} bytes", expected=f"at most {LINE_BYTES:,} bytes"
            )
        try:
            with self._lock:
                self._socket.sendall(line)
                answer = self._reader.readline()
        except OSError as error:
            raise _away() from error
        if not answer.endswith(b"\n"):
            raise _away()
        found = json.loads(answer)
        if "error" in found:
            told = found["error"]
            kind = _KINDS.get(told.pop("kind"), WorkbenchError)
            raise kind(told.pop("code"), told.pop("came"), **told)
        return found["value"]


def _away() -> WorkbenchError:
    return WorkbenchError(
        "supervisor-away",
        "the app that looks after the runs does not answer",
        fix="Start the app and try again",
    )
