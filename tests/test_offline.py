"""The guard that keeps the test run on this machine: it must itself be able to fail."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REACH = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
LOOK_UP = "import socket; socket.getaddrinfo('example.org', 80)"


@pytest.mark.parametrize("attempt", [REACH, LOOK_UP])
def test_a_child_process_cannot_leave_and_is_told_on(attempt: str, tmp_path: Path) -> None:
    log = tmp_path / "attempts"
    environment = {**os.environ, "TESTS_OFFLINE_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", attempt], env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "nothing may leave this machine" in done.stderr
    assert "tried to" in log.read_text()


def test_a_forgiven_attempt_fails_the_run(tmp_path: Path) -> None:
    test = tmp_path / "test_forgiving.py"
    environment = {name: value for name, value in os.environ.items() if name != "TESTS_OFFLINE_LOG"}
    for attempt, code in ((LOOK_UP, 1), ("pass", 0)):
        test.write_text(f"def test_it():\n    try:\n        {attempt}\n    except Exception:\n        pass\n")
        command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "pyproject.toml", str(test)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        assert "1 passed" in done.stdout
        assert ("look up 'example.org'" in done.stdout) == bool(code)


def test_this_process_cannot_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTS_OFFLINE_LOG", str(tmp_path / "attempts"))
    for family, host in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family) as sock, pytest.raises(RuntimeError, match="nothing may leave"):
            sock.connect((host, 80))
        with socket.socket(family) as sock, pytest.raises(RuntimeError, match="nothing may leave"):
            sock.connect_ex((host, 80))
    assert len((tmp_path / "attempts").read_text().splitlines()) == 4


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), timeout=5).close()
