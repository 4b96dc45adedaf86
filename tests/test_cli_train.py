"""``train``, ``resume`` and ``evaluate`` on the command line, on a tiny model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from tests.models.tiny import write_upstream
from workbench.__main__ import cli

COMMON = ["support-desk", "--view", "scored", "--loss", "CoSENTLoss", "--batch-size", "8"]
QUIET = ["--set", "threads=1", "--learning-rate", "1e-3"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny BERT."""
    return str(write_upstream(tmp_path_factory.mktemp("tiny"), "bert"))


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def test_train_writes_a_model_and_evaluate_measures_it(tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    trained = run("train", *COMMON, *QUIET, "--model", tiny, "--max-steps", "3", "--out", str(out), "--json")
    assert trained.exit_code == 0, trained.output
    facts = json.loads(trained.stdout)
    assert (facts["status"], facts["steps"]) == ("complete", 3)
    assert facts["model"] == str(out / "model")
    measured = run("evaluate", str(out / "model"), "support-desk", "--view", "scored", "--json")
    assert measured.exit_code == 0, measured.output
    found = json.loads(measured.stdout)
    assert -1 <= found["metrics"][found["primary_metric"]] <= 1
    plain = run("evaluate", str(out / "model"), "support-desk", "--view", "answers")
    assert "ndcg@10" in plain.stdout and "*" in plain.stdout


def test_a_file_with_a_scale_needs_its_name(tiny: str, tmp_path: Path) -> None:
    data = tmp_path / "pairs.csv"
    rows = [f"first {row},second {row},{row % 6}" for row in range(80)]
    data.write_text("\n".join(["sentence1,sentence2,score", *rows]), encoding="utf-8")
    common = [str(data), "--loss", "CosineSimilarityLoss", "--model", tiny, "--max-steps", "2", *QUIET]
    refused = run("train", *common, "--out", str(tmp_path / "one"))
    assert refused.exit_code == 2
    assert "label-out-of-range" in refused.stderr and "0-5" in refused.stderr
    assert not (tmp_path / "one").exists()
    assert run("train", *common, "--rescale", "0-5", "--out", str(tmp_path / "two")).exit_code == 0


def test_a_config_file_is_overruled_by_options_and_these_by_set(tiny: str, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(
        f"data: {{view: scored}}\nloss: {{name: CoSENTLoss}}\nmodel: {{name: {tiny!r}}}\n"
        "max_steps: 9\nbatch_size: 8\nthreads: 1\n",
        encoding="utf-8",
    )
    out = tmp_path / "run"
    given = [
        "--config",
        str(config),
        "--max-steps",
        "5",
        "--set",
        "max_steps=2",
        "--set",
        "loss.arguments.scale=3",
    ]
    assert run("train", *given, "--out", str(out)).exit_code == 0
    written = (out / "config.yaml").read_text(encoding="utf-8")
    assert "max_steps: 2" in written and "scale: 3" in written and "view: scored" in written


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train"], "--out"),
        (["train", "--out", "x", "--set", "nothing"], "NAME=VALUE"),
        (["train", "--out", "x", "--set", "epoch=2"], "epochs"),
        (["train", "--out", "x", "--loss", "NoLoss"], "loss-unknown"),
        (["train", "no-such-file.csv", "--out", "x"], "no-such-file.csv"),
        (["train", "hub:../etc", "--out", "x"], "owner/name"),
        (["resume", "no-such-folder"], "no-run-here"),
        (["evaluate", "all-MiniLM-L6-v2", "support-desk", "--view", "nothing"], "config-invalid"),
    ],
)
def test_what_is_wrong_ends_with_two_and_a_sentence(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_an_interrupted_training_is_resumed_to_the_same_weights(tiny: str, tmp_path: Path) -> None:
    steps = ["--max-steps", "60", "--set", "checkpoint_steps=5", "--evaluator", "none"]
    common = ["train", *COMMON, *QUIET, "--model", tiny, *steps]
    whole = subprocess.run(
        [sys.executable, "-m", "workbench", *common, "--out", str(tmp_path / "whole")],
        capture_output=True,
        check=True,
    )
    assert whole.returncode == 0
    child = subprocess.Popen(
        [sys.executable, "-m", "workbench", *common, "--out", str(tmp_path / "run")],
        stderr=subprocess.DEVNULL,
    )
    checkpoints = tmp_path / "run" / "checkpoints"
    until = time.monotonic() + 60
    while not (checkpoints.is_dir() and any(one.name.startswith("step-") for one in checkpoints.iterdir())):
        assert time.monotonic() < until and child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGINT)
    ended = child.wait(timeout=60)
    assert ended in (0, 130)
    if ended == 130:
        assert not (tmp_path / "run" / "model").exists()
    assert run("resume", str(tmp_path / "run")).exit_code == 0
    expected, found = (
        load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "run")
    )
    assert all(torch.equal(found[name], expected[name]) for name in expected)
