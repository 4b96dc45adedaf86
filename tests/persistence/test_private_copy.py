"""The private store: gone with its process, and after a kill swept by the next one."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.persistence.tiny_folder import entries, write_model
from workbench.persistence import scratch

ADMITS = """
import os, signal, sys
from workbench.persistence.checked_folder import admit
print(admit(sys.argv[1]).path, flush=True)
if sys.argv[2] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "wait":
    sys.stdin.read()
if sys.argv[2] == "fork":
    child = os.fork()
    if child == 0:
        print(admit(sys.argv[1] + "-2").path, flush=True)
        sys.exit()
    os.waitpid(child, 0)
    print("child ended", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", marker=1.0)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def start(folder: Path, way: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ADMITS, str(folder), way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_removed_at_the_end(folder: Path, temporary: Path) -> None:
    told, _ = start(folder, "end").communicate()
    assert told.startswith(str(temporary)) and entries(temporary) == []


def test_swept_after_a_kill_and_not_while_its_owner_lives(folder: Path, temporary: Path) -> None:
    killed = start(folder, "kill")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert len(entries(temporary)) == 2
    living = start(folder, "wait")
    assert living.stdout is not None
    path = Path(living.stdout.readline().strip())
    left = entries(temporary)
    assert len(left) == 2 and path.parent.name in left
    start(folder, "end").communicate()
    assert entries(temporary) == left and (path / "model.safetensors").is_file()
    living.communicate()
    assert entries(temporary) == []


def test_a_fork_has_a_store_of_its_own(folder: Path, temporary: Path) -> None:
    write_model(folder.with_name(folder.name + "-2"), marker=2.0)
    living = start(folder, "fork")
    assert living.stdout is not None
    parent, child = (Path(living.stdout.readline().strip()).parent for _ in range(2))
    assert parent != child
    assert living.stdout.readline() == "child ended\n"
    # The child's end, and then a sweep, must not take the parent's store or its lock.
    start(folder, "end").communicate()
    assert parent.is_dir() and not child.exists()
    living.communicate()
    assert entries(temporary) == []


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine-without-lock").mkdir()
    (tmp_path / "mine-linked.lock").symlink_to(tmp_path / "target")
    (tmp_path / "other-1").mkdir()
    (tmp_path / "other-1.lock").touch()
    claimed = scratch.claim(tmp_path, "mine-")
    assert claimed.folder.stat().st_mode & 0o777 == 0o700
    second = scratch.claim(tmp_path, "mine-")
    assert claimed.folder.is_dir() and not (tmp_path / "target").exists()
    scratch.release(claimed)
    scratch.release(second)
    assert entries(tmp_path) == ["mine-linked.lock", "mine-without-lock", "other-1", "other-1.lock"]


def test_a_prefix_is_taken_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "ab-1").mkdir()
    (tmp_path / "ab-1.lock").touch()
    scratch.sweep(tmp_path, "[a]*-")
    assert (tmp_path / "ab-1").is_dir()
    scratch.sweep(tmp_path, "ab-")
    assert entries(tmp_path) == []
