"""A small Hub on this machine that takes uploads: who is asking, repositories, commits."""

from __future__ import annotations

import base64
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "d" * 40


class FakeUploadHub:
    """Knows ``ann`` of the organisation ``club`` by the token ``hf_ann``.

    Attributes:
        repos: Name → whether it is private.
        files: What the last commit brought, path → bytes.
        seen: Method, path and ``Authorization`` of every request.
        silent: Take the requests for commits and answer nothing until the end of the test.
        refusal: Told to whoever commits, if set.
    """

    def __init__(self) -> None:
        self.repos: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.seen: list[tuple[str, str, str | None]] = []
        self.silent = False
        self.refusal = ""
        self.release = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON of a request."""
        if path == "/api/whoami-v2":
            return 200, {"type": "user", "name": "ann", "orgs": [{"name": "club"}], "auth": {}}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            wish = json.loads(body)
            name = f"{wish.get('organization') or 'ann'}/{wish['name']}"
            if name in self.repos:
                told = {"error": "You already created this model repo"}
                return 409, {**told, "url": f"{self.endpoint}/{name}"}
            self.repos[name] = wish.get("private") is True or wish.get("visibility") == "private"
            return 200, {"url": f"{self.endpoint}/{name}", "name": name}
        found = re.match(r"/api/models/([\w.-]+/[\w.-]+)(/.*)?$", path)
        if found is None or found[1] not in self.repos:
            return 404, {"error": "Repository not found"}
        name, rest = found[1], found[2] or ""
        if rest == "" and method == "GET":
            return 200, {"id": name, "private": self.repos[name], "sha": COMMIT, "siblings": [], "tags": []}
        if rest.startswith("/preupload/"):
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in json.loads(body)["files"]
                ]
            }
        if rest.startswith("/commit/"):
            if self.silent:
                self.release.wait(60)
            if self.refusal:
                return 403, {"error": self.refusal}
            lines = [json.loads(line) for line in body.splitlines()]
            self.files = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            return 200, {
                "commitUrl": f"{self.endpoint}/{name}/commit/{COMMIT}",
                "commitOid": COMMIT,
                "success": True,
            }
        return 404, {"error": f"Not known: {rest}"}


def _handler(hub: FakeUploadHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization")
            hub.seen.append((self.command, self.path, given))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, told = hub.answer(self.command, self.path.split("?")[0], body)
            if given != "Bearer hf_ann":
                status, told = 401, {"error": "Invalid credentials"}
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status >= 400:
                self.send_header("X-Error-Message", str(told["error"]))
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is not the place."""

    return Handler
