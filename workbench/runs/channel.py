"""The supervisor's ear: a socket that only processes of the same user reach, one JSON line a call."""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import struct
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError, WorkbenchError
from workbench.runs import layout
from workbench.runs.files import get_json, put_json
from workbench.runs.owner import OPERATOR, Access
from workbench.runs.supervisor import Supervisor

LINE_BYTES = 4 << 20
_PREFIX = "workbench-channel-"
_IDLE_SECONDS = 600.0


def _submit(runs: Supervisor, values: dict[str, Any]) -> Any:
    inputs = {name: Path(path) for name, path in (values.pop("inputs", None) or {}).items()}
    return runs.submit(**values, inputs=inputs).to_dict()


# What may be asked. A call's arguments are those of the supervisor's method.
CALLS: Mapping[str, Callable[[Supervisor, dict[str, Any]], Any]] = {
    "submit": _submit,
    "list": lambda runs, values: [run.to_dict() for run in runs.list(**values)],
    "show": lambda runs, values: runs.show(**values).to_dict(),
    "cancel": lambda runs, values: runs.cancel(**values).to_dict(),
    "resume": lambda runs, values: runs.resume(**values).to_dict(),
    "rerun": lambda runs, values: runs.rerun(**values).to_dict(),
    "annotate": lambda runs, values: runs.annotate(**values).to_dict(),
    "delete": lambda runs, values: runs.delete(**values),
    "metrics_since": lambda runs, values: runs.metrics_since(**values).to_dict(),
    "log_tail": lambda runs, values: runs.log_tail(**values),
    "result": lambda runs, values: runs.result(**values),
    "notices": lambda runs, values: [notice.__dict__ for notice in runs.notices],
}


class Channel:
    """Listens for calls to a supervisor until it is closed."""

    def __init__(self, runs: Supervisor, home: Path) -> None:
        """Open a socket in a private folder and say in the home where it is.

        Raises:
            FolderWriteError: The home cannot be written.
            OSError: There can be no socket.
        """
        remove_dead(home)
        # Not in the home: a path to a socket may have some hundred bytes, and mounted disks know none.
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._home = home
        try:
            self._server = _Server(str(self._folder / "socket"), runs)
            put_json(layout.channel_file(home), {"socket": str(self._folder / "socket")}, sync=False)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        with suppress(OSError):
            layout.channel_file(self._home).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def socket_path(home: Path) -> Path | None:
    """Where the supervisor of a home listens; None where nobody said so."""
    found = get_json(layout.channel_file(home))
    path = found.get("socket") if isinstance(found, dict) else None
    return Path(path) if isinstance(path, str) else None


def remove_dead(home: Path) -> None:
    """Remove the socket's folder of a supervisor that was killed."""
    path = socket_path(home)
    if path is None:
        return
    folder = path.parent
    with suppress(OSError):
        ours = folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
        if ours and folder.name.startswith(_PREFIX) and folder.parent == Path(tempfile.gettempdir()):
            shutil.rmtree(folder, ignore_errors=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, runs: Supervisor) -> None:
        self.runs = runs
        super().__init__(path, _Handler)
        Path(path).chmod(0o600)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server
    timeout = _IDLE_SECONDS

    def handle(self) -> None:
        """Answer line after line until the other side hangs up."""
        if not _is_same_user(self.connection):
            return
        with suppress(OSError):
            while line := self.rfile.readline(LINE_BYTES + 1):
                self.wfile.write(json.dumps(answer(self.server.runs, line)).encode() + b"\n")
                if len(line) > LINE_BYTES:
                    return


def answer(runs: Supervisor, line: bytes) -> dict[str, Any]:
    """The answer to one line: ``{"value": …}`` or ``{"error": …}``, whatever came."""
    try:
        return {"value": _called(runs, line)}
    except WorkbenchError as error:
        kind = type(error).__name__
        parts = {name: getattr(error, name) for name in ("code", "came", "expected", "fix", "where")}
        return {"error": {"kind": kind, **parts}}


def _called(runs: Supervisor, line: bytes) -> Any:
    refusal = InvalidValueError("channel-request", "a request that is none", where="socket of the runs")
    if len(line) > LINE_BYTES:
        raise refusal
    try:
        request = json.loads(line)
        call = CALLS[request["call"]]
        values = dict(request["values"])
        for name in ("access", "owner"):
            if name in values:
                values[name] = _access(values[name])
        return call(runs, values)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        if isinstance(error, WorkbenchError):
            raise
        raise refusal from error


def _access(value: Any) -> Access:
    # A process of the same user could read the files as well.
    return OPERATOR if value is None else str(value)


def _is_same_user(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return bool(struct.unpack("3i", data)[1] == os.getuid())
