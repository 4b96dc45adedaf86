"""A training that is stopped and resumed ends with the tensors of one that was not, bit for bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Sampler, WeightedRandomSampler

from tests.training.small import SIZE, Scripted, cosine, loader_of, model_of, pairs
from workbench import losses
from workbench.data.input_example import InputExample
from workbench.errors import CheckpointError, InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.training.checkpoint import newest_checkpoint


@dataclass(frozen=True)
class Setting:
    """How to build the objectives around a model, and the other arguments of ``fit``."""

    objectives: Callable[[Any], list[tuple[Any, Any]]]
    arguments: dict[str, Any]


def classes(count: int) -> list[InputExample]:
    return [InputExample(texts=row.texts, label=n % 3) for n, row in enumerate(pairs(count, seed=7))]


def in_batch(model: Any) -> tuple[Any, Any]:
    return loader_of(pairs(14, 4), 3, shuffle=True, drop_last=True), losses.MultipleNegativesRankingLoss(
        model
    )


SETTINGS = {
    "shuffle": Setting(lambda model: [(loader_of(pairs(13), shuffle=True), cosine(model))], {"epochs": 3}),
    "accumulation": Setting(
        lambda model: [(loader_of(pairs(14), 2, shuffle=True), cosine(model))],
        {"epochs": 3, "gradient_accumulation_steps": 3, "scheduler": "warmupcosine"},
    ),
    "several objectives": Setting(
        lambda model: [
            (loader_of(classes(9), 3, shuffle=True), losses.SoftmaxLoss(model, SIZE, 3)),
            in_batch(model),
        ],
        {"epochs": 3, "evaluator": Scripted(), "evaluation_steps": 2},
    ),
    "own generator, SGD with momentum": Setting(
        lambda model: [
            (
                loader_of(
                    pairs(12),
                    sampler=WeightedRandomSampler([1.0] * 12, 12, generator=torch.Generator().manual_seed(4)),
                ),
                cosine(model),
            )
        ],
        {"epochs": 3, "optimizer_class": torch.optim.SGD, "optimizer_params": {"lr": 0.1, "momentum": 0.9}},
    ),
    "a copy in the loss, bf16": Setting(
        lambda model: [
            (
                losses.ContrastiveTensionDataLoader([row.texts[0] for row in pairs(30)], 4, 4),
                losses.ContrastiveTensionLoss(model),
            )
        ],
        {"epochs": 3, "precision": "bf16", "steps_per_epoch": 3},
    ),
}


def train(folder: Path, setting: Setting, root: Path, **arguments: Any) -> Any:
    model = model_of(folder)
    given = {"warmup_steps": 2, "optimizer_params": {"lr": 1e-3}, "seed": 5, "show_progress_bar": False}
    # A classifier begins with random weights, which the caller chooses; a resumed one has its own.
    torch.manual_seed(11 if newest_checkpoint(root) is None else 12)
    objectives = setting.objectives(model)
    return model.fit(objectives, checkpoint_path=root, **{**given, **setting.arguments, **arguments})


def stop_after(step: int) -> Callable[[], bool]:
    asked = itertools.count(1)
    return lambda: next(asked) >= step


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{path.relative_to(folder)}:{name}": tensor
        for path in sorted(folder.rglob("*.safetensors"))
        for name, tensor in load_file(path).items()
    }


def assert_equal(one: Path, other: Path) -> None:
    first, second = tensors_of(one), tensors_of(other)
    assert first.keys() == second.keys() and len(first) > 40
    differing = [name for name in first if not torch.equal(first[name], second[name])]
    assert differing == []


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("stops", [(3, 2)], ids=str)
def test_resumed_is_uninterrupted(dropping: Path, tmp_path: Path, name: str, stops: tuple[int, ...]) -> None:
    setting = SETTINGS[name]
    whole = train(dropping, setting, tmp_path / "whole")
    assert whole.status == "complete" and whole.total_steps >= 9
    for stop in stops:
        part = train(
            dropping, setting, tmp_path / "parts", resume_from_checkpoint=True, stop=stop_after(stop)
        )
        assert part.status == "cancelled"
    torch.rand(7)
    rest = train(dropping, setting, tmp_path / "parts", resume_from_checkpoint=True)
    assert rest.status == "complete" and rest.resumed_from == sum(stops)
    assert rest.losses == whole.losses and rest.learning_rates == whole.learning_rates
    assert_equal(whole.checkpoint, rest.checkpoint)


@pytest.mark.full
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("stop", range(1, 9))
def test_resumed_at_any_step_is_uninterrupted(dropping: Path, tmp_path: Path, name: str, stop: int) -> None:
    test_resumed_is_uninterrupted(dropping, tmp_path, name, (stop,))


def test_checkpoints_come_in_time_and_keep_their_limit(dropping: Path, tmp_path: Path) -> None:
    result = train(
        dropping, SETTINGS["shuffle"], tmp_path, checkpoint_save_steps=5, checkpoint_save_total_limit=2
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000010", "step-000012"]
    assert result.checkpoint == tmp_path / "step-000012"
    # What is complete stays so.
    again = train(dropping, SETTINGS["shuffle"], tmp_path, resume_from_checkpoint=True)
    assert again.status == "complete" and again.losses == result.losses


def test_a_resume_without_a_checkpoint_begins_and_tells(dropping: Path, tmp_path: Path) -> None:
    result = train(dropping, SETTINGS["shuffle"], tmp_path / "new", resume_from_checkpoint=True)
    assert result.resumed_from is None and "There is no checkpoint yet" in result.notices[0]
    with pytest.raises(CheckpointError, match="checkpoint-missing"):
        train(dropping, SETTINGS["shuffle"], tmp_path, resume_from_checkpoint=tmp_path / "none")
    with pytest.raises(InvalidValueError, match="checkpoint-path-missing"):
        model_of(dropping).fit([], resume_from_checkpoint=True)


CHANGES: dict[str, dict[str, Any]] = {
    "seed": {"seed": 6},
    "optimizer_params, lr": {"optimizer_params": {"lr": 2e-3}},
    "optimizer": {"optimizer_class": torch.optim.Adam},
    "epochs": {"epochs": 4},
    "scheduler": {"scheduler": "constantlr"},
    "warmup_steps": {"warmup_steps": 3},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 2},
    "precision": {"precision": "bf16"},
}


@pytest.fixture(scope="module")
def stopped(dropping: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stopped") / "checkpoints"
    train(dropping, SETTINGS["shuffle"], root, stop=stop_after(3))
    return root / "step-000003"


@pytest.mark.parametrize("name", CHANGES)
def test_other_settings_are_refused_by_name(dropping: Path, stopped: Path, tmp_path: Path, name: str) -> None:
    changed = {"resume_from_checkpoint": stopped, **CHANGES[name]}
    with pytest.raises(InvalidValueError, match=rf"{name}: .* now.*\[resume-differs\]"):
        train(dropping, SETTINGS["shuffle"], tmp_path, **changed)


def test_other_data_loss_batch_size_and_threads_are_refused(
    dropping: Path, stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {
        "data 0": lambda model: [(loader_of(pairs(13, seed=1), shuffle=True), cosine(model))],
        "batches 0, batch_size": lambda model: [(loader_of(pairs(13), 3, shuffle=True), cosine(model))],
        "loss 0, class": lambda model: [(loader_of(pairs(13), shuffle=True), losses.CoSENTLoss(model))],
    }
    for what, objectives in others.items():
        with pytest.raises(WorkbenchError, match=what):
            train(dropping, Setting(objectives, {"epochs": 3}), tmp_path, resume_from_checkpoint=stopped)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    with pytest.raises(InvalidValueError, match="threads: 1 then, 7 now"):
        train(dropping, SETTINGS["shuffle"], tmp_path, resume_from_checkpoint=stopped)


def test_a_fork_goes_on_and_tells_what_differs(dropping: Path, stopped: Path, tmp_path: Path) -> None:
    result = train(
        dropping,
        SETTINGS["shuffle"],
        tmp_path,
        resume_from_checkpoint=stopped,
        resume_fork=True,
        optimizer_params={"lr": 2e-3},
        epochs=2,
    )
    assert result.resumed_from == 3 and result.status == "complete" and result.global_step == 8
    assert any("lr: '0.001' then, '0.002' now" in notice for notice in result.notices)
    assert max(rate for (rate,) in result.learning_rates[3:]) > 1e-3


def test_a_damaged_checkpoint_is_passed_over(dropping: Path, tmp_path: Path) -> None:
    train(dropping, SETTINGS["shuffle"], tmp_path, checkpoint_save_steps=2, stop=stop_after(4))
    (tmp_path / "step-000004" / "model" / "model.safetensors").write_bytes(b"torn")
    result = train(dropping, SETTINGS["shuffle"], tmp_path, resume_from_checkpoint=True)
    assert result.resumed_from == 2 and "Passed over step-000004" in result.notices[0]
    found = newest_checkpoint(tmp_path)
    assert found is not None and found.step == 12


def test_a_sampler_of_hidden_state_is_refused_only_with_checkpoints(dropping: Path, tmp_path: Path) -> None:
    class Hidden(Sampler[int]):
        def __init__(self) -> None:
            self.order = iter(itertools.cycle(range(8)))

        def __iter__(self) -> Any:
            return (next(self.order) for _ in range(8))

        def __len__(self) -> int:
            return 8

    def objectives(model: Any) -> list[tuple[Any, Any]]:
        return [(DataLoader(pairs(8), batch_size=4, sampler=Hidden()), cosine(model))]  # type: ignore[arg-type]

    with pytest.raises(InvalidTypeError, match="loader-not-resumable"):
        train(dropping, Setting(objectives, {}), tmp_path)
    model = model_of(dropping)
    assert model.fit(objectives(model), show_progress_bar=False).status == "complete"
