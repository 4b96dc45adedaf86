"""Uploading: what the Hub or the network refuses becomes a coded error that names the repository."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.persistence.fake_upload_hub import COMMIT, FakeUploadHub
from workbench.errors import ModelSourceError
from workbench.persistence import upload
from workbench.persistence.upload import checked_repo_id, upload_folder, upload_within
from workbench.runs.environment import child_environment


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


@pytest.fixture
def hub() -> Iterator[FakeUploadHub]:
    made = FakeUploadHub()
    yield made
    made.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "modules.json").write_text("[]")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "README.md").write_text("---\nlibrary_name: sentence-transformers\n---\n")
    return folder


def send(hub: FakeUploadHub, model: Path, repo: str = "ann/mine", **changed: Any) -> str:
    wish: dict[str, Any] = {"token": "hf_ann", "private": True, "message": "m", "endpoint": hub.endpoint}
    environment = {**child_environment(os.environ), "HF_HUB_OFFLINE": "0"}
    return upload_within(model, repo, environment=environment, **{**wish, **changed})


def refused(hub: FakeUploadHub, model: Path, repo: str = "ann/mine", **changed: Any) -> ModelSourceError:
    with pytest.raises(ModelSourceError) as caught:
        send(hub, model, repo, **changed)
    assert "hf_ann" not in str(caught.value)
    return caught.value


def test_a_visitors_model_goes_into_a_private_repository_of_his(hub: FakeUploadHub, model: Path) -> None:
    assert send(hub, model) == f"{hub.endpoint}/ann/mine/commit/{COMMIT}"
    assert hub.repos == {"ann/mine": True}
    assert sorted(hub.files) == ["1_Pooling/config.json", "README.md", "modules.json"]
    assert hub.files["modules.json"] == b"[]"
    assert {given for _, _, given in hub.seen} == {"Bearer hf_ann"}
    # A second time it is a commit to the same one; an organisation of his is his namespace too.
    send(hub, model)
    send(hub, model, "club/ours", private=False)
    assert hub.repos == {"ann/mine": True, "club/ours": False}


def test_another_namespace_is_refused_before_anything_is_made(hub: FakeUploadHub, model: Path) -> None:
    error = refused(hub, model, "ben/his")
    assert error.code == "hub-namespace" and "ann, club" in str(error)
    assert hub.repos == {} and [path for _, path, _ in hub.seen] == ["/api/whoami-v2"]


def test_what_shall_be_private_goes_into_nothing_public(hub: FakeUploadHub, model: Path) -> None:
    hub.repos["ann/mine"] = False
    assert refused(hub, model).code == "hub-repo-public"
    assert hub.files == {}
    send(hub, model, private=False)
    assert hub.files


def test_what_the_hub_refuses_is_told_without_the_token(hub: FakeUploadHub, model: Path) -> None:
    assert refused(hub, model, token="hf_ben").code == "hub-upload-failed"
    hub.refusal = "hf_ann may not write"
    error = refused(hub, model)
    assert error.code == "hub-upload-failed" and "may not write" in str(error)


def test_an_upload_ends_with_its_time(hub: FakeUploadHub, model: Path) -> None:
    hub.silent = True
    began = time.monotonic()
    error = refused(hub, model, seconds=2)
    assert error.code == "hub-upload-time" and time.monotonic() - began < 10
    assert error.__cause__ is None and error.__suppress_context__


def test_the_token_is_neither_in_the_command_line_nor_in_the_environment(
    hub: FakeUploadHub, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    started: list[Any] = []
    run = subprocess.run

    def watched(command: Any, **kwargs: Any) -> Any:
        started.append((command, kwargs["env"]))
        return run(command, **kwargs)

    monkeypatch.setattr(upload.subprocess, "run", watched)
    send(hub, model)
    assert len(started) == 1
    assert "hf_ann" not in repr(started) and "hf_owner" not in repr(started)


def test_a_process_that_dies_is_an_upload_that_failed(
    hub: FakeUploadHub, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "_CHILD", (upload.sys.executable, "-c", "raise SystemExit(3)"))
    assert refused(hub, model).code == "hub-upload-failed"


@pytest.mark.parametrize(
    "name",
    ["", "mine", "ann/", "/mine", "../x", "ann/../x", "ann/a--b", "ann/x.git", "a/b/c", "ann/a b", "ä/b"],
)
def test_names_that_are_no_repository(name: str) -> None:
    with pytest.raises(ModelSourceError) as caught:
        checked_repo_id(name)
    assert caught.value.code == "hub-repo-name"
    assert checked_repo_id(" ann/my-model_2.0 ") == "ann/my-model_2.0"
