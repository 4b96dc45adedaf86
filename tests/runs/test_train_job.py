"""The training job on a tiny model: three ways and a proof, stopped and gone on with, refused settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.models.tiny import write_upstream
from workbench import SentenceTransformer
from workbench.errors import WorkbenchError
from workbench.persistence.source import hand_over
from workbench.runs.environment import child_environment, on_zero_gpu
from workbench.runs.job import JobContext
from workbench.runs.job_config import training_config
from workbench.runs.metrics import MetricsWriter, effective, read_since
from workbench.runs.train_job import train

STEPS = 4


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A config of a few steps without dropout."""
    folder = write_upstream(tmp_path_factory.mktemp("tiny"), "bert")
    return {
        "model": {"name": str(folder)},
        "data": {"view": "scored"},
        "loss": {"name": "CoSENTLoss"},
        "max_steps": STEPS,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "warmup": 0,
        "checkpoint_steps": 1,
        "dropout": False,
        "threads": 1,
    }


def context(
    folder: Path, config: dict[str, Any], *, attempt: int = 1, stop: Callable[[], bool] = lambda: False
) -> JobContext:
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    return JobContext(folder, config, attempt, stop, MetricsWriter(folder / "metrics.jsonl"))


def reported(folder: Path) -> list[Any]:
    return effective(read_since(folder / "metrics.jsonl").lines)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


@pytest.fixture
def on_a_space(training: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The same config on a Space, where no folder may be read by its path, not even one of the run's own."""
    model = {"name": hand_over(Path(training["model"]["name"]))}
    monkeypatch.setenv("SPACE_ID", "ann/space")
    return {**training, "model": model}


def test_three_ways_end_in_one_result(on_a_space: dict[str, Any], tmp_path: Path) -> None:
    training = on_a_space
    ways = ["own", "upstream", "transformers"]
    result = train(context(tmp_path, {"training": training, "ways": ways}))
    assert result is not None
    json.dumps(result, allow_nan=False)
    assert [fact["way"] for fact in result["trainings"]] == ways
    assert all(one["agree"] for one in result["parity"]), result["parity"]
    side = result["side_by_side"]
    assert [model["name"] for model in side["models"]] == ["base", *ways]
    assert side["failures"] == {}
    assert all(one["max_abs"] <= 1e-6 for one in side["contenders"])
    assert [proof["way"] for proof in result["proofs"]] == ways
    assert {proof["verdict"]["outcome"] for proof in result["proofs"]} <= {"better", "worse", "not shown"}
    for way in ways:
        assert "<script" not in (tmp_path / f"proof-{way}.html").read_text(encoding="utf-8")
        assert SentenceTransformer(hand_over(tmp_path / f"{way}-42" / "model")).encode("text").shape == (32,)
    lines = [line for line in reported(tmp_path) if "loss" in line["values"]]
    assert [line["step"] for line in lines] == list(range(1, 3 * STEPS + 1))
    assert {line["values"]["way"] for line in lines} == {0, 1, 2}


@pytest.mark.parametrize(("ways", "packed"), [(["own"], True), (["own", "upstream"], False)])
def test_own_runs_without_padding_where_nothing_is_laid_beside_it(
    on_a_space: dict[str, Any], tmp_path: Path, ways: list[str], packed: bool
) -> None:
    assert train(context(tmp_path, {"training": on_a_space, "ways": ways, "prove": False})) is not None
    assert f"packed={packed}" in (tmp_path / "own-42" / "script.py").read_text(encoding="utf-8")


def test_other_models_stand_in_the_proof_and_one_that_fails_loses_nothing(
    training: dict[str, Any], tmp_path: Path
) -> None:
    other = write_upstream(tmp_path / "other", "distilbert")
    gone = str(tmp_path / "gone")
    base = training["model"]["name"]
    config = {"training": training, "others": [str(other), gone, base]}
    result = train(context(tmp_path / "run", config))
    assert result is not None and len(result["trainings"]) == 1
    (proof,) = result["proofs"]
    assert [(one["name"], one["role"]) for one in proof["models"]] == [
        (base, "base"),
        ("trained by own", "tuned"),
        (str(other), "other"),
    ]
    assert proof["best_other"] == str(other)
    told = [one["text"] for one in proof["verdict"]["reasons"] if one["key"] == "other-undefined"]
    assert len(told) == 1 and gone in told[0] and "[model-folder-missing]" in told[0]


def test_a_stopped_job_goes_on_to_the_same_weights(on_a_space: dict[str, Any], tmp_path: Path) -> None:
    config = {"training": {**on_a_space, "dropout": True}, "seeds": 2, "prove": False}
    whole = train(context(tmp_path / "whole", config))
    assert whole is not None and len(whole["trainings"]) == 2
    folder = tmp_path / "run"

    def after_some() -> bool:
        # In the midst of the second seed's training.
        return len(reported(folder)) > STEPS + 2

    assert train(context(folder, config, stop=after_some)) is None
    first = weights(folder / "own-42")
    resumed = train(context(folder, config, attempt=2))
    assert resumed is not None
    assert [fact["seed"] for fact in resumed["trainings"]] == [42, 43]
    for seed in (42, 43):
        expected, found = weights(tmp_path / "whole" / f"own-{seed}"), weights(folder / f"own-{seed}")
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert all(torch.equal(value, first[name]) for name, value in weights(folder / "own-42").items())
    steps = [line["step"] for line in reported(folder) if "loss" in line["values"]]
    assert steps == list(range(1, 2 * STEPS + 1))


def test_a_file_that_came_with_the_run_is_found_by_its_name_alone(
    training: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    (folder / "inputs").mkdir(parents=True)
    rows = [f"first {row},second {row},{row % 2}" for row in range(80)]
    text = "\n".join(["sentence1,sentence2,score", *rows])
    (folder / "inputs" / "data.csv").write_text(text, encoding="utf-8")
    data = {"source": "input:../../inputs/data.csv"}
    result = train(context(folder, {"training": {**training, "data": data}, "prove": False}))
    assert result is not None


def test_on_zero_gpu_a_run_trains_on_the_cpu_whatever_was_asked(
    training: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on such a Space, where the page believes in a GPU that no other process has.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for device in (None, "cuda"):
        asked = context(tmp_path / str(device), {"training": {**training, "device": device}, "prove": False})
        assert training_config(asked).device == device
        monkeypatch.setenv("SPACES_ZERO_GPU", "true")
        assert training_config(asked).device == "cpu"
        result = train(asked)
        assert result is not None and result["trainings"][0]["steps"] == STEPS
        monkeypatch.delenv("SPACES_ZERO_GPU")


@pytest.mark.parametrize("value", ["true", "1", "True"])
def test_a_child_hears_of_zero_gpu(value: str) -> None:
    kept = child_environment({"SPACES_ZERO_GPU": value})
    assert on_zero_gpu(kept)
    assert not on_zero_gpu({}) and not on_zero_gpu({"SPACES_ZERO_GPU": "false"})


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"seeds": 0}, "seeds-out-of-range"),
        ({"seeds": True}, "seeds-out-of-range"),
        ({"ways": ["mine"]}, "ways-unknown"),
        ({"ways": ["own", "own"]}, "ways-unknown"),
        ({"ways": [["own"]]}, "ways-unknown"),
        ({"training": {"epochs": 0}}, "config-invalid"),
    ],
)
def test_wrong_settings_are_refused(config: dict[str, Any], code: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        train(context(tmp_path, config))
    assert caught.value.code == code


def test_the_job_names_every_way() -> None:
    from workbench.recipe.ways import WAYS as TABLE
    from workbench.runs.train_job import WAYS

    assert tuple(TABLE) == WAYS
