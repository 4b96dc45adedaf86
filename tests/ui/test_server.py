"""The guards and launch settings over HTTP, against a tiny app served the way the real one is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.guards import Hosts, own_hosts
from workbench.ui.server import LAUNCH, MAX_JSON_BYTES, MAX_UPLOAD_BYTES, QUEUE, launch_settings

API = "/gradio_api"
ROOT = Path(__file__).resolve().parents[2]
FILE_LIMIT = 20 * 1024 * 1024


def echo(text: str) -> str:
    return text


def name_of(file: str | None) -> str:
    return Path(file).read_text(encoding="utf-8") if file else "nothing"


def fail(_: str) -> str:
    raise KeyError("of the callback's own")


def tiny_app() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as blocks:
        text, shown, file = gr.Textbox(), gr.Textbox(), gr.File()
        button = gr.Button()
        button.click(echo, text, shown, api_name="echo")
        button.click(name_of, file, shown, api_name="name_of")
        button.click(fail, text, shown, api_name="fail")
    return blocks.queue(**QUEUE)


@pytest.fixture(scope="module")
def temp_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("uploads")
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    yield folder
    if before is None:
        del os.environ["GRADIO_TEMP_DIR"]
    else:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.fixture(scope="module")
def server(temp_folder: Path) -> Iterator[str]:
    blocks = tiny_app()
    _, url, _ = blocks.launch(
        **launch_settings(), server_port=_free_port(), prevent_thread_lock=True, quiet=True
    )
    yield url.rstrip("/")
    blocks.close()


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, timeout=20) as opened:
        yield opened


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(client: httpx.Client, name: str, *data: object) -> tuple[str, object]:
    """Event name and data of a finished call: asking only queues it."""
    asked = client.post(f"{API}/call/{name}", json={"data": list(data)})
    assert asked.status_code == 200, asked.text
    with client.stream("GET", f"{API}/call/{name}/{asked.json()['event_id']}") as answer:
        lines = [line for line in answer.iter_lines() if line]
    events = dict(zip(lines[::2], lines[1::2], strict=True))
    event, value = list(events.items())[-1]
    return event.removeprefix("event: "), json.loads(value.removeprefix("data: "))


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    answer = client.post(f"{API}/upload", files={"files": (name, content)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()]


def test_the_app_answers_its_own_page(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert client.get("/").status_code == 200
    assert client.get("/", headers={"Origin": own}).status_code == 200
    assert call(client, "echo", "가나다") == ("complete", ["가나다"])


# -- Uploads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1000, FILE_LIMIT])
def test_an_upload_up_to_the_limit_is_kept(client: httpx.Client, size: int) -> None:
    path = upload(client, "a.csv", b"x" * size)
    deadline = time.monotonic() + 10
    while not (Path(path).exists() and Path(path).stat().st_size == size):
        assert time.monotonic() < deadline, "the file never arrived"
        time.sleep(0.05)


def chunks(size: int) -> Iterator[bytes]:
    yield b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
    for _ in range(size // 100_000):
        yield b"x" * 100_000
    yield b"\r\n--edge--\r\n"


def test_an_upload_beyond_the_limit_is_refused_and_leaves_nothing(
    client: httpx.Client, temp_folder: Path
) -> None:
    one_too_many = client.post(f"{API}/upload", files={"files": ("a.csv", b"x" * (FILE_LIMIT + 1))})
    announced = client.post(f"{API}/upload", files={"files": ("a.csv", b"x" * (MAX_UPLOAD_BYTES + 1))})
    many = client.post(f"{API}/upload", files=[("files", (f"{i}.csv", b"x" * 7_000_000)) for i in range(4)])
    multipart = {"content-type": "multipart/form-data; boundary=edge"}
    unannounced = client.post(f"{API}/upload", content=chunks(30_000_000), headers=multipart)
    for answer in (one_too_many, announced, many, unannounced):
        assert answer.status_code == 413
        assert "maximum allowed size" in answer.text
    assert temporary_files(temp_folder) == []


def test_an_upload_that_breaks_off_leaves_nothing(server: str, temp_folder: Path) -> None:
    port = int(server.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(
            f"POST {API}/upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 5000000\r\n"
            "Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
            '--edge\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'.encode()
            + b"x" * 1_000_000
        )
        deadline = time.monotonic() + 10
        while not temporary_files(temp_folder):
            assert time.monotonic() < deadline, "the upload never began"
            time.sleep(0.02)
    while temporary_files(temp_folder):
        assert time.monotonic() < deadline, "the temporary file was left behind"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.html", b"<script>alert(1)</script>"), ("a.svg", b"<svg onload='alert(1)' xmlns='x'/>")],
)
def test_an_uploaded_page_comes_back_as_a_download(client: httpx.Client, name: str, content: bytes) -> None:
    path = upload(client, name, content)
    answer = client.get(f"{API}/file={path}")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "html" not in answer.headers["content-type"] and "svg" not in answer.headers["content-type"]
    assert answer.headers["x-content-type-options"] == "nosniff"


# -- Files that are not ours to give ----------------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("the secret")
    return path


@pytest.mark.parametrize(
    "form",
    [
        {"path": "{path}"},
        {"path": "{path}", "meta": {"_type": "gradio.FileData"}},
        {"path": "file://{path}", "meta": {"_type": "gradio.FileData"}},
        {"path": "x", "url": "file://{path}", "meta": {"_type": "gradio.FileData"}},
        "{path}",
    ],
)
def test_a_path_in_place_of_an_upload_is_refused(client: httpx.Client, secret: Path, form: object) -> None:
    asked = json.loads(json.dumps(form).replace("{path}", str(secret)))
    event, value = call(client, "name_of", asked)
    assert event == "error"
    assert "secret" not in json.dumps(value)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/x",
        "http://169.254.169.254/latest",
        "http://93.184.216.34/x",
        "https://huggingface.co/x",
    ],
)
@pytest.mark.parametrize("wrap", [lambda file: file, lambda file: {"a": [1, {"b": [file]}]}])
def test_an_address_in_place_of_an_upload_is_never_asked_for(
    client: httpx.Client, address: str, wrap: Callable[[object], object]
) -> None:
    data = [wrap({"path": address, "meta": {"_type": "gradio.FileData"}})]
    calls = {
        "/call/name_of": {"data": data},
        "/call/v2/name_of": {"file": data[0]},
        "/run/name_of": {"data": data},
        "/queue/join": {"data": data, "fn_index": 1, "session_hash": "a"},
    }
    for route, body in calls.items():
        for content in (json.dumps(body), json.dumps(body).replace("http", "\\u0068ttp")):
            answer = client.post(API + route, content=content, headers={"content-type": "application/json"})
            assert (answer.status_code, "address-refused" in answer.text) == (422, True)


def test_an_address_in_a_text_is_only_text(client: httpx.Client) -> None:
    assert call(client, "echo", "https://example.org/") == ("complete", ["https://example.org/"])


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"null", b'{"data": 1}'])
def test_a_body_that_is_no_call_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post(f"{API}/call/echo", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)


def test_an_upload_in_its_place_is_read(client: httpx.Client) -> None:
    path = upload(client, "a.txt", b"an upload")
    form = {"path": path, "meta": {"_type": "gradio.FileData"}}
    assert call(client, "name_of", form) == ("complete", ["an upload"])


@pytest.mark.parametrize(
    "form",
    [
        "{path}",
        "/{path}",
        "{folder}/../{path}",
        "{folder}/..%2f..%2f..%2f..%2f..%2f..{path}",
        "{folder}/....//....//....//{path}",
        "{folder}/%2e%2e/%2e%2e/%2e%2e/{path}",
        "{folder}/..\\..\\..\\{path}",
        "file://{path}",
        "FILE://{path}",
        "{path}%00.txt",
        "http://169.254.169.254/latest",
        "https://example.org/",
    ],
)
def test_a_file_outside_the_uploads_is_not_served(
    client: httpx.Client, temp_folder: Path, secret: Path, form: str
) -> None:
    answer = client.get(f"{API}/file=" + form.format(path=secret, folder=temp_folder))
    assert answer.status_code in (403, 404)
    assert "the secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/deep_link?session_hash=x"),
        ("POST", "/process_recording"),
        ("GET", "/proxy=https://example.org/"),
        ("GET", "/file=https://example.org/"),
        ("POST", "/vibe-edit"),
        ("GET", "/vibe-code"),
        ("GET", "/mcp/schema"),
        ("POST", "/mcp/"),
        ("GET", "/run-history/records"),
    ],
)
def test_what_the_app_does_not_use_is_closed(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, API + path, json={} if method == "POST" else None).status_code == 404


def test_monitoring_is_off(client: httpx.Client) -> None:
    assert client.get("/monitoring/summary").status_code == 403


# -- Callbacks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fn_index", [99, -1, 10**30])
@pytest.mark.parametrize("route", ["/queue/join", "/run/predict", "/api/predict"])
def test_an_unknown_callback_number_is_404(client: httpx.Client, route: str, fn_index: int) -> None:
    body = {"data": ["x"], "fn_index": fn_index, "session_hash": "a"}
    assert client.post(API + route, json=body).status_code == 404


@pytest.mark.parametrize("route", ["/call/nope", "/call/v2/nope", "/run/nope", "/api/nope"])
def test_an_unknown_callback_name_is_404(client: httpx.Client, route: str) -> None:
    answer = client.post(API + route, json={"data": ["x"]})
    assert answer.status_code == 404
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_unknown_component_is_404(client: httpx.Client) -> None:
    body = {"data": "x", "component_id": 999, "fn_name": "x", "session_hash": "a"}
    assert client.post(f"{API}/component_server", json=body).status_code == 404


@pytest.mark.parametrize("value", ["x", 1.5, [1], {}])
def test_a_callback_number_that_is_none_is_422(client: httpx.Client, value: object) -> None:
    body = {"data": ["x"], "fn_index": value, "session_hash": "a"}
    assert client.post(f"{API}/queue/join", json=body).status_code == 422


def test_an_error_inside_a_callback_is_no_404_and_tells_nothing(client: httpx.Client) -> None:
    assert call(client, "fail", "x")[0] == "error"
    answer = client.post(f"{API}/run/fail", json={"data": ["x"]})
    assert answer.status_code == 500
    assert "callback's own" not in answer.text and "Traceback" not in answer.text


# -- Size -------------------------------------------------------------------------------------------


def test_a_json_body_beyond_the_limit_is_413_announced_or_not(client: httpx.Client) -> None:
    body = json.dumps({"data": ["x" * MAX_JSON_BYTES]}).encode()
    whole = {"content-type": "application/json"}
    announced = client.post(f"{API}/call/echo", content=body, headers=whole)
    parts = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
    unannounced = client.post(f"{API}/call/echo", content=parts, headers=whole)
    assert (announced.status_code, unannounced.status_code) == (413, 413)
    assert "body-too-large" in announced.text and "body-too-large" in unannounced.text


def test_a_json_body_within_the_limit_passes(client: httpx.Client) -> None:
    text = "x" * (MAX_JSON_BYTES - 100)
    assert call(client, "echo", text) == ("complete", [text])


# -- Whose request it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "http://[", "x"]
)
def test_a_page_of_another_site_may_not_send(client: httpx.Client, temp_folder: Path, origin: str) -> None:
    before = sorted(temp_folder.rglob("*"))
    for answer in (
        client.post(f"{API}/upload", files={"files": ("evil.csv", b"x")}, headers={"Origin": origin}),
        client.post(f"{API}/call/echo", json={"data": ["x"]}, headers={"Origin": origin}),
        client.get("/config", headers={"Origin": origin}),
    ):
        assert answer.status_code == 403
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert sorted(temp_folder.rglob("*")) == before


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "192.168.0.7", "[", ""]
)
def test_a_foreign_host_name_is_refused(client: httpx.Client, host: str) -> None:
    for path in ("/", "/config", f"{API}/info"):
        assert client.get(path, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:1234", "LOCALHOST", "localhost.", "127.0.0.1:9", "[::1]:7860"])
def test_every_name_of_this_machine_is_its_own(client: httpx.Client, host: str) -> None:
    assert client.get("/config", headers={"Host": host}).status_code == 200


def test_a_server_for_the_network_answers_to_addresses_and_named_hosts_only() -> None:
    hosts = own_hosts("0.0.0.0", ["Lab.Example"])
    for host in (
        "192.168.0.7:7860",
        "[fe80::1]:80",
        "lab.example",
        f"{socket.gethostname()}:7860",
        "localhost",
    ):
        assert hosts.knows(host)
    assert not hosts.knows("evil.example")
    assert hosts.admits("https://lab.example", "localhost:7860")
    assert not hosts.admits("https://evil.example", "localhost:7860")


def test_a_space_is_used_by_its_own_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/workbench")
    monkeypatch.setenv("SPACE_HOST", "someone-workbench.hf.space, bench.example")
    hosts = own_hosts("0.0.0.0")
    assert hosts.knows("an-internal-name-of-the-proxy")
    assert hosts.admits("https://someone-workbench.hf.space", "an-internal-name")
    assert hosts.admits("https://bench.example", "an-internal-name")
    for origin in ("https://evil.example", "https://evil.hf.space", "null", ""):
        assert not hosts.admits(origin, "an-internal-name")


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_upsets_the_check(origin: str, host: str) -> None:
    hosts = Hosts(frozenset({"localhost"}))
    assert hosts.knows(host) in (True, False)
    assert hosts.admits(origin, host) in (True, False)


# -- Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/config", "/theme.css", f"{API}/info", "/nowhere", f"{API}/file=/etc/passwd"]
)
def test_every_answer_carries_the_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith("frame-ancestors 'self' https://huggingface.co")


def test_a_stream_is_not_held_back_by_the_guards(client: httpx.Client) -> None:
    with client.stream("GET", f"{API}/heartbeat/abc") as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines()) is not None


def test_the_launch_settings_close_what_gradio_leaves_open() -> None:
    settings = launch_settings()
    assert settings["share"] is False and settings["mcp_server"] is False
    assert settings["run_history"] is False and settings["enable_monitoring"] is False
    assert settings["allowed_paths"] == [] and settings["strict_cors"] is True
    assert settings["server_name"] == "127.0.0.1"
    assert LAUNCH.items() <= settings.items()


@pytest.mark.parametrize("start", [["app.py"], ["-m", "workbench", "app"]])
def test_the_command_serves_the_real_app_behind_the_guards(start: list[str]) -> None:
    port = _free_port()
    child = subprocess.Popen(
        [sys.executable, *start, "--port", str(port), "--allow-host", "lab.example"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert child.stdout is not None
        # Whatever the libraries print, the address comes last; a child that dies ends the loop.
        line = next(line for line in child.stdout if line.startswith("Workbench on "))
        assert f"http://127.0.0.1:{port}" in line
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            config = client.get("/config").json()
            assert config["title"] == "Workbench"
            assert config["analytics_enabled"] is False
            assert ".hm-grid" in config["css"], "the style sheet was not handed over"
            assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
            assert client.get("/config", headers={"Host": "lab.example"}).status_code == 200
    finally:
        child.terminate()
        child.wait(timeout=30)
