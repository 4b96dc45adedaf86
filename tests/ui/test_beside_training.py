"""A run that trains beside comparisons: they answer, and its weights are those of a lone run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.harness import ANN, QUICK, until
from workbench.runs.record import Run
from workbench.runs.supervisor import Supervisor
from workbench.ui.api import compare_api

pytestmark = pytest.mark.full

_TRAINING = {
    "training": {"data": {"view": "answers"}, "batch_size": 8, "max_steps": 40, "evaluator": "none"},
    "ways": ["own"],
    "prove": False,
}


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "home", limits=QUICK) as opened:
        yield opened


def _weights(runs: Supervisor, run: Run) -> str:
    ended = runs.wait(ANN, run.id, 600)
    assert ended.state == "complete", runs.log_tail(ANN, run.id)
    (path,) = runs.run_folder(ANN, run.id).glob("own-*/model/model.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_compare_answers_beside_a_run_whose_weights_are_those_of_a_lone_run(runs):
    alone = _weights(runs, runs.submit(ANN, "train", _TRAINING))
    # The first comparison imports and opens everything.
    compare_api(["A man eats."])
    beside = runs.submit(ANN, "train", _TRAINING)
    until(lambda: runs.show(ANN, beside.id).step > 0, 120)
    answered_beside = 0
    while runs.show(ANN, beside.id).active:
        answer = compare_api(["A man eats.", "Someone is eating."])
        assert len(answer["columns"]) == 3 and "error" not in answer
        answered_beside += runs.show(ANN, beside.id).state == "running"
    assert answered_beside > 0
    assert _weights(runs, beside) == alone
    # Another seed is another run: the comparison of weights can fail.
    other = {**_TRAINING, "training": {**_TRAINING["training"], "seed": 7}}
    assert _weights(runs, runs.submit(ANN, "train", other)) != alone
