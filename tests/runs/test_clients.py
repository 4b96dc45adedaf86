"""Other processes ask the supervisor: many at once lose nothing, and what they send cannot harm it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.harness import ANN, BEN, QUICK, counted, open_supervisor
from workbench.errors import InvalidValueError, UnknownNameError, WorkbenchError
from workbench.runs.channel import CALLS, LINE_BYTES, Channel, answer, socket_path
from workbench.runs.client import Client
from workbench.runs.connect import open_runs
from workbench.runs.owner import OPERATOR
from workbench.runs.supervisor import Supervisor

CLIENT = """
import sys
from pathlib import Path
from tests.runs.harness import ANN
from workbench.runs.client import Client
with Client(Path(sys.argv[1])) as runs:
    for number in range(int(sys.argv[3])):
        print(runs.submit(ANN, "count", {"steps": 1}, name=f"{sys.argv[2]}-{number}").id)
"""


def test_eight_clients_lose_nothing(home: Path) -> None:
    hand_in(8, 100, home)


@pytest.mark.full
def test_eight_clients_lose_nothing_on_disk(tmp_path: Path) -> None:
    hand_in(8, 1000, tmp_path)


def hand_in(count: int, rows: int, home: Path) -> None:
    """Let so many processes hand in so many runs each, all at once."""
    limits = replace(QUICK, queued_per_owner=10**6, queued=10**6)
    with open_supervisor(home, limits, starts=False) as runs:
        channel = Channel(runs, home)
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", CLIENT, str(home), str(number), str(rows)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]
        told = [client.communicate() for client in clients]
        channel.close()
        assert [error for _, error in told] == [""] * count
        ids = [line for out, _ in told for line in out.split()]
        assert len(set(ids)) == len(ids) == count * rows
        found = runs.list(OPERATOR, limit=10**6)
        assert {run.id for run in found} == set(ids)
        assert {run.name for run in found} == {
            f"{client}-{n}" for client in range(count) for n in range(rows)
        }
        assert sorted(run.place for run in found) == list(range(1, count * rows + 1))


@pytest.fixture
def served(tmp_path: Path) -> Supervisor:
    with open_supervisor(tmp_path) as runs:
        channel = Channel(runs, tmp_path)
        yield runs
        channel.close()


def test_a_client_has_every_call(served: Supervisor, tmp_path: Path) -> None:
    with open_runs(tmp_path) as runs:
        assert isinstance(runs, Client)
        (tmp_path / "up").write_text("x")
        run = runs.submit(ANN, "count", {"steps": 3}, name="ä", inputs={"a.csv": tmp_path / "up"})
        assert runs.wait(ANN, run.id, 30) == served.show(ANN, run.id)
        assert runs.show(OPERATOR, run.id).state == "complete"
        assert runs.result(ANN, run.id) == counted(3)
        assert runs.metrics_since(ANN, run.id) == served.metrics_since(ANN, run.id)
        assert runs.list(ANN) == served.list(ANN) and runs.list(BEN) == []
        assert runs.annotate(ANN, run.id, note="n").note == "n"
        assert runs.log_tail(ANN, run.id) == "" and runs.notices == ()
        assert runs.cancel(ANN, run.id).state == "complete"
        again = runs.rerun(ANN, run.id)
        runs.wait(ANN, again.id, 30)
        runs.delete(ANN, again.id)
        with pytest.raises(UnknownNameError) as gone:
            runs.show(ANN, again.id)
        with pytest.raises(UnknownNameError) as same:
            served.show(ANN, again.id)
        assert str(gone.value) == str(same.value)
        with pytest.raises(InvalidValueError, match="run-complete"):
            runs.resume(ANN, run.id)
        with pytest.raises(UnknownNameError, match="run-unknown"):
            runs.show(BEN, run.id)
    assert {name for name in CALLS if not hasattr(Client, name)} == set()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null\n",
        b"[]\n",
        b'{"call": "close", "values": {}}\n',
        b'{"call": "__init__", "values": {}}\n',
        b'{"call": ["show"], "values": {}}\n',
        b'{"call": "show", "values": {}}\n',
        b'{"call": "show", "values": {"access": 5, "run_id": 5}}\n',
        b'{"call": "show", "values": {"access": {"a": 1}, "run_id": [1]}}\n',
        b'{"call": "list", "values": {"access": null, "limit": "x; DROP"}}\n',
        b'{"call": "list", "values": {"access": null, "limit": [1]}}\n',
        b'{"call": "submit", "values": {"owner": null, "kind": "count", "config": 5}}\n',
        b'{"call": "submit", "values": {"owner": "x", "kind": {}, "config": {}, "inputs": [1]}}\n',
        b'{"call": "annotate", "values": {"access": null, "run_id": "x", "note": 1}}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b'"' + b"x" * LINE_BYTES + b'"\n',
    ],
    ids=lambda line: f"{line[:45]!r}",
)
def test_whatever_comes_is_answered(line: bytes, tmp_path: Path) -> None:
    with open_supervisor(tmp_path, background=False, starts=False) as runs:
        found = answer(runs, line)
        assert set(found) == {"error"}
        assert found["error"]["code"]
        json.dumps(found)
        assert runs.list(OPERATOR) == []


def test_the_socket_is_private_and_outlived(served: Supervisor, tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(path))
        raw.sendall(b"GET / HTTP/1.1\r\n")
        assert json.loads(raw.makefile().readline())["error"]["code"] == "channel-request"
    with Client(tmp_path) as runs:
        assert runs.list(ANN) == []


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as refusal:
        Client(tmp_path)
    assert refusal.value.code == "supervisor-away"
    (tmp_path / "channel.json").write_text('{"socket": "/nowhere/socket"}')
    with pytest.raises(WorkbenchError) as refusal:
        Client(tmp_path)
    assert refusal.value.code == "supervisor-away"
    with open_runs(tmp_path, starts=False) as runs:
        assert isinstance(runs, Supervisor)


def test_what_a_killed_supervisor_left_is_removed(tmp_path: Path) -> None:
    killed = f"""
import os
from pathlib import Path
from tests.runs.harness import open_supervisor
from workbench.runs.channel import Channel
runs = open_supervisor(Path({str(tmp_path)!r}))
Channel(runs, runs.folder)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", killed], check=False)
    left = socket_path(tmp_path)
    assert left is not None and left.exists()
    with open_runs(tmp_path) as runs:
        assert isinstance(runs, Supervisor)
        assert not left.parent.exists() and socket_path(tmp_path) != left
    assert socket_path(tmp_path) is None
