"""``python -m workbench bench`` on a tiny model: table, JSON line, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.compare.made_up_bench import made_up
from tests.models.tiny import write_upstream
from workbench.__main__ import cli
from workbench.cli.bench import NO_WINNER
from workbench.compare.bench_results import bench_dict, bench_from_dict


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_upstream(tmp_path_factory.mktemp("tiny") / "model", "bert"))


def told(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["bench", *arguments])


def test_it_prints_a_table_and_ends_with_one_json_line(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.compare.gemm_peak._SECONDS_A_WAY", 0.02)
    monkeypatch.setattr("workbench.compare.busy.other_processes", dict)
    texts = tmp_path / "mine.txt"
    texts.write_text("one text\nanother text\nand a third one\n", encoding="utf-8")
    out = tmp_path / "result.json"
    done = told(
        "--model", tiny, "--contender", "own", "--contender", "upstream", "--precision", "float32",
        "--precision", "int8", "--file", str(texts), "--threads", "1", "--rounds", "3", "--no-memory",
        "--no-tradeoff", "--json", str(out),
    )  # fmt: skip
    # Three rounds have no interval: no winner, and it says so.
    assert done.exit_code == NO_WINNER, done.output
    assert "3 rounds are too few" in done.stderr
    last = json.loads(done.stdout.strip().splitlines()[-1])
    assert last == json.loads(out.read_text(encoding="utf-8"))
    found = bench_from_dict(last)
    exact = [one.variant.contender for one in found.measured if one.variant.precision == "float32"]
    assert exact == ["own", "upstream"]
    assert found.plan.own_texts == ("one text", "another text", "and a third one")
    assert "not run: upstream · int8" in done.stdout
    # And once more beside itself.
    again = told(
        "--model", tiny, "--contender", "own", "--contender", "upstream", "--precision", "float32",
        "--precision", "int8", "--file", str(texts), "--threads", "1", "--rounds", "1", "--no-memory",
        "--no-tradeoff", "--before", str(out),
    )  # fmt: skip
    assert "since 20" in again.stdout and "ratio then" in again.stdout


@pytest.mark.parametrize(("busy", "code"), [(0.0, 0), (0.5, NO_WINNER)])
def test_the_exit_code_says_whether_a_winner_was_called(
    busy: float, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.compare.bench.run_bench", lambda plan: iter([made_up(busy=busy)]))
    done = told()
    assert done.exit_code == code, done.output
    assert json.loads(done.stdout.splitlines()[-1]) == json.loads(json.dumps(bench_dict(made_up(busy=busy))))
    assert ("refused: sentences, cpu, float32" in done.stderr) is bool(busy)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--contender", "theirs"], "unknown-contender"),
        (["--precision", "float7"], "unknown-precision"),
        (["--batch-size", "0"], "setting-range"),
        (["--corpus", "novels"], "unknown-corpus"),
        (["--file", "no-such.txt"], "no-such.txt"),
        (["--before", "no-such.json"], "bench-result-broken"),
        (["--model", "no-such-model"], "no-such-model"),
        (["--baseline", "own", "--contender", "manual"], "bench-baseline"),
    ],
)
def test_what_is_wrong_ends_with_two_and_a_sentence(
    arguments: list[str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = told(*arguments)
    assert done.exit_code == 2, done.output
    assert code in done.stderr and "Traceback" not in done.output
