"""Fetching from the Hub, against a small fake one: a code for each fault, decided early, pinned, checked."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.persistence.fake_hub import (
    COMMIT,
    REPO,
    Answer,
    FakeHub,
    content,
    dripping,
    half,
    hanging_up,
    send,
    silent,
    status,
    wait_until,
)
from tests.persistence.tiny_folder import names, write_model
from workbench.errors import Cancelled, InvalidTypeError, WorkbenchError
from workbench.persistence import atomic, hub_http
from workbench.persistence.hub import Fetched, fetch


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from huggingface_hub import close_session, constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # What the user waits for a silent Hub; shortened, or this file would take minutes.
    assert hub_http.SILENCE_SECONDS < 5
    monkeypatch.setattr(hub_http, "SILENCE_SECONDS", 0.6)
    close_session()
    yield
    close_session()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    hub = FakeHub(write_model(tmp_path / "original", marker=1.0))
    yield hub
    hub.close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def get(hub: FakeHub, cache: Path, **more: object) -> Fetched:
    return fetch(REPO, endpoint=hub.endpoint, cache_dir=cache, **more)  # type: ignore[arg-type]


def code_of(hub: FakeHub, cache: Path, **more: object) -> str:
    with pytest.raises(WorkbenchError) as refusal:
        get(hub, cache, **more)
    assert refusal.value.where and refusal.value.fix
    return refusal.value.code


def test_fetch(hub: FakeHub, cache: Path) -> None:
    hub.files |= {"train_script.py": b"print()", "onnx/model.onnx": b"x", ".gitattributes": b""}
    steps: list[tuple[int, int]] = []
    fetched = get(hub, cache, progress=lambda done, total: steps.append((done, total)))
    wanted = {
        name for name in hub.files if name not in ("train_script.py", "onnx/model.onnx", ".gitattributes")
    }
    assert names(fetched.folder) == wanted == set(hub.downloads)
    assert all((fetched.folder / name).read_bytes() == hub.files[name] for name in wanted)
    assert fetched.commit == COMMIT and set(fetched.sha256) == {"model.safetensors"}
    assert "train_script.py" in fetched.notices[0] and "onnx/" in fetched.notices[1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1] == (sum(len(hub.files[name]) for name in wanted),) * 2
    # Weights come last, so that a config can still refuse the model.
    assert hub.downloads[-1] == "model.safetensors"
    before = len(hub.downloads)
    assert get(hub, cache) == fetched
    assert len(hub.downloads) == before


def test_the_hubs_own_library_finds_what_we_fetched(hub: FakeHub, cache: Path) -> None:
    from huggingface_hub import scan_cache_dir, snapshot_download, try_to_load_from_cache

    fetched = get(hub, cache)
    assert Path(snapshot_download(REPO, cache_dir=cache, local_files_only=True)) == fetched.folder
    found = try_to_load_from_cache(REPO, "1_Pooling/config.json", cache_dir=cache)
    assert found == str(fetched.folder / "1_Pooling/config.json")
    report = scan_cache_dir(cache)
    assert not report.warnings
    (repo,) = report.repos
    assert repo.repo_id == REPO and repo.nb_files == len(names(fetched.folder))
    assert next(iter(repo.revisions)).refs == {"main"}


def test_we_find_what_the_hubs_own_library_fetched(hub: FakeHub, cache: Path) -> None:
    from huggingface_hub import hf_hub_download

    for name in hub.files:
        hf_hub_download(REPO, name, endpoint=hub.endpoint, cache_dir=cache, token=False)
    before = len(hub.seen)
    fetched = get(hub, cache, local_files_only=True)
    assert names(fetched.folder) == set(hub.files) and fetched.commit == COMMIT
    assert len(hub.seen) == before
    get(hub, cache)
    assert [path for path, _ in hub.seen[before:] if "/resolve/" in path] == []


INFO_FAULTS: dict[str, tuple[Callable[[FakeHub], Answer], str]] = {
    "no such model": (lambda _: status(404, X_Error_Code="RepoNotFound"), "hub-not-found"),
    "private, as the Hub tells it": (lambda _: status(401), "hub-not-found"),
    "plain 404": (lambda _: status(404), "hub-not-found"),
    "no such revision": (lambda _: status(404, X_Error_Code="RevisionNotFound"), "hub-revision-not-found"),
    "gated": (lambda _: status(403, X_Error_Code="GatedRepo"), "hub-gated"),
    "gated, to one without a token": (lambda _: status(401, X_Error_Code="GatedRepo"), "hub-gated"),
    "disabled": (
        lambda _: status(403, X_Error_Message="Access to this resource is disabled."),
        "hub-disabled",
    ),
    "forbidden": (lambda _: status(403), "hub-private"),
    "bad token": (
        lambda _: status(401, X_Error_Message="Invalid credentials in Authorization header"),
        "hub-token-refused",
    ),
    "too many requests": (lambda _: status(429, Retry_After="300"), "hub-rate-limited"),
    "500": (lambda _: status(500), "hub-server-error"),
    "502": (lambda _: status(502), "hub-server-error"),
    "503": (lambda _: status(503), "hub-server-error"),
    "504": (lambda _: status(504), "hub-server-error"),
    "teapot": (lambda _: status(418), "hub-answer"),
    "hangs up": (lambda _: hanging_up, "hub-unreachable"),
    "silent": (silent, "hub-unreachable"),
    "drips": (dripping, "hub-unreachable"),
    "redirects in a circle": (lambda hub: status(302, Location=f"/api/models/{REPO}"), "hub-unreachable"),
    "no JSON": (lambda _: content(b"<html>"), "hub-answer"),
    "empty": (lambda _: content(b""), "hub-answer"),
    "list": (lambda _: content(b"[]"), "hub-answer"),
    "deep": (lambda _: content(b"[" * 100_000), "hub-answer"),
    "endless": (lambda _: content(b" " * (17 << 20)), "hub-answer"),
}


@pytest.mark.parametrize("fault", INFO_FAULTS)
def test_faults_at_the_question(fault: str, hub: FakeHub, cache: Path) -> None:
    answer, code = INFO_FAULTS[fault]
    hub.info = answer(hub)
    assert code_of(hub, cache, token="hf_bad" if fault == "bad token" else None) == code
    assert not hub.downloads and not cache.exists()


FILE_FAULTS: dict[str, tuple[Callable[[FakeHub], Answer], str]] = {
    "half a file": (half, "hub-download-broken"),
    "hangs up": (lambda _: hanging_up, "hub-unreachable"),
    "silent": (silent, "hub-download-broken"),
    "drips": (dripping, "hub-download-broken"),
    "429": (lambda _: status(429, Retry_After="300"), "hub-rate-limited"),
    "503": (lambda _: status(503), "hub-server-error"),
    "gated after all": (lambda _: status(403, X_Error_Code="GatedRepo"), "hub-gated"),
    "gone": (lambda _: status(404, X_Error_Code="EntryNotFound"), "hub-file-missing"),
    "another file of the same size": (
        lambda hub: lambda handler: send(handler, 200, bytes(len(_asked(hub, handler.path))), {}),
        "hub-file-corrupt",
    ),
    "a longer file": (
        lambda hub: lambda handler: send(handler, 200, _asked(hub, handler.path) + b"x", {}),
        "hub-file-corrupt",
    ),
    "a shorter file": (
        lambda hub: lambda handler: send(handler, 200, _asked(hub, handler.path)[:-1], {}),
        "hub-download-broken",
    ),
}


def _asked(hub: FakeHub, path: str) -> bytes:
    return hub.files[path.split(f"/resolve/{hub.commit}/", 1)[1]]


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_faults_at_the_download(fault: str, hub: FakeHub, cache: Path) -> None:
    answer, code = FILE_FAULTS[fault]
    hub.file = answer(hub)
    assert code_of(hub, cache) == code
    hub.release.set()
    # Nothing half is left, nothing passes for whole, and the next try succeeds.
    wait_until(lambda: not list(cache.rglob("*.incomplete")))
    assert not list(cache.rglob("*.incomplete"))
    hub.file = None
    assert names(get(hub, cache).folder) == set(hub.files)


def test_a_broken_download_goes_on_where_it_stopped(hub: FakeHub, cache: Path) -> None:
    weights = hub.files["model.safetensors"]
    broken: list[str] = []

    def once(handler: object) -> None:
        path = handler.path  # type: ignore[attr-defined]
        if path.endswith(".safetensors") and not broken:
            broken.append(path)
            return half(hub)(handler)  # type: ignore[arg-type]
        return handler.give(handler)  # type: ignore[attr-defined,no-any-return]

    hub.file = once
    fetched = get(hub, cache)
    assert (fetched.folder / "model.safetensors").read_bytes() == weights
    ranges = [headers.get("range") for path, headers in hub.seen if path.endswith(".safetensors")]
    assert ranges == [None, f"bytes={len(weights) // 2}-"]


@pytest.mark.parametrize("kind", ["refused", "never accepted"])
def test_unreachable(kind: str, cache: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "never accepted":
            listener.listen()
        with pytest.raises(WorkbenchError) as refusal:
            fetch(REPO, endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}", cache_dir=cache)
    assert refusal.value.code == "hub-unreachable"
    assert "all-MiniLM-L6-v2" in refusal.value.fix


def test_a_name_service_that_hangs(cache: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    # No socket timeout covers the look-up of a name.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hub.release.wait(60))
    with pytest.raises(WorkbenchError, match="hub-unreachable"):
        fetch(REPO, endpoint="http://hub.invalid", cache_dir=cache)


def test_a_bad_endpoint(cache: Path) -> None:
    for endpoint in ("nonsense", "ftp://127.0.0.1"):
        with pytest.raises(WorkbenchError, match="hub-unreachable"):
            fetch(REPO, endpoint=endpoint, cache_dir=cache)


DECIDED: dict[str, tuple[Callable[[FakeHub], object], str]] = {
    "too big": (lambda hub: hub.files.update({"model.safetensors": b"x" * 3_000_000}), "model-too-big"),
    "one file too big": (
        lambda hub: hub.files.update({"config.json": b" " * 1_100_000}),
        "model-file-too-big",
    ),
    "only a pickle": (
        lambda hub: hub.files.update({"pytorch_model.bin": hub.files.pop("model.safetensors")}),
        "weights-pickle-only",
    ),
    "no weights": (lambda hub: hub.files.pop("model.safetensors"), "weights-missing"),
    "adapter": (
        lambda hub: (hub.files.pop("model.safetensors"), hub.files.update({"adapter_config.json": b"{}"})),
        "model-is-adapter",
    ),
    "tagged custom_code": (lambda hub: hub.facts.update(tags=["custom_code"]), "model-custom-code"),
    "auto_map in the answer": (
        lambda hub: hub.facts.update(config={"auto_map": {"AutoModel": "modeling_x.X"}}),
        "model-custom-code",
    ),
    "gated": (lambda hub: hub.facts.update(gated="manual"), "hub-gated"),
    "disabled": (lambda hub: hub.facts.update(disabled=True), "hub-disabled"),
    "no commit": (lambda hub: hub.facts.update(sha="../../x"), "hub-answer"),
    "no files": (lambda hub: hub.facts.update(siblings=None), "hub-answer"),
    "file without a name": (lambda hub: hub.facts.update(siblings=[{}]), "hub-answer"),
    "file without a size": (
        lambda hub: hub.facts.update(siblings=[{"rfilename": "model.safetensors", "blobId": "a" * 40}]),
        "hub-answer",
    ),
    "hash that is a path": (
        lambda hub: hub.facts.update(
            siblings=[{"rfilename": "model.safetensors", "size": 1, "lfs": {"sha256": "../../../x"}}]
        ),
        "hub-answer",
    ),
}


@pytest.mark.parametrize("case", DECIDED)
def test_decided_before_the_download(case: str, hub: FakeHub, cache: Path) -> None:
    change, code = DECIDED[case]
    change(hub)
    assert code_of(hub, cache, limit_bytes=2_000_000) == code
    assert not hub.downloads


def test_code_in_the_config_is_found_before_the_weights(hub: FakeHub, cache: Path) -> None:
    config = {"model_type": "bert", "auto_map": {"AutoModel": "modeling_x.X"}}
    hub.files |= {"config.json": json.dumps(config).encode(), "modeling_x.py": b"raise SystemExit"}
    assert code_of(hub, cache) == "model-custom-code"
    assert "model.safetensors" not in hub.downloads and "modeling_x.py" not in hub.downloads


def test_names_that_lead_out_are_never_asked_for(hub: FakeHub, cache: Path) -> None:
    hub.files |= {"../config.json": b"{}", "/config.json": b"{}", "1_Pooling/../../modules.json": b"{}"}
    fetched = get(hub, cache)
    assert all(".." not in name and not name.startswith("/") for name in hub.downloads)
    assert (cache / "models--owner--model") in fetched.folder.parents


def test_no_token_of_the_environment_is_sent(
    hub: FakeHub, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants, get_token

    stored = tmp_path / "token"
    stored.write_text("hf_stored")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(stored))
    monkeypatch.setenv("HF_TOKEN", "hf_environment")
    assert get_token() == "hf_environment"
    get(hub, cache)
    assert hub.seen and not any("authorization" in headers for _, headers in hub.seen)


def test_a_token_that_is_passed_is_sent_and_stays_with_the_hub(
    hub: FakeHub, cache: Path, tmp_path: Path
) -> None:
    other = FakeHub(tmp_path / "original")
    hub.facts["gated"] = "auto"
    elsewhere = other.endpoint.replace("127.0.0.1", "localhost")
    hub.file = lambda handler: send(handler, 302, b"", {"Location": elsewhere + handler.path})
    get(hub, cache, token="hf_mine")
    other.close()
    assert all(headers["authorization"] == "Bearer hf_mine" for _, headers in hub.seen)
    assert other.downloads and not any("authorization" in headers for _, headers in other.seen)


@pytest.mark.parametrize("token", [True, False, "", "a\nb", 5, "é"])
def test_tokens_that_are_none(token: object, hub: FakeHub, cache: Path) -> None:
    with pytest.raises(InvalidTypeError) as refusal:
        get(hub, cache, token=token)
    assert refusal.value.code == "hub-token" and not hub.seen


@pytest.mark.parametrize("fault", ["silent", "429", "503", "offline"])
def test_the_cache_serves_when_the_hub_does_not(
    fault: str, hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get(hub, cache)
    if fault == "offline":
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    else:
        hub.info = {"silent": silent(hub), "429": status(429), "503": status(503)}[fault]
    again = get(hub, cache)
    assert (again.folder, again.commit) == (first.folder, COMMIT)
    assert COMMIT[:12] in again.notices[0]
    by_commit = get(hub, cache, revision=COMMIT)
    assert by_commit.folder == first.folder
    assert code_of(hub, cache, revision="v2").startswith("hub-")


@pytest.mark.parametrize("fault", ["gated", "gone"])
def test_the_cache_does_not_serve_what_the_hub_withdrew(fault: str, hub: FakeHub, cache: Path) -> None:
    get(hub, cache)
    if fault == "gated":
        hub.facts["gated"] = "manual"
    else:
        hub.info = status(404, X_Error_Code="RepoNotFound")
    assert code_of(hub, cache) in ("hub-gated", "hub-not-found")
    assert get(hub, cache, local_files_only=True).commit == COMMIT


def test_without_asking(hub: FakeHub, cache: Path) -> None:
    assert code_of(hub, cache, local_files_only=True) == "hub-not-cached"
    get(hub, cache)
    before = len(hub.seen)
    assert get(hub, cache, local_files_only=True).commit == COMMIT
    assert code_of(hub, cache, local_files_only=True, limit_bytes=10) == "model-too-big"
    assert len(hub.seen) == before


def test_a_part_in_the_cache_is_not_taken_for_the_model(hub: FakeHub, cache: Path) -> None:
    from huggingface_hub import hf_hub_download

    # What Transformers fetches of a sentence-transformers model: it would be pooled otherwise than trained.
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        hf_hub_download(REPO, name, endpoint=hub.endpoint, cache_dir=cache, token=False)
    assert code_of(hub, cache, local_files_only=True) == "hub-not-cached"
    assert names(get(hub, cache).folder) == set(hub.files)


def test_a_model_without_modules_is_whole_in_the_cache(hub: FakeHub, cache: Path) -> None:
    del hub.files["modules.json"]
    get(hub, cache)
    assert get(hub, cache, local_files_only=True).commit == COMMIT


def test_a_moved_branch_and_a_pinned_commit(hub: FakeHub, cache: Path) -> None:
    first = get(hub, cache)
    hub.commit = "d" * 40
    hub.files["config.json"] = b'{"model_type": "bert", "new": true}'
    moved = get(hub, cache)
    assert moved.commit == hub.commit
    assert (moved.folder / "config.json").read_bytes() != (first.folder / "config.json").read_bytes()
    # What did not change was not fetched again, and both commits are whole.
    assert hub.downloads.count("model.safetensors") == 1 and hub.downloads.count("config.json") == 2
    assert get(hub, cache, revision=COMMIT, local_files_only=True).folder == first.folder
    assert get(hub, cache, revision="main", local_files_only=True).folder == moved.folder


def test_a_full_disk_is_told_before_the_download(
    hub: FakeHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = type("usage", (), {"free": 1000})
    monkeypatch.setattr(atomic.shutil, "disk_usage", lambda _: free)
    with pytest.raises(WorkbenchError, match="disk-full"):
        get(hub, cache)
    assert not hub.downloads


def test_cancelling_from_the_progress(hub: FakeHub, cache: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        get(hub, cache, progress=stop)
    assert not list(cache.rglob("*.incomplete"))
