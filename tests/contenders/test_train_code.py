"""The scripts that reproduce a training: run as they stand, each holds its losses to the run's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contenders.training import TRAINERS, batches, opened, plan, run_script, train
from workbench.contenders import train_script
from workbench.contenders.manual.train_code import manual_train_code
from workbench.contenders.own.train_code import own_train_code
from workbench.contenders.train_contract import LossPlan, TrainingBatch
from workbench.contenders.upstream.train_code import upstream_train_code
from workbench.errors import WorkbenchError

CODES: dict[str, Callable[..., str]] = {
    "own": own_train_code,
    "upstream": upstream_train_code,
    "transformers": manual_train_code,
}


def run(code: str, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(code, encoding="utf-8")
    return run_script(folder)


def script(name: str, folder: Path, out: Path, loss: str) -> str:
    records, _ = train(name, folder, out, 3, loss=loss)
    _, settings = opened(folder)
    losses = [record.loss for record in records]
    return CODES[name](str(folder), settings, batches(3), plan(3, loss), losses)


RUNS = [
    ("transformers", "CosineSimilarityLoss"),
    *(
        pytest.param(name, loss, marks=pytest.mark.full)
        for name in CODES
        for loss in ("CosineSimilarityLoss", "MultipleNegativesRankingLoss", "CoSENTLoss")
        if (name, loss) != ("transformers", "CosineSimilarityLoss")
    ),
]


@pytest.mark.parametrize(("name", "loss"), RUNS)
def test_a_script_reproduces_the_losses_of_its_run(still: Path, tmp_path: Path, name: str, loss: str) -> None:
    told = run(script(name, still, tmp_path / "out", loss), tmp_path / "there")
    assert "largest difference from the run" in told and "step 3" in told
    assert (tmp_path / "there" / "trained").is_dir()


@pytest.mark.parametrize("name", list(CODES))
def test_a_script_is_code_and_texts_stay_literals(still: Path, name: str) -> None:
    nasty = '"""\'; import os; os.abort() #\n'
    _, settings = opened(still)
    given = [TrainingBatch(((nasty, "b"), ("c", "d")), (0.5, 1.0))]
    code = CODES[name]("all-MiniLM-L6-v2", settings, given, plan(1), [0.1])
    tree = compile(code, "script.py", "exec")
    assert repr(nasty)[1:-1] in code and tree.co_name == "<module>"
    long = [TrainingBatch((("word " * 30_000,), ("c",)), (0.5,))]
    beside = CODES[name](str(still), settings, long, plan(1))
    assert "batches.jsonl" in beside and len(beside) < 5_000


def test_the_file_of_batches_is_what_the_script_reads(tmp_path: Path) -> None:
    train_script.write_batches(tmp_path / "b.jsonl", batches(2), "query: ")
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()]
    first = batches(2)[0]
    assert lines[0][0] == [[f"query: {column[0]}" for column in first.columns], first.labels[0]]  # type: ignore[index]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (LossPlan("TripletLoss", {"distance_metric": "COSINE"}), "losses.TripletDistanceMetric.COSINE"),
        (
            LossPlan("ContrastiveLoss", {"distance_metric": "EUCLIDEAN"}),
            "losses.SiameseDistanceMetric.EUCLIDEAN",
        ),
        (LossPlan("CoSENTLoss", {"similarity_fct": "pairwise_dot_score"}), "util.pairwise_dot_score"),
        (
            LossPlan("MatryoshkaLoss", {"matryoshka_dims": [32, 16]}, LossPlan("CoSENTLoss")),
            "losses.MatryoshkaLoss(model, loss=losses.CoSENTLoss(model), matryoshka_dims=[32, 16])",
        ),
    ],
    ids=["triplet", "contrastive", "cosent", "matryoshka"],
)
def test_arguments_become_names(loss: LossPlan, expected: str) -> None:
    assert expected in train_script.loss_expression(loss, [loss.name, "CoSENTLoss"])


@pytest.mark.parametrize("name", list(CODES))
def test_no_unknown_name_becomes_code(still: Path, name: str) -> None:
    _, settings = opened(still)
    for bad in (LossPlan("os.abort"), LossPlan("CoSENTLoss", {"x)#": 1})):
        with pytest.raises(WorkbenchError):
            CODES[name](str(still), settings, batches(1), replace(plan(1), loss=bad))


def test_every_trainer_has_its_script() -> None:
    known: Any = set(TRAINERS)
    assert known == set(CODES)
