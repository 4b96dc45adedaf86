"""A training from its config to a folder: a model that loads, a config that repeats it, an exact resume."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.models.tiny import write_upstream
from workbench import SentenceTransformer
from workbench.errors import WorkbenchError
from workbench.recipe.config import DataConfig, LossConfig, ModelConfig, TrainingConfig
from workbench.recipe.train import resumed_config, train
from workbench.training.events import Stepped


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainingConfig:
    """A few steps of a tiny model on the bundled pairs."""
    folder = write_upstream(tmp_path_factory.mktemp("tiny"), "bert")
    return TrainingConfig(
        model=ModelConfig(name=str(folder)),
        data=DataConfig(view="scored"),
        loss=LossConfig(name="CoSENTLoss"),
        max_steps=6,
        batch_size=8,
        learning_rate=1e-3,
        checkpoint_steps=2,
        threads=1,
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_the_folder_holds_a_model_and_what_repeats_it(config: TrainingConfig, tmp_path: Path) -> None:
    out = tmp_path / "run"
    trained = train(config, out)
    assert trained.result.status == "complete"
    assert trained.result.global_step == 6
    assert trained.model_folder == out / "model"
    assert SentenceTransformer(str(out / "model")).encode("text").shape == (32,)
    assert resumed_config(out) == config
    again = train(resumed_config(out), tmp_path / "again")
    assert again.result.losses == trained.result.losses


def test_a_stopped_training_goes_on_to_the_same_weights(config: TrainingConfig, tmp_path: Path) -> None:
    whole = train(config, tmp_path / "whole")
    steps = 0

    def count(event: object) -> None:
        nonlocal steps
        steps += isinstance(event, Stepped)

    stopped = train(config, tmp_path / "run", progress=count, stop=lambda: steps >= 3)
    assert stopped.result.status == "cancelled"
    assert stopped.result.global_step == 3
    resumed = train(resumed_config(tmp_path / "run"), tmp_path / "run", resume=True)
    assert resumed.result.resumed_from == 3
    assert whole.model_folder is not None and resumed.model_folder is not None
    expected, found = weights(whole.model_folder), weights(resumed.model_folder)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_folder_that_holds_something_is_not_trained_into(config: TrainingConfig, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkbenchError) as caught:
        train(config, tmp_path)
    assert caught.value.code == "folder-not-empty"
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_without_a_run_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        resumed_config(tmp_path)
    assert caught.value.code == "no-run-here"


def test_what_does_not_fit_is_told_before_the_folder_is_made(config: TrainingConfig, tmp_path: Path) -> None:
    wrong = config.model_copy(update={"loss": LossConfig(name="TripletLoss")})
    with pytest.raises(WorkbenchError) as caught:
        train(wrong, tmp_path / "run")
    assert caught.value.code == "view-does-not-fit"
    assert not (tmp_path / "run").exists()


def test_new_layers_are_drawn_by_the_seed(config: TrainingConfig, tmp_path: Path) -> None:
    dense = config.model_copy(
        update={"model": config.model.model_copy(update={"dense": 4}), "max_steps": 1, "checkpoint_steps": 0}
    )
    first, second = (train(dense, tmp_path / name) for name in ("one", "two"))
    other = train(dense.model_copy(update={"seed": 7}), tmp_path / "three")
    assert first.result.losses == second.result.losses != other.result.losses
