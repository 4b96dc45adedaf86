"""Checkpoints are whole or not there: after corruption, a full disk, and a kill at every point of writing."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.children import KILLED, in_child
from workbench.errors import CheckpointError, FolderWriteError, InvalidValueError, WorkbenchError
from workbench.training import checkpoint as module
from workbench.training import faults
from workbench.training.checkpoint import (
    Checkpoint,
    drop_later,
    newest_checkpoint,
    read_checkpoint,
    write_checkpoint,
)

FILES = [
    "manifest.json",
    "model/1_Pooling/config.json",
    "model/weights",
    "optimizer.json",
    "optimizer.safetensors",
    "random.safetensors",
]


@pytest.fixture(autouse=True)
def _no_point_passed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_passed", {})


def save_model(folder: Path) -> None:
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "weights").write_bytes(bytes(range(256)) * 8)
    (folder / "1_Pooling" / "config.json").write_text('{"a": 1}')


def write(root: Path, step: int, keep: int = 0, size: int = 100) -> Checkpoint:
    return write_checkpoint(
        root,
        step,
        save_model=save_model,
        tensors={"optimizer": {"m": torch.arange(size) + step}, "random": {}},
        documents={"optimizer": {"step": step, "lr": 0.1}},
        keep=keep,
    )


def names(root: Path) -> list[str]:
    return sorted(entry.name for entry in root.iterdir())


def test_what_was_written_is_read(tmp_path: Path) -> None:
    root = tmp_path / "new" / "root"
    shared = torch.arange(6.0)
    tensors = {
        "view": shared.view(2, 3).T,
        "same memory": shared,
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        "number": torch.tensor(7),
        "none": torch.empty(0, 3),
    }
    document = {"nested": [{"a": None, "b": [1.5, True, "한국어"]}], "big": 2**80}
    written = write_checkpoint(
        root, 12, save_model=save_model, tensors={"t": tensors}, documents={"d": document}
    )
    found = newest_checkpoint(root)
    assert found == written
    assert (found.step, found.notices, found.folder.name) == (12, (), "step-000012")
    assert (found.model_folder / "weights").read_bytes() == bytes(range(256)) * 8
    assert found.document("d") == document
    assert (found.has("d"), found.has("t"), found.has("other")) == (True, True, False)
    read = found.tensors("t")
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)
    # What was read is the reader's own, whatever becomes of the folder.
    shutil.rmtree(found.folder)
    assert torch.equal(read["view"], tensors["view"])
    assert names(root) == []


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "step-7").mkdir()
    (tmp_path / ".tmp-0123").mkdir()
    assert newest_checkpoint(tmp_path) is None
    assert newest_checkpoint(tmp_path / "missing") is None
    assert newest_checkpoint(tmp_path / "file") is None


def test_a_set_that_is_not_there(tmp_path: Path) -> None:
    found = write(tmp_path, 1)
    for read in (found.tensors, found.document):
        with pytest.raises(CheckpointError, match="checkpoint-damaged"):
            read("other")


@pytest.mark.parametrize(
    ("keep", "left"),
    [(0, [1, 2, 3, 10]), (1, [10]), (2, [3, 10]), (3, [2, 3, 10]), (9, [1, 2, 3, 10])],
)
def test_the_limit_is_kept(keep: int, left: list[int], tmp_path: Path) -> None:
    for step in (1, 2, 3, 10):
        write(tmp_path, step, keep)
    assert names(tmp_path) == [f"step-{step:06d}" for step in left]


def test_steps_of_a_run_given_up_go_first(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        write(tmp_path, step)
    write(tmp_path, 2, keep=2)
    assert names(tmp_path) == ["step-000001", "step-000002"]
    write(tmp_path, 5)
    assert drop_later(tmp_path, 1) == ("step-000002", "step-000005")
    assert names(tmp_path) == ["step-000001"]
    assert drop_later(tmp_path, 1) == ()


def test_steps_beyond_six_digits_are_in_order(tmp_path: Path) -> None:
    for step in (999_999, 1_000_000, 20):
        write(tmp_path, step)
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1_000_000


def test_the_same_step_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, 3, size=5)
    (tmp_path / "step-000003" / "optimizer.json").unlink()
    again = write(tmp_path, 3, size=7)
    assert len(again.tensors("optimizer")["m"]) == 7
    assert read_checkpoint(tmp_path / "step-000003") == again
    assert names(tmp_path) == ["step-000003"]


def test_whoever_may_read_the_root_may_read_a_checkpoint(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert write(tmp_path, 1).folder.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", ["manifest", "model", "../x", "a/b", "", "A", "a" * 49, ".x", "a.b", "ü"])
def test_names_are_a_closed_set(name: str, tmp_path: Path) -> None:
    for given_names in ({"tensors": {name: {}}, "documents": {}}, {"tensors": {}, "documents": {name: 1}}):
        with pytest.raises(InvalidValueError, match="checkpoint-name"):
            write_checkpoint(tmp_path, 1, save_model=save_model, **given_names)  # type: ignore[arg-type]
    assert names(tmp_path) == []


@pytest.mark.parametrize(("step", "keep"), [(-1, 0), (True, 0), (1.0, 0), (1, -1), (1, 2.5), (10**12, 0)])
def test_steps_and_limits_are_whole_numbers(step: Any, keep: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="checkpoint-"):
        write(tmp_path, step, keep)
    assert names(tmp_path) == []


@pytest.mark.parametrize("wrong", [{"a": float("nan")}, {"a": {1, 2}}, object()])
def test_a_failure_leaves_what_was_there(wrong: Any, tmp_path: Path) -> None:
    write(tmp_path, 1)
    with pytest.raises(InvalidValueError, match="json-value"):
        write_checkpoint(tmp_path, 2, save_model=save_model, tensors={}, documents={"x": wrong})

    def interrupted(folder: Path) -> None:
        save_model(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, 2, save_model=interrupted, tensors={}, documents={})
    assert names(tmp_path) == ["step-000001"]


# Damage.


def damage(folder: Path, kind: str, file: str, place: float, bit: int) -> None:
    path = folder / file
    data = bytearray(path.read_bytes())
    at = min(int(place * len(data)), len(data) - 1)
    if kind == "flip":
        data[at] ^= 1 << bit
        path.write_bytes(data)
    elif kind == "truncate":
        path.write_bytes(data[:at])
    elif kind == "append":
        path.write_bytes(bytes(data) + b"\0")
    elif kind == "missing":
        path.unlink()
    elif kind == "extra":
        (path.parent / f"{path.name}.bak").write_bytes(b"")
    elif kind == "empty folder":
        shutil.rmtree(folder)
        folder.mkdir()
    elif kind == "link":
        path.unlink()
        path.symlink_to(folder.parent / "step-000001" / file)
    elif kind == "a folder in its place":
        path.unlink()
        path.mkdir()


KINDS = ["flip", "truncate", "append", "missing", "extra", "empty folder", "link", "a folder in its place"]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(KINDS) | st.just("flip"),
    file=st.sampled_from(FILES),
    place=st.floats(0, 1),
    bit=st.integers(0, 7),
)
def test_a_damaged_checkpoint_is_passed_over_and_told(
    kind: str, file: str, place: float, bit: int, tmp_path: Path
) -> None:
    if not (tmp_path / "step-000001").exists():
        write(tmp_path, 1)
    write(tmp_path, 2)
    damage(tmp_path / "step-000002", kind, file, place, bit)
    with pytest.raises(CheckpointError, match="checkpoint-damaged"):
        read_checkpoint(tmp_path / "step-000002")
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1
    (notice,) = found.notices
    assert "step-000002" in notice
    assert found.tensors("optimizer")["m"][0] == 1
    shutil.rmtree(tmp_path / "step-000002")


def test_every_bit_of_the_manifest_counts(tmp_path: Path) -> None:
    folder = write(tmp_path, 1).folder
    path = folder / "manifest.json"
    good = path.read_bytes()
    source = random.Random(0)
    for at in source.sample(range(len(good)), 400):
        flipped = bytearray(good)
        flipped[at] ^= 1 << source.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError, match="checkpoint-damaged"):
            read_checkpoint(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "other"),
        ("version", 2),
        ("step", 2),
        ("step", "1"),
        ("files", []),
        ("files", {"model/weights": {"bytes": True, "sha256": "0" * 64}}),
        ("files", {"model/weights": {"bytes": 1, "sha256": "0"}}),
        ("files", {"../step-000001/model/weights": {"bytes": 1, "sha256": "0" * 64}}),
        ("more", 1),
    ],
)
def test_a_manifest_that_is_none(key: str, value: Any, tmp_path: Path) -> None:
    folder = write(tmp_path, 1).folder
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(CheckpointError, match="checkpoint-damaged"):
        read_checkpoint(folder)


def test_a_checkpoint_under_another_name_is_none(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "step-000001").rename(tmp_path / "step-000009")
    assert newest_checkpoint(tmp_path) is None
    (tmp_path / "step-000009").rename(tmp_path / "mine")
    with pytest.raises(CheckpointError, match="checkpoint-damaged"):
        read_checkpoint(tmp_path / "mine")


# A full disk.


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: writing ends as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill_and_check(root: Path, size: int) -> None:
    """A checkpoint that does not fit leaves the one before, and says why."""
    try:
        with largest_file(size):
            write(root, 2, keep=1, size=3_000)
    except FolderWriteError as error:
        assert error.code == "disk-full", error
        assert isinstance(error, OSError)
    else:
        raise AssertionError("it fitted")
    found = newest_checkpoint(root)
    assert found is not None
    assert (found.step, found.notices) == (1, ())
    assert names(root) == ["step-000001"]


def test_a_full_disk_leaves_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, 1)
    biggest = max(
        path.stat().st_size for path in write(tmp_path / "probe", 2, size=3_000).folder.rglob("*.*")
    )
    sizes = random.Random(0).sample(range(1, biggest), 20)

    def child() -> None:
        for size in (0, *sizes, biggest - 1):
            shutil.rmtree(tmp_path / "probe", ignore_errors=True)
            fill_and_check(tmp_path, size)

    assert in_child(child) == 0
    write(tmp_path, 2, keep=1, size=3_000)
    assert names(tmp_path) == ["step-000002"]


@pytest.mark.parametrize("call", range(11))
def test_a_disk_that_is_full_at_any_sync(call: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1)
    real, count = os.fsync, 0

    def full(handle: int) -> None:
        nonlocal count
        count += 1
        if count == call + 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FolderWriteError, match="disk-full"):
        write(tmp_path, 2, keep=2)
    monkeypatch.undo()
    found = newest_checkpoint(tmp_path)
    assert found is not None
    # Only the sync after the renaming comes when the new one stands.
    assert found.notices == ()
    assert not [name for name in names(tmp_path) if name.startswith(".")]


@pytest.mark.full
@pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
def test_a_hundred_small_disks(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    full = 0
    for kib in random.Random(0).sample(range(40, 400), 100):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", str(disk)],
            check=False,
            capture_output=True,
        )
        if mounted.returncode:
            pytest.skip("this machine mounts nothing")
        try:
            last = 0
            try:
                for step in range(1, 40):
                    write(disk, step, size=500)
                    last = step
            except FolderWriteError as error:
                assert error.code == "disk-full", error
                full += 1
            found = newest_checkpoint(disk)
            assert (found.step if found else 0) == last
            assert names(disk) == [f"step-{step:06d}" for step in range(1, last + 1)]
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    assert full == 100


# Kills.


@pytest.mark.parametrize("point", faults.POINTS)
def test_a_kill_at_each_point(point: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.VARIABLE, point)

    def newest() -> int | None:
        found = newest_checkpoint(tmp_path)
        assert found is None or found.notices == ()
        return found.step if found else None

    late = point in ("after-rename", "while-pruning")
    # With none there yet; then with two, of which one is in excess.
    if point != "while-pruning":
        assert in_child(lambda: write(tmp_path, 1, keep=2)) == KILLED
        assert newest() == (1 if late else None)
    monkeypatch.delenv(faults.VARIABLE)
    for step in (1, 2):
        write(tmp_path, step, keep=2)
    monkeypatch.setenv(faults.VARIABLE, point)
    assert in_child(lambda: write(tmp_path, 3, keep=2)) == KILLED
    assert newest() == (3 if late else 2)
    monkeypatch.delenv(faults.VARIABLE)
    write(tmp_path, 4, keep=2)
    left = ["step-000003", "step-000004"] if late else ["step-000002", "step-000004"]
    assert names(tmp_path) == left


def test_points_are_passed_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[str] = []
    monkeypatch.setattr(module, "fault_point", passed.append)
    for step in (1, 2):
        write(tmp_path, step, keep=1)
    assert passed == [*faults.POINTS[:-1], *faults.POINTS]


def test_the_nth_passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.VARIABLE, "before-rename:3")

    def child() -> None:
        for step in range(1, 9):
            write(tmp_path, step)

    assert in_child(child) == KILLED
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 2


@pytest.mark.parametrize("value", ["nowhere", "before-write:0", "before-write:x", "before-write:-1", ":1"])
def test_a_fault_that_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faults.VARIABLE, value)
    with pytest.raises(WorkbenchError, match="fault-"):
        faults.fault_point("before-write")


def test_another_point_and_no_variable_do_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(faults.VARIABLE, raising=False)
    faults.fault_point("before-write")
    monkeypatch.setenv(faults.VARIABLE, "after-model")
    faults.fault_point("before-write")
    with pytest.raises(WorkbenchError, match="fault-point"):
        faults.fault_point("no such point")
