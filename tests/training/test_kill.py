"""A training killed at any moment goes on from its last checkpoint and ends, byte for byte, the same."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.children import KILLED, in_child, start_child
from tests.training.small import cosine, loader_of, model_of, pairs
from workbench import losses
from workbench.training import CheckpointSaved, faults
from workbench.training.checkpoint import newest_checkpoint

STEPS = 10
# Wall-clock time differs from run to run.
_CLOCK = {"clock", "seconds"}


@dataclass(frozen=True)
class Whole:
    """A training that was let be: how to run it, its last checkpoint, and how long it took."""

    run: Callable[[Path], None]
    last: Path
    seconds: float


def weigh(model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> float:
    """An evaluator that depends on the weights alone, and draws random numbers itself."""
    return random.random() * 0.0 + float(torch.rand(1)) * 0.0 + float(model.encode(["The lazy dog"])[0, 0])


def objectives_of(model: Any) -> list[tuple[Any, Any]]:
    return [
        (loader_of(pairs(14), 2, shuffle=True), cosine(model)),
        (loader_of(pairs(9, 4), 3, shuffle=True), losses.MultipleNegativesRankingLoss(model)),
    ]


def train(model: Any, objectives: list[tuple[Any, Any]], root: Path) -> None:
    root.mkdir(exist_ok=True)

    def acknowledge(event: Any) -> None:
        if isinstance(event, CheckpointSaved):
            with (root / "acknowledged").open("a") as file:
                file.write(f"{event.global_step}\n")

    model.fit(
        objectives,
        evaluator=weigh,
        evaluation_steps=3,
        steps_per_epoch=STEPS // 2,
        epochs=2,
        warmup_steps=2,
        gradient_accumulation_steps=2,
        optimizer_params={"lr": 1e-3},
        seed=3,
        checkpoint_path=root,
        checkpoint_save_steps=1,
        checkpoint_save_total_limit=3,
        resume_from_checkpoint=True,
        show_progress_bar=False,
        progress=acknowledge,
    )


@pytest.fixture(scope="module")
def whole(dropping: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    first = model_of(dropping)
    train(first, objectives_of(first), folder)
    last = newest_checkpoint(folder)
    assert last is not None
    assert last.step == STEPS
    # Every child is a copy of this process: in each this model is fresh, and all is imported.
    fresh = model_of(dropping)
    objectives = objectives_of(fresh)

    def run(root: Path) -> None:
        train(fresh, objectives, root)

    started = time.monotonic()
    assert in_child(lambda: run(folder.with_name("timed"))) == 0
    return Whole(run, last.folder, time.monotonic() - started)


def acknowledged(root: Path) -> int:
    path = root / "acknowledged"
    lines = path.read_text().split() if path.exists() else []
    return int(lines[-1]) if lines else 0


def lost_nothing(root: Path) -> int:
    """After a kill: the newest checkpoint is whole, and none that was told of is missing. Its step."""
    found = newest_checkpoint(root)
    step = 0 if found is None else found.step
    assert found is None or found.notices == ()
    # One may stand of which nobody was told yet.
    assert step >= acknowledged(root)
    return step


def without_clock(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clock(child) for key, child in value.items() if key not in _CLOCK}
    return [without_clock(child) for child in value] if isinstance(value, list) else value


def finish_and_compare(whole: Whole, root: Path) -> None:
    assert in_child(lambda: whole.run(root)) == 0
    last = newest_checkpoint(root)
    assert last is not None
    names = sorted(path.relative_to(whole.last) for path in whole.last.rglob("*"))
    assert sorted(path.relative_to(last.folder) for path in last.folder.rglob("*")) == names
    for name in names:
        one, other = whole.last / name, last.folder / name
        if str(name) == "position.json":
            assert without_clock(json.loads(other.read_text())) == without_clock(json.loads(one.read_text()))
        elif one.is_file() and str(name) != "manifest.json":
            assert other.read_bytes() == one.read_bytes(), name
    assert sorted(path.name for path in root.iterdir()) == [
        "acknowledged",
        *(f"step-{step:06d}" for step in range(STEPS - 2, STEPS + 1)),
    ]


def kill_at_random_moments(whole: Whole, root: Path, source: random.Random, kills: int) -> None:
    for _ in range(kills):
        child = start_child(lambda: whole.run(root))
        time.sleep(source.uniform(0.0, whole.seconds * 1.1 / kills))
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, KILLED)
        lost_nothing(root)
    finish_and_compare(whole, root)


@pytest.mark.parametrize("number", range(2))
def test_killed_at_random_moments(number: int, whole: Whole, tmp_path: Path) -> None:
    kill_at_random_moments(whole, tmp_path / "run", random.Random(number), kills=2)


@pytest.mark.full
@pytest.mark.parametrize("number", range(20))
def test_killed_at_twenty_random_moments(number: int, whole: Whole, tmp_path: Path) -> None:
    kill_at_random_moments(whole, tmp_path / "run", random.Random(100 + number), kills=1 + number % 3)


def killed_at(whole: Whole, root: Path, point: str, passing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_passed", {})
    monkeypatch.setenv(faults.VARIABLE, f"{point}:{passing}")
    assert in_child(lambda: whole.run(root)) == KILLED
    monkeypatch.delenv(faults.VARIABLE)
    lost_nothing(root)


def test_killed_at_every_point_of_a_checkpoint(
    whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One run that is killed at one point after the other, and goes on each time.
    steps = []
    for point in faults.POINTS:
        killed_at(whole, tmp_path / "run", point, 2, monkeypatch)
        steps.append(lost_nothing(tmp_path / "run"))
    assert steps == [1, 2, 3, 4, 5, 6, 8, 9]
    finish_and_compare(whole, tmp_path / "run")


@pytest.mark.full
@pytest.mark.parametrize("point", faults.POINTS)
@pytest.mark.parametrize("passing", [1, 3, 5])
def test_killed_at_each_point_of_each_checkpoint(
    point: str, passing: int, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at(whole, tmp_path / "run", point, passing, monkeypatch)
    finish_and_compare(whole, tmp_path / "run")
