"""The classic script is a program: it compiles for every config, and trains what the config trains."""

from __future__ import annotations

import ast
import runpy

import pytest
import torch

from tests.models.tiny import write_upstream
from workbench import losses
from workbench.recipe.classic_script import classic_script
from workbench.recipe.config import checked_config
from workbench.recipe.train import train
from workbench.sentence_transformer import SentenceTransformer

_ROWS = "anchor,positive\n" + "".join(f"red thing {i},blue thing {i}\n" for i in range(12))


@pytest.mark.parametrize("name", [name for name in losses.LOSSES if name not in losses.WRAPPERS])
def test_it_is_python_for_every_loss(name):
    ast.parse(classic_script(checked_config({"loss": {"name": name}})))


def test_it_is_python_with_everything_stated():
    config = checked_config(
        {
            "data": {"source": "input:data.csv", "roles": {"it's": "anchor"}},
            "model": {"dense": 8, "pooling": "cls"},
            "loss": {"name": "MatryoshkaLoss", "inner": {"name": "CoSENTLoss", "arguments": {"scale": 3}}},
            "threads": 2, "dropout": False, "max_steps": 3, "warmup": 5, "evaluator": "none", "device": "cpu",
        }
    )  # fmt: skip
    script = classic_script(config)
    ast.parse(script)
    assert "source='data.csv'" in script
    assert "inner=LossConfig(name='CoSENTLoss', arguments={'scale': 3})" in script


def test_it_trains_the_same_weights_as_the_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = write_upstream(tmp_path / "tiny", "bert")
    (tmp_path / "data.csv").write_text(_ROWS, encoding="utf-8")
    config = checked_config(
        {
            "data": {"source": "data.csv"},
            "model": {"name": str(tiny)},
            "batch_size": 4,
            "epochs": 2,
            "learning_rate": 1e-3,
        }
    )
    train(config, tmp_path / "run")
    (tmp_path / "script.py").write_text(classic_script(config), encoding="utf-8")
    runpy.run_path(str(tmp_path / "script.py"))
    run, script = (
        SentenceTransformer(str(folder)).state_dict()
        for folder in (tmp_path / "run" / "model", tmp_path / "trained-model")
    )
    assert run.keys() == script.keys()
    for name, value in run.items():
        assert torch.equal(value, script[name]), name
