"""The job that measures speed: alone, and as a run in the queue that is cancelled and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import write_upstream
from tests.runs.harness import ANN, QUICK, wait_for_step
from workbench.compare.bench_results import bench_from_dict
from workbench.errors import Cancelled, WorkbenchError
from workbench.runs.bench_job import PARTS, STAGES, bench
from workbench.runs.job import JobContext
from workbench.runs.metrics import MetricsWriter, read_since
from workbench.runs.supervisor import Supervisor


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_upstream(tmp_path_factory.mktemp("tiny") / "model", "bert"))


def small(tiny: str, **more: Any) -> dict[str, Any]:
    return {
        "model": tiny, "contenders": ["own"], "baseline": "own", "threads": 1, "rounds": 2, "memory": False,
        "tradeoff": False, "words": 60, **more,
    }  # fmt: skip


def context(folder: Path, plan: dict[str, Any], stop: bool = False) -> JobContext:
    return JobContext(folder, {"plan": plan}, 1, lambda: stop, MetricsWriter(folder / "metrics.jsonl"))


def test_it_measures_the_texts_that_came_along(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "texts.json").write_text(json.dumps(["one", "two texts", "한국어"]))
    found = bench(context(tmp_path, small(tiny, corpora=["yours"])))
    assert found is not None
    result = bench_from_dict(json.loads(json.dumps(found, allow_nan=False)))
    assert result.plan.own_texts == ("one", "two texts", "한국어")
    assert [one.corpus for one in result.measured] == ["yours"]
    lines = read_since(tmp_path / "metrics.jsonl").lines
    steps = [line["step"] for line in lines]
    assert steps == sorted(steps) and steps[-1] == PARTS
    told = {STAGES[int(line["values"]["stage"])] for line in lines if "stage" in line["values"]}
    assert {"open", "first", "rounds", "shares", "quality", "peak"} <= told


def test_it_stops_when_it_is_asked_to(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        bench(context(tmp_path, small(tiny), stop=True))


@pytest.mark.parametrize(
    ("plan", "texts", "code"),
    [
        ({"contenders": ["theirs"]}, None, "unknown-contender"),
        ({"corpora": ["yours"]}, None, "bench-without-texts"),
        ({"corpora": ["yours"]}, {"a": 1}, "bench-texts-broken"),
    ],
)
def test_what_is_wrong_is_told(plan: dict[str, Any], texts: object, code: str, tmp_path: Path) -> None:
    if texts is not None:
        (tmp_path / "inputs").mkdir()
        (tmp_path / "inputs" / "texts.json").write_text(json.dumps(texts))
    with pytest.raises(WorkbenchError) as caught:
        bench(context(tmp_path, plan))
    assert caught.value.code == code


@pytest.mark.full
def test_a_run_is_cancelled_and_another_completes(tiny: str, home: Path) -> None:
    plan = small(tiny, rounds=120, budget_seconds=3600.0, words=4000)
    with Supervisor(home, limits=QUICK) as runs:
        run = runs.submit(ANN, "bench", {"plan": plan}, name="speed")
        wait_for_step(runs, run)
        runs.cancel(ANN, run.id)
        ended = runs.wait(ANN, run.id, 60)
        assert ended.state == "cancelled" and runs.result(ANN, run.id) is None
        again = runs.submit(ANN, "bench", {"plan": small(tiny)})
        assert runs.wait(ANN, again.id, 60).state == "complete"
        assert bench_from_dict(runs.result(ANN, again.id)).measured
