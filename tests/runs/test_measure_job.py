"""The job that measures three steps, of a tiny model on a file that came along with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import write_upstream
from workbench.runs.job import JobContext
from workbench.runs.measure_job import measure
from workbench.runs.metrics import MetricsWriter, read_since


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_upstream(tmp_path_factory.mktemp("tiny") / "model", "bert"))


def _context(folder: Path, training: dict[str, Any], stop: bool = False) -> JobContext:
    writer = MetricsWriter(folder / "metrics.jsonl")
    return JobContext(folder, {"training": training, "seeds": 2}, 1, lambda: stop, writer)


def test_it_foretells_steps_time_memory_and_what_could_be_shown(tmp_path: Path, tiny: str) -> None:
    rows = "".join(f"question number {i},answer number {i}\n" for i in range(90))
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "data.csv").write_text(f"anchor,positive\n{rows}", encoding="utf-8")
    training = {"data": {"source": "input:data.csv"}, "model": {"name": tiny}, "batch_size": 8, "epochs": 2}
    found = measure(_context(tmp_path, training))
    assert found is not None
    assert found["steps"] == 18
    assert found["seeds"] == 2
    assert 0 < found["seconds_per_step"] < 60
    assert found["judge_seconds"] > 0
    assert 50 < found["memory_mb"] < 100_000
    assert found["smallest"] is None or 0 < found["smallest"]["smallest"] < 1
    assert [line["step"] for line in read_since(tmp_path / "metrics.jsonl").lines] == [1, 2, 3]


def test_it_stops_when_it_is_asked_to(tmp_path: Path, tiny: str) -> None:
    assert measure(_context(tmp_path, {"model": {"name": tiny}}, stop=True)) is None
