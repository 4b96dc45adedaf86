"""What was added to the classic training: accumulation, precision, patience, events, reports, stopping."""

from __future__ import annotations

import math
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training.small import (
    Scripted,
    cosine,
    largest_difference,
    loader_of,
    model_of,
    pairs,
    weights,
)
from workbench import losses
from workbench.errors import WorkbenchError
from workbench.training import (
    CheckpointSaved,
    Evaluated,
    Event,
    Finished,
    FitSettings,
    Started,
    Stepped,
    TrainingResult,
)
from workbench.training.loader_state import ReplayedLoader
from workbench.training.objective import Objective, StepFigures, train_step
from workbench.training.reporting import REPORTERS
from workbench.training.row_gradients import RowGradients


def train(model: Any, loader: Any, **arguments: Any) -> TrainingResult:
    given = {"show_progress_bar": False, "warmup_steps": 0, **arguments}
    result: TrainingResult = model.fit([(loader, cosine(model))], **given)
    return result


def test_accumulated_batches_equal_a_larger_one(still: Path) -> None:
    rows = pairs(24)
    small, large = model_of(still), model_of(still)
    # SGD: Adam turns the noise of a gradient that is truly zero into a full step.
    sgd = {"optimizer_class": torch.optim.SGD, "optimizer_params": {"lr": 0.1}}
    parts = train(small, loader_of(rows, 2), gradient_accumulation_steps=3, epochs=2, **sgd)
    whole = train(large, loader_of(rows, 6), epochs=2, **sgd)
    assert parts.total_steps == whole.total_steps == 8
    assert parts.learning_rates == whole.learning_rates
    for part, one in zip(parts.steps, whole.steps, strict=True):
        assert part.losses == pytest.approx(one.losses, abs=1e-6)
        assert part.gradient_norms == pytest.approx(one.gradient_norms, abs=1e-5)
    assert largest_difference(weights(small), weights(large)) <= 1e-6


def test_an_epoch_of_accumulated_batches_is_rounded_up(still: Path) -> None:
    model = model_of(still)
    result = train(model, loader_of(pairs(10), 2), gradient_accumulation_steps=2, epochs=2)
    assert (result.steps_per_epoch, result.total_steps) == (3, 6)


def test_bf16_computes_so_and_keeps_the_weights_in_fp32(still: Path) -> None:
    exact, half = model_of(still), model_of(still)
    one = train(exact, loader_of(pairs(8)))
    other = train(half, loader_of(pairs(8)), precision="bf16")
    assert other.conditions.precision == "bf16" and one.conditions.precision == "fp32"
    assert one.losses != other.losses
    for (a,), (b,) in zip(one.losses, other.losses, strict=True):
        assert a == pytest.approx(b, abs=0.02)
    assert {tensor.dtype for tensor in weights(half).values() if tensor.is_floating_point()} == {
        torch.float32
    }


def test_amp_is_bf16_on_a_cpu_and_fp16_on_a_gpu() -> None:
    settings = FitSettings(use_amp=True)
    assert settings.precision_on(torch.device("cpu")) == "bf16"
    assert settings.precision_on(torch.device("cuda", 0)) == "fp16"
    assert FitSettings(use_amp=True, precision="bf16").precision_on(torch.device("cuda")) == "bf16"


@pytest.mark.parametrize(
    ("scores", "patience", "threshold", "asked"),
    [
        ([1, 2, 1, 1, 5, 5], 2, 0.0, 4),
        ([1, 1.05, 1.1, 1.15, 9, 9], 3, 0.2, 4),
        ([1, 1.25, 1.5, 1.5, 1.75, 2], 2, 0.2, 6),
        ([None, None, 3, 3, 3, 3], 2, 0.0, 2),
    ],
    ids=str,
)
def test_training_stops_when_patience_runs_out(
    still: Path, scores: list[Any], patience: int, threshold: float, asked: int
) -> None:
    model = model_of(still)
    evaluator = Scripted(scores)
    result = train(
        model,
        loader_of(pairs(4)),
        epochs=6,
        evaluator=evaluator,
        early_stopping_patience=patience,
        early_stopping_threshold=threshold,
    )
    assert len(evaluator.calls) == asked == result.global_step
    assert result.status == ("complete" if asked == 6 else "stopped early")


def test_patience_is_kept_over_a_resume(still: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "epochs": 6,
        "early_stopping_patience": 2,
        "checkpoint_path": tmp_path,
        "seed": 1,
        "resume_from_checkpoint": True,
    }
    first = train(model_of(still), loader_of(pairs(4)), evaluator=Scripted([3, 1]), **given, stop=_after(2))
    assert first.status == "cancelled" and first.scores == (3, 1)
    rest = train(model_of(still), loader_of(pairs(4)), evaluator=Scripted([2, 9]), **given)
    assert rest.status == "stopped early" and rest.scores == (3, 1, 2) and rest.best_score == 3
    again = train(model_of(still), loader_of(pairs(4)), evaluator=Scripted([9]), **given)
    assert again.status == "stopped early" and again.scores == (3, 1, 2)


def _after(step: int) -> Any:
    left = [step]

    def stop() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return stop


def test_events_tell_the_training(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    events: list[Event] = []
    result = train(
        model,
        loader_of(pairs(8)),
        epochs=2,
        evaluator=Scripted(),
        progress=events.append,
        checkpoint_path=tmp_path / "checkpoints",
        checkpoint_save_steps=3,
    )
    kinds = [Stepped, Stepped, Evaluated, Stepped, CheckpointSaved, Stepped, Evaluated, CheckpointSaved]
    assert [type(event) for event in events] == [Started, *kinds, Finished]
    steps = [event for event in events if isinstance(event, Stepped)]
    assert tuple(steps) == result.steps
    assert [(e.epoch, e.step, e.global_step) for e in steps] == [(0, 1, 1), (0, 2, 2), (1, 1, 3), (1, 2, 4)]
    assert all(e.tokens > 0 and e.tokens_per_second > 0 and e.gradient_norms[0] > 0 for e in steps)
    assert steps[0].seconds_left > 0 == steps[-1].seconds_left
    saved = [event for event in events if isinstance(event, CheckpointSaved)]
    assert [event.folder.name for event in saved] == ["step-000003", "step-000004"]
    last = events[-1]
    assert isinstance(last, Finished) and (last.status, last.best_score) == ("complete", 2.0)


def test_a_stop_leaves_a_checkpoint_and_no_saved_model(still: Path, tmp_path: Path) -> None:
    model = model_of(still)
    result = train(
        model,
        loader_of(pairs(16)),
        stop=_after(2),
        checkpoint_path=tmp_path / "checkpoints",
        output_path=tmp_path / "out",
    )
    assert (result.status, result.global_step) == ("cancelled", 2)
    assert result.checkpoint == tmp_path / "checkpoints" / "step-000002"
    assert not (tmp_path / "out").exists() and result.output_path is None
    done = train(model_of(still), loader_of(pairs(4)), stop=lambda: True)
    assert done.status == "complete"


def test_a_seed_gives_the_same_training_again(dropping: Path) -> None:
    def once(seed: int) -> Any:
        return train(model_of(dropping), loader_of(pairs(12), shuffle=True), seed=seed).losses

    assert once(3) == once(3) != once(4)


@pytest.mark.parametrize("name", ["tensorboard", "trackio", "wandb", "mlflow"])
def test_reports_reach_the_logger(
    still: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logged: list[tuple[str, float]] = []
    closed: list[str] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path / "eval" / "runs")

        def add_scalar(self, key: str, value: float, step: int) -> None:
            logged.append((key, value))

        def close(self) -> None:
            closed.append("closed")

    def log(values: dict[str, float], step: int | None = None) -> None:
        logged.extend(values.items())

    fake: Any = types.ModuleType(name)
    fake.SummaryWriter, fake.log, fake.log_metrics, fake.run = Writer, log, log, None
    fake.init = fake.start_run = lambda **given: None
    fake.active_run = lambda: None
    fake.finish = fake.end_run = lambda: closed.append("closed")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard" if name == "tensorboard" else name, fake)
    model = model_of(still)
    result = train(model, loader_of(pairs(8)), evaluator=Scripted(), report_to=[name], output_path=tmp_path)
    assert [value for key, value in logged if key == "train/loss"] == [loss for (loss,) in result.losses]
    assert ("eval/score", 1.0) in logged and closed == ["closed"]


def test_an_evaluator_that_gives_no_number_is_refused(still: Path) -> None:
    with pytest.raises(WorkbenchError, match="evaluator-result"):
        train(model_of(still), loader_of(pairs(4)), evaluator=lambda *_, **__: "good")
    with pytest.raises(WorkbenchError, match="evaluator-not-callable"):
        train(model_of(still), loader_of(pairs(4)), evaluator=3)


def test_the_bars_are_the_classic_ones(still: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(model_of(still), loader_of(pairs(8)), show_progress_bar=True, epochs=2)
    shown = capsys.readouterr().err
    assert "Epoch: 100%" in shown and "2/2" in shown and "Iteration: 100%" in shown


def test_a_frozen_encoder_and_a_loss_that_is_trained(still: Path) -> None:
    model = model_of(still)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with pytest.raises(WorkbenchError, match="nothing-to-train"):
        train(model, loader_of(pairs(4)))
    before = weights(model)
    rows = pairs(4)
    for row in rows:
        row.label = int(row.label > 0.5)
    model.fit([(loader_of(rows), losses.SoftmaxLoss(model, 32, 2))], show_progress_bar=False)
    assert largest_difference(before, weights(model)) == 0


def test_a_step_that_overflows_in_fp16_is_skipped_and_the_schedule_waits(still: Path) -> None:
    """The scaler of fp16 as it runs on a GPU, here on the CPU with the forward pass in fp32."""
    model = model_of(still)
    loss = losses.CosineSimilarityLoss(
        model, loss_fct=lambda got, wanted: 100 * (got - wanted).square().mean()
    )
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.1)
    replayed = ReplayedLoader(loader_of(pairs(12)), must_resume=False)
    objective = Objective("objective", replayed.loader, replayed, loss, optimizer, (0.1,))
    scaler = torch.amp.GradScaler("cpu", init_scale=3e38)
    before = weights(model)

    def step() -> StepFigures:
        return train_step(
            objective,
            model,
            scaler,
            row_gradients=RowGradients(None),
            precision="fp32",
            micro_batches=1,
            max_grad_norm=1,
            where="here",
        )

    figures = step()
    assert not math.isfinite(figures.gradient_norm) and math.isfinite(figures.loss)
    assert objective.scheduled == 0 and largest_difference(before, weights(model)) == 0
    scaler.update(1024.0)
    figures = step()
    assert math.isfinite(figures.gradient_norm)
    assert objective.scheduled == 1 and largest_difference(before, weights(model)) > 0


def test_whole_numbers_of_any_kind_are_taken() -> None:
    settings = FitSettings(epochs=np.int64(3), steps_per_epoch=4.0, warmup_steps=1.5, evaluation_steps=None)  # type: ignore[arg-type]
    assert (settings.epochs, settings.steps_per_epoch, settings.warmup_steps) == (3, 4, 1.5)
    assert type(settings.epochs) is int and type(settings.steps_per_epoch) is int


def test_the_classic_script_runs_with_its_import_changed(still: Path) -> None:
    """The five steps of the article; the model's name and the figures are all that was filled in."""
    from torch import nn
    from torch.utils.data import DataLoader

    from workbench import InputExample, SentenceTransformer, evaluation, losses, models

    train_examples = [
        InputExample(texts=["My first sentence", "My second sentence"], label=0.8),
        InputExample(texts=["Another pair", "Unrelated sentence"], label=0.3),
    ]
    train_dataloader = DataLoader(train_examples, shuffle=True, batch_size=16)
    eval_dataloader = DataLoader(pairs(8), shuffle=False, batch_size=4)
    word_embedding_model = models.Transformer(str(still), max_seq_length=32)
    pooling_model = models.Pooling(word_embedding_model.get_word_embedding_dimension())
    model = SentenceTransformer(modules=[word_embedding_model, pooling_model], device="cpu")
    before = weights(model)
    train_loss = losses.CosineSimilarityLoss(model)
    evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
        eval_dataloader, batch_size=1, name="sts-dev"
    )
    model.fit(
        train_objectives=[(train_dataloader, train_loss)],
        epochs=2,
        warmup_steps=1,
        evaluator=evaluator,
        evaluation_steps=1,
    )
    assert isinstance(train_loss, nn.Module) and largest_difference(before, weights(model)) > 1e-6


def test_loggers_are_closed_when_a_training_fails(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    class Recorder:
        def __init__(self, folder: Path) -> None:
            pass

        def log(self, values: dict[str, float], step: int) -> None:
            raise OSError("no connection")

        def close(self) -> None:
            closed.append("closed")

    monkeypatch.setitem(REPORTERS, "wandb", Recorder)
    with pytest.raises(OSError, match="no connection"):
        train(model_of(still), loader_of(pairs(4)), report_to=["wandb"])
    assert closed == ["closed"]
