"""A tiny model and batches for the tests of the three trainers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.training.small import pairs
from workbench.compare.settings import settings_for
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.manual.train import train_manual
from workbench.contenders.own.train import train_own
from workbench.contenders.train_contract import LossPlan, StepRecord, TrainingBatch, TrainOutcome, TrainPlan
from workbench.contenders.upstream.train import train_upstream
from workbench.models.folder import open_model

TRAINERS: dict[str, Callable[..., TrainOutcome]] = {
    "own": train_own,
    "upstream": train_upstream,
    "transformers": train_manual,
}
SIZE = 4
ROOT = Path(__file__).resolve().parents[2]


def opened(folder: Path) -> tuple[ModelPaths, Settings]:
    checked = open_model(folder)
    return ModelPaths(checked.root, checked.encoder), settings_for(checked, threads=1)


def batches(count: int, size: int = SIZE, seed: int = 0) -> list[TrainingBatch]:
    """Scored pairs; 48 distinct ones, again and again."""
    rows = pairs(48, seed)
    made = []
    for batch in range(count):
        part = [rows[(batch * size + row) % len(rows)] for row in range(size)]
        columns = tuple(zip(*(row.texts for row in part), strict=True))
        made.append(TrainingBatch(columns, tuple(row.label for row in part)))
    return made


def plan(steps: int, loss: str = "CosineSimilarityLoss", **changes: Any) -> TrainPlan:
    return replace(
        TrainPlan(loss=LossPlan(loss), total_steps=steps, warmup_steps=steps // 10, dropout=False), **changes
    )


def train(
    name: str, folder: Path, out: Path, steps: int, given: Any = None, **changes: Any
) -> tuple[list[StepRecord], TrainOutcome]:
    """Train one way and keep what it tells."""
    records: list[StepRecord] = []
    paths, settings = opened(folder)
    made = plan(steps, **changes)
    outcome = TRAINERS[name](
        paths, settings, given or batches(steps * made.accumulation), made, out=out, on_step=records.append
    )
    return records, outcome


def run_script(folder: Path) -> str:
    """Run ``script.py`` inside a folder and give what it printed."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
