"""Saving a model folder: complete or not at all, under kills, full disks and errors."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.persistence.tiny_folder import entries, names, save_model, write_model
from workbench.errors import FolderWriteError, InvalidValueError, WorkbenchError
from workbench.persistence import atomic
from workbench.persistence.atomic import atomic_folder, check_free_space, write_json
from workbench.persistence.json_reader import read_json


def marker_of(target: Path) -> float:
    """The marker of a whole and unmixed model; anything else fails."""
    config = read_json(target / "config.json")["marker"]
    weights = load_file(target / "model.safetensors")
    assert {"modules.json", "tokenizer.json", "1_Pooling/config.json"} <= names(target)
    assert all((weight == config).all() for weight in weights.values())
    return float(config)


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to put a folder in place."""
    if request.param == "two renames":
        monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_new_and_again(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model"
    save_model(target, 1.0)
    assert marker_of(target) == 1.0
    # A stale file of the old model must not survive into the new one.
    (target / "2_Dense").mkdir()
    (target / "2_Dense" / "config.json").write_text("{}")
    (target / "pytorch_model.bin").write_bytes(b"old")
    save_model(target, 2.0)
    assert marker_of(target) == 2.0
    assert not (target / "2_Dense").exists() and not (target / "pytorch_model.bin").exists()
    assert entries(tmp_path / "deep") == ["model"]
    assert target.stat().st_mode & 0o777 == (tmp_path / "deep").stat().st_mode & 0o777


@pytest.mark.usefixtures("way")
def test_what_is_no_model_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "model"
    save_model(target, 1.0)
    (target / "eval").mkdir()
    (target / "eval" / "results.csv").write_text("epoch\n")
    (target / "notes.txt").write_text("mine")
    (target / "link").symlink_to("notes.txt")
    with (target / "eval" / "results.csv").open("a") as still_open:
        save_model(target, 2.0)
        still_open.write("1\n")
    assert marker_of(target) == 2.0
    assert (target / "eval" / "results.csv").read_text() == "epoch\n1\n"
    assert (target / "notes.txt").read_text() == "mine"
    assert (target / "link").readlink() == Path("notes.txt")


@pytest.mark.usefixtures("way")
def test_an_error_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "model"
    save_model(target, 1.0)
    for error in (RuntimeError("stop"), KeyboardInterrupt(), InvalidValueError("x", "y")):
        with pytest.raises(type(error)), atomic_folder(target) as folder:
            write_model(folder / "half", marker=2.0)
            raise error
    assert marker_of(target) == 1.0
    assert entries(tmp_path) == ["model"]


def test_targets_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("x")
    cases: list[tuple[Path, str]] = [
        (tmp_path / "file", "folder-is-a-file"),
        (tmp_path / "home", "folder-not-a-model"),
        (tmp_path / "file" / "below", "not-writable"),
        (tmp_path / ("x" * 300), "folder-name"),
        (tmp_path / "a\0b", "folder-name"),
        (Path("/"), "folder-name"),
    ]
    for target, code in cases:
        with pytest.raises(WorkbenchError) as refusal:
            save_model(target, 1.0)
        assert refusal.value.code == code
    assert (tmp_path / "home" / "thesis.tex").read_text() == "x"


@pytest.mark.parametrize(
    "name", ["모델 ✨", "CON", "a" * 255, "-rf", "model.lock", "*[a]?", " ", "a\nb", "'; rm -rf ~"]
)
def test_odd_names_are_only_names(name: str, tmp_path: Path) -> None:
    for marker in (1.0, 2.0):
        save_model(tmp_path / name, marker)
        assert marker_of(tmp_path / name) == marker
        assert entries(tmp_path) == [name]


def test_results_may_stand_there_first(tmp_path: Path) -> None:
    target = tmp_path / "model"
    (target / "eval").mkdir(parents=True)
    (target / "eval" / "results.csv").write_text("x")
    save_model(target, 1.0)
    assert marker_of(target) == 1.0
    assert (target / "eval" / "results.csv").read_text() == "x"


def test_through_a_link(tmp_path: Path) -> None:
    save_model(tmp_path / "real", 1.0)
    (tmp_path / "link").symlink_to("real")
    save_model(tmp_path / "link", 2.0)
    assert (tmp_path / "link").is_symlink()
    assert marker_of(tmp_path / "real") == 2.0


SAVER = """
import sys
from itertools import count
from pathlib import Path
from tests.persistence.tiny_folder import save_model as save
from workbench.persistence import atomic
if sys.argv[2] == "two renames":
    atomic._exchange = lambda one, other: False
for number in count(1):
    save(Path(sys.argv[1]), float(number))
    print(number, flush=True)
"""


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_kill_in_the_middle(way: str, tmp_path: Path) -> None:
    target = tmp_path / "model"
    for attempt in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(target), way], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        time.sleep(0.003 * attempt)
        child.send_signal(signal.SIGKILL)
        told = [1, *(int(line) for line in child.stdout.read().split())]
        child.wait()
        if way == "two renames" and not target.exists():
            # The instant between the two renames: the next save puts the old one back first.
            with pytest.raises(RuntimeError), atomic_folder(target):
                raise RuntimeError
        # The last save that was acknowledged, or the one under way.
        assert marker_of(target) in (told[-1], told[-1] + 1)
    save_model(target, 0.0)
    assert marker_of(target) == 0.0
    assert entries(tmp_path) == ["model"]


DIES = """
import os, signal, sys
from pathlib import Path
from tests.persistence.tiny_folder import save_model as save
from workbench.persistence import atomic
target, point = Path(sys.argv[1]), sys.argv[2]
save(target, 1.0)

def die(*args, **more):
    os.kill(os.getpid(), signal.SIGKILL)

rename = Path.rename
if point == "synced":
    atomic.put_in_place = die
elif point == "exchanged":
    atomic.scratch.release = die
elif point == "old one aside":
    atomic._exchange = lambda one, other: False
    Path.rename = lambda self, to: die() if to == target else rename(self, to)
elif point == "old one still aside":
    atomic._exchange = lambda one, other: False
    atomic.shutil.rmtree = die
save(target, 2.0)
"""


@pytest.mark.parametrize(
    ("point", "now", "left"),
    [
        ("synced", 1.0, 3),
        ("exchanged", 2.0, 3),
        ("old one aside", None, 3),
        ("old one still aside", 2.0, 3),
    ],
)
def test_kill_at_each_point(point: str, now: float | None, left: int, tmp_path: Path) -> None:
    target = tmp_path / "model"
    done = subprocess.run([sys.executable, "-c", DIES, str(target), point], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(entries(tmp_path)) == left
    assert (marker_of(target) if target.exists() else None) == now
    # The next save, even one that fails, finds the last whole model in its place.
    with pytest.raises(RuntimeError), atomic_folder(target):
        raise RuntimeError
    assert marker_of(target) == (now or 1.0)
    assert entries(tmp_path) == ["model"]


FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from safetensors.numpy import save_file
from workbench.errors import WorkbenchError
from workbench.persistence.atomic import atomic_folder, write_json

target, limit, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with atomic_folder(target) as folder:
        if what == "safetensors":
            save_file({"a": np.ones(limit, np.float32)}, folder / "model.safetensors")
        elif what == "json":
            write_json(folder / "modules.json", ["x" * limit])
        else:
            (folder / "vocab.txt").write_bytes(b"x" * (limit + 1))
except WorkbenchError as error:
    print(error.code, isinstance(error, OSError))
"""


@pytest.mark.parametrize("what", ["safetensors", "json", "bytes"])
@pytest.mark.parametrize("limit", [1, 1000, 100_000])
def test_disk_full(what: str, limit: int, tmp_path: Path) -> None:
    # A limit on the size of files stands in for a full disk: writes fail in the same calls.
    target = tmp_path / "model"
    save_model(target, 1.0)
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(target), str(limit), what],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["disk-full", "True"]
    assert marker_of(target) == 1.0
    assert entries(tmp_path) == ["model"]


def test_free_space_is_asked_first(tmp_path: Path) -> None:
    check_free_space(tmp_path, 0)
    with pytest.raises(FolderWriteError, match="disk-full"):
        check_free_space(tmp_path, 1 << 60)


def test_write_json_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "modules.json"
    value = [{"이름": "é", "n": 1, "x": 0.1, "none": None, "flags": [True, False]}]
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_bytes().endswith(b"]\n") and "이름".encode() in path.read_bytes()
    write_json(path, {})
    assert read_json(path) == {}
    assert entries(tmp_path) == ["modules.json"]


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {1, 2}, object(), "\ud800", b"x"])
def test_write_json_refuses(value: object, tmp_path: Path) -> None:
    path = tmp_path / "modules.json"
    write_json(path, "old")
    with pytest.raises(InvalidValueError, match="json-value"):
        write_json(path, value)
    assert read_json(path) == "old"
    assert entries(tmp_path) == ["modules.json"]


def test_write_json_into_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FolderWriteError, match="not-writable"):
        write_json(tmp_path / "gone" / "modules.json", {})
