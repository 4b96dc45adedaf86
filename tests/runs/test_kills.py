"""kill -9 at random moments: nothing acknowledged is lost, and a resumed run ends as an uninterrupted one."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.runs.harness import ANN, counted, open_supervisor, until, wait_for_step
from workbench.runs import layout
from workbench.runs.owner import OPERATOR

STEPS = 40
CONFIG = {"steps": STEPS, "step_seconds": 0.01}


def rounds(short: int, full: int) -> list[object]:
    """So many in the short form, the rest in the long one."""
    return [
        pytest.param(number, marks=[pytest.mark.full] if number >= short else []) for number in range(full)
    ]


@pytest.mark.parametrize("number", rounds(3, 20))
def test_the_child_is_killed(number: int, tmp_path: Path) -> None:
    chance = random.Random(number)
    with open_supervisor(tmp_path) as runs:
        run = runs.submit(ANN, "count", {**CONFIG, "seed": number})
        for _ in range(3):
            until(lambda: runs.show(ANN, run.id).state != "queued")
            time.sleep(chance.uniform(0, 0.4))
            for child in list(runs._nursery._children.values()):
                with suppress(ProcessLookupError):
                    os.kill(child.identity.pid, signal.SIGKILL)
            ended = runs.wait(ANN, run.id, 30)
            assert ended.state in ("failed", "complete"), ended
            if ended.state == "complete":
                break
            assert ended.reason is not None and ended.reason.code in ("killed", "out-of-memory")
            runs.resume(ANN, run.id)
        assert runs.wait(ANN, run.id, 30).state == "complete"
        assert runs.result(ANN, run.id) == counted(STEPS, number)


SUPERVISOR = """
import sys
from pathlib import Path
from tests.runs.harness import ANN, open_supervisor
runs = open_supervisor(Path(sys.argv[1]))
number = 0
while True:
    try:
        run = runs.submit(ANN, "count", {"steps": 25, "step_seconds": 0.01, "seed": number})
        print(run.id, number, flush=True)
        number += 1
    except Exception as error:
        assert getattr(error, "code", "") == "too-many-queued", error
        for run in runs.list(ANN, state="complete"):
            runs.annotate(ANN, run.id, note="seen")
"""


@pytest.mark.parametrize("number", rounds(1, 5))
def test_the_supervisor_is_killed(number: int, tmp_path: Path) -> None:
    chance = random.Random(number)
    told: dict[str, int] = {}
    for _ in range(3):
        supervisor = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert supervisor.stdout is not None
        first = supervisor.stdout.readline()
        time.sleep(chance.uniform(0, 0.6))
        supervisor.send_signal(signal.SIGKILL)
        lines = (first + supervisor.stdout.read()).splitlines()
        supervisor.wait()
        told.update({line.split()[0]: int(line.split()[1]) for line in lines if len(line.split()) == 2})
    with open_supervisor(tmp_path) as runs:
        assert {run.id for run in runs.list(OPERATOR)} >= set(told)
        for run in runs.list(OPERATOR):
            ended = runs.wait(ANN, run.id, 60)
            if ended.state != "complete":
                runs.resume(ANN, run.id)
        for run_id, seed in told.items():
            assert runs.wait(ANN, run_id, 60).state == "complete"
            assert runs.result(ANN, run_id) == counted(25, seed)
    check = sqlite3.connect(layout.database(tmp_path))
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check.close()


def test_a_child_without_the_word_to_go_touches_nothing(tmp_path: Path) -> None:
    folder = layout.runs_folder(tmp_path)
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "workbench.runs.worker", str(folder)], stdin=subprocess.DEVNULL, check=True
    )
    assert done.returncode == 0 and list(folder.iterdir()) == []


def test_a_damaged_newest_checkpoint_falls_back(tmp_path: Path) -> None:
    with open_supervisor(tmp_path) as runs:
        run = runs.submit(ANN, "count", CONFIG)
        wait_for_step(runs, run, 5)
        runs.cancel(ANN, run.id)
        runs.wait(ANN, run.id, 30)
        saved = sorted((runs.run_folder(ANN, run.id) / "checkpoints").iterdir())
        assert len(saved) == 2
        saved[-1].write_bytes(saved[-1].read_bytes().replace(b'"sum": ', b'"sum": 9'))
        runs.resume(ANN, run.id)
        assert runs.wait(ANN, run.id, 30).state == "complete"
        assert runs.result(ANN, run.id) == counted(STEPS)
