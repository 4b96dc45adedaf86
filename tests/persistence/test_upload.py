"""Uploading: what the Hub or the network refuses becomes a coded error that names the repository."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from workbench.errors import ModelSourceError
from workbench.persistence.upload import upload_folder


class _Refuses(BaseHTTPRequestHandler):
    seen: list[tuple[str, str | None]] = []

    def do_POST(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"error": "You don\'t have the rights"}'
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_missing_rights_are_told(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(ModelSourceError) as caught:
        upload_folder(tmp_path, "me/model", token="hf_given", private=True, message="m", endpoint=endpoint)
    assert (caught.value.code, caught.value.where) == ("hub-upload-failed", "me/model")
    assert _Refuses.seen == [("/api/repos/create", "Bearer hf_given")]
    assert "hf_given" not in str(caught.value)


def test_a_name_that_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(ModelSourceError):
        upload_folder(tmp_path, "../x", token="t", private=True, message="m", endpoint="http://127.0.0.1:9")
