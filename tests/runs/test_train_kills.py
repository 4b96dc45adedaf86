"""kill -9 of a real training and of the app above it: no row is lost, and the weights end the same."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.runs.harness import ANN, counted, open_supervisor, until
from tests.training.small import pairs, write_model
from workbench.runs import layout
from workbench.runs.job import JobContext
from workbench.runs.layout import METRICS
from workbench.runs.metrics import MetricsWriter, effective, read_since
from workbench.runs.owner import OPERATOR
from workbench.runs.supervisor import Supervisor
from workbench.runs.train_job import train

# Kills of the child, kills of the app, steps of the training.
FORMS = [
    pytest.param(2, 1, 60, id="short"),
    pytest.param(20, 5, 400, id="long", marks=pytest.mark.full),
]


@dataclass(frozen=True)
class Whole:
    """A training that was let be: its settings, its weights, and the loss at every step."""

    config: dict[str, Any]
    weights: bytes
    losses: list[tuple[int, float]]


def training_of(folder: Path, steps: int) -> dict[str, Any]:
    """A tiny model with dropout on a file of pairs; checkpoints lie close, and some keep the best model."""
    data = folder / "pairs.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence1", "sentence2", "score"])
        writer.writerows([*row.texts, row.label] for row in pairs(70))
    return {
        "model": {"name": str(write_model(folder, dropout=0.1))},
        "data": {"source": str(data)},
        "loss": {"name": "CosineSimilarityLoss"},
        "epochs": 1000,
        "max_steps": steps,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "checkpoint_steps": 4,
        "evaluation_steps": 25,
        "threads": 1,
        "device": "cpu",
    }


def weights_of(folder: Path) -> bytes:
    return (folder / "own-42" / "model" / "model.safetensors").read_bytes()


def losses_of(folder: Path) -> list[tuple[int, float]]:
    lines = effective(read_since(folder / METRICS).lines)
    return [(line["step"], line["values"]["loss"]) for line in lines if "loss" in line["values"]]


def step_of(runs: Supervisor, run_id: str) -> int:
    """The newest step that the present attempt has reported; 0 before its first."""
    attempt = runs.show(ANN, run_id).attempt
    lines = read_since(runs.run_folder(ANN, run_id) / METRICS).lines
    return max((line.get("step", 0) for line in lines if line["attempt"] == attempt), default=0)


def reported(home: Path, run_id: str) -> int:
    """The newest step of any attempt; the app that would tell belongs to another process."""
    lines = read_since(layout.run_folder(home, run_id) / METRICS).lines
    return max((line.get("step", 0) for line in lines), default=0)


def undisturbed(folder: Path, steps: int) -> Whole:
    """The same training, done here and let be."""
    config = {"training": training_of(folder, steps), "prove": False}
    run = folder / "whole"
    run.mkdir()
    assert train(JobContext(run, config, 1, lambda: False, MetricsWriter(run / METRICS))) is not None
    losses = losses_of(run)
    assert [step for step, _ in losses] == list(range(1, steps + 1))
    return Whole(config, weights_of(run), losses)


def kill_children(runs: Supervisor) -> None:
    for child in list(runs._nursery._children.values()):
        with suppress(ProcessLookupError):
            os.kill(child.identity.pid, signal.SIGKILL)


APP = """
import sys, time
from pathlib import Path
from tests.runs.harness import open_supervisor
sys.stdin.readline()
open_supervisor(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(600)
"""


@contextmanager
def app(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that looks after the runs once it gets a line; at the end it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", APP, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_the_child(home: Path, run_id: str, moment: int, chance: random.Random, number: int) -> None:
    """Under an app that stays; the run is then resumed."""
    with open_supervisor(home) as runs:
        until(lambda: runs.show(ANN, run_id).state == "running")
        if number % 4 == 3:
            # At any moment of its start, or of what follows.
            time.sleep(chance.uniform(0, 2))
        else:
            until(lambda: step_of(runs, run_id) >= moment)
            time.sleep(chance.uniform(0, 0.02))
        kill_children(runs)
        ended = runs.wait(ANN, run_id, 60)
        # Interrupted, where an earlier app had started it: how it ended is then not known.
        assert ended.state in ("failed", "interrupted") and ended.resumable, ended
        runs.resume(ANN, run_id)


def kill_the_app(home: Path, run_id: str, moment: int, chance: random.Random, *, all_falls: bool) -> None:
    """With its child, as where a machine goes down, or without it: then it goes on, and is found again."""
    with app(home) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "open\n"
        until(lambda: reported(home, run_id) >= moment)
        time.sleep(chance.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_supervisor(home, starts=False, background=False) as runs:
        attempt = runs.show(ANN, run_id).attempt
        if all_falls:
            kill_children(runs)
            until(lambda: runs.tick() or not runs.show(ANN, run_id).active)
            found = runs.show(ANN, run_id)
            assert found.state in ("failed", "interrupted") and found.resumable, found
            runs.resume(ANN, run_id)
        else:
            assert runs.show(ANN, run_id).state == "running" and runs.show(ANN, run_id).attempt == attempt


@pytest.mark.parametrize(("kills", "app_kills", "steps"), FORMS)
def test_a_training_outlives_kills_of_its_child_and_of_the_app(
    kills: int, app_kills: int, steps: int, home: Path, tmp_path: Path
) -> None:
    whole, chance = undisturbed(tmp_path, steps), random.Random(steps)
    events = ["child"] * kills + ["app"] * app_kills
    chance.shuffle(events)
    moments = sorted(chance.sample(range(1, steps * 9 // 10), len(events)))
    with open_supervisor(home) as runs:
        earlier = runs.submit(ANN, "count", {"steps": 2})
        assert runs.wait(ANN, earlier.id, 60).state == "complete"
        run = runs.submit(ANN, "train", whole.config)
    done = {"child": 0, "app": 0}
    for event, moment in zip(events, moments, strict=True):
        number = done[event]
        if event == "child":
            kill_the_child(home, run.id, moment, chance, number)
        else:
            kill_the_app(home, run.id, moment, chance, all_falls=number % 2 == 1)
        done[event] += 1
    with open_supervisor(home) as runs:
        ended = runs.wait(ANN, run.id, 120)
        assert ended.state == "complete"
        assert ended.attempt == 1 + kills + app_kills // 2
        # Every step stands once, with the loss it had; the weights are the same bytes.
        folder = runs.run_folder(ANN, run.id)
        assert losses_of(folder) == whole.losses
        assert weights_of(folder) == whole.weights
        assert {one.id for one in runs.list(OPERATOR)} == {earlier.id, run.id}
        assert runs.result(ANN, earlier.id) == counted(2)
