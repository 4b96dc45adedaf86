"""A small Hub on this machine: one model, and every way in which the real one can fail."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPO = "owner/model"
COMMIT = "c" * 40

Answer = Callable[[BaseHTTPRequestHandler], None]


class FakeHub:
    """Serves a folder as ``owner/model``; ``info`` and ``file`` replace its answers.

    Attributes:
        files: Relative POSIX path → bytes; change it at will.
        commit: What ``main`` points to.
        facts: Merged over the answer to a question about the model.
        info: Answers such questions instead, if set.
        file: Answers requests for files instead, if set.
        seen: Path and headers of every request.
        release: Set at the end: silent answers wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self.files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        self.commit = COMMIT
        self.facts: dict[str, Any] = {}
        self.info: Answer | None = None
        self.file: Answer | None = None
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.release = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def downloads(self) -> list[str]:
        """Files that were asked for."""
        return [
            path.rsplit("/resolve/", 1)[1].split("/", 1)[1] for path, _ in self.seen if "/resolve/" in path
        ]

    def listing(self) -> dict[str, Any]:
        siblings = []
        for name, data in self.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_hash(data)}
            if name.endswith((".safetensors", ".bin")):
                entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            siblings.append(entry)
        answer = {"id": REPO, "sha": self.commit, "private": False, "gated": False, "disabled": False}
        return {**answer, "tags": [], "config": {}, "siblings": siblings, **self.facts}

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and headers; ``_`` in a header's name stands for ``-``."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        send(handler, code, b"{}", {name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def content(data: bytes) -> Answer:
    """Answer with these bytes."""
    return lambda handler: send(handler, 200, data, {})


def silent(hub: FakeHub) -> Answer:
    """Take the request and say nothing until the end of the test."""
    return lambda handler: (hub.release.wait(60), None)[1]


def dripping(hub: FakeHub, data: bytes = b" " * 10_000) -> Answer:
    """Answer with one byte at a time, for ever."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for byte in data:
            if hub.release.wait(0.05):
                return
            try:
                handler.wfile.write(bytes([byte]))
                handler.wfile.flush()
            except OSError:
                return

    return answer


def half(hub: FakeHub) -> Answer:
    """Promise a whole file, send half of it, hang up; a request for the rest is not understood."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data = hub.files[handler.path.split(f"/resolve/{hub.commit}/", 1)[1]]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[: len(data) // 2])
        handler.wfile.flush()

    return answer


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""


def send(handler: BaseHTTPRequestHandler, code: int, data: bytes, headers: dict[str, str]) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(data)


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if self.path.startswith("/api/models/"):
                (hub.info or self.tell)(self)
            else:
                (hub.file or self.give)(self)

        do_HEAD = do_GET

        def tell(self, _: BaseHTTPRequestHandler) -> None:
            if not self.path.startswith(f"/api/models/{REPO}"):
                return status(404, X_Error_Code="RepoNotFound")(self)
            revision = re.search(r"/revision/([^?]+)", self.path)
            if revision and revision.group(1) not in ("main", hub.commit):
                return status(404, X_Error_Code="RevisionNotFound")(self)
            return content(json.dumps(hub.listing()).encode())(self)

        def give(self, _: BaseHTTPRequestHandler) -> None:
            name = re.sub(f"^/{REPO}/resolve/({hub.commit}|main)/", "", self.path)
            if name not in hub.files:
                return status(404, X_Error_Code="EntryNotFound")(self)
            data = hub.files[name]
            start = int((re.match(r"bytes=(\d+)-", self.headers.get("range", "")) or [0, 0])[1])
            large = name.endswith(".safetensors")
            etag = hashlib.sha256(data).hexdigest() if large else git_hash(data)
            headers = {"X-Repo-Commit": hub.commit, "ETag": f'"{etag}"'}
            return send(self, 206 if start else 200, data[start:], headers)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is not the place."""

    return Handler


def wait_until(true: Callable[[], bool]) -> None:
    """Give threads that are ending the time to end."""
    for _ in range(200):
        if true():
            return
        time.sleep(0.02)
