"""Two trainings side by side: they agree where they are one, and each cause switched on is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.contenders.training import batches, plan, train
from tests.training.small import write_model
from workbench.compare.training_causes import SENTENCES
from workbench.compare.training_parity import Noise, Recorded, training_parity
from workbench.contenders.manual import losses as manual_losses
from workbench.contenders.train_contract import StepRecord
from workbench.errors import InvalidValueError
from workbench.sentence_transformer import SentenceTransformer
from workbench.training import optimizers

STEPS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("parity"), dropout=0.1)


def recorded(
    name: str, folder: Path, out: Path, steps: int = STEPS, given: Any = None, **changes: Any
) -> Recorded:
    records, outcome = train(name, folder, out, steps, given, **changes)
    return Recorded(name, plan(steps, **changes), records, outcome.start)


@pytest.fixture(scope="module")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded("own", folder, tmp_path_factory.mktemp("base") / "m")


@pytest.mark.parametrize(
    "loss",
    ["CosineSimilarityLoss", pytest.param("MultipleNegativesRankingLoss", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("other", ["upstream", "transformers"])
def test_fifty_steps_without_dropout_are_one_training(
    folder: Path, tmp_path: Path, other: str, loss: str
) -> None:
    found = training_parity(
        recorded("own", folder, tmp_path / "a", 50, loss=loss),
        recorded(other, folder, tmp_path / "b", 50, loss=loss),
    )
    assert found.agree, found.steps[(found.first_step or 1) - 1]
    assert found.cause is None
    assert len(found.steps) == 50 and all(step.same_batch for step in found.steps)
    assert found.largest_loss_difference <= 1e-5


@pytest.mark.full
@pytest.mark.parametrize("other", ["upstream", "transformers"])
def test_fifty_steps_of_the_bundled_model(bundled: Path, tmp_path: Path, other: str) -> None:
    found = training_parity(
        recorded("own", bundled, tmp_path / "a", 50), recorded(other, bundled, tmp_path / "b", 50)
    )
    assert found.agree and found.largest_loss_difference <= 1e-5


def summed(columns: Any, labels: Any, scale: float) -> torch.Tensor:
    return manual_losses.cosine_regression(columns, labels, scale) * len(columns[0])


Side = Callable[[Path, Path, pytest.MonkeyPatch], Recorded]


def other_order(folder: Path, out: Path, patch: pytest.MonkeyPatch) -> Recorded:
    return recorded("upstream", folder, out, given=batches(STEPS)[:2] + batches(STEPS)[:1:-1])


def other_sum(folder: Path, out: Path, patch: pytest.MonkeyPatch) -> Recorded:
    patch.setattr(manual_losses, "_LOSSES", {"CosineSimilarityLoss": (summed, False)})
    return recorded("transformers", folder, out)


def other_weights(folder: Path, out: Path, patch: pytest.MonkeyPatch) -> Recorded:
    model = SentenceTransformer(str(folder), device="cpu")
    with torch.no_grad():
        next(model.parameters()).mul_(1.01)
    model.save(out / "changed")
    return recorded("upstream", out / "changed", out / "m")


def other_groups(folder: Path, out: Path, patch: pytest.MonkeyPatch) -> Recorded:
    patch.setattr(optimizers, "_NO_DECAY", ())
    return recorded("own", folder, out)


def changed(name: str = "upstream", **changes: Any) -> Side:
    return lambda folder, out, patch: recorded(name, folder, out, **changes)


CAUSES: dict[str, tuple[str, str, int, str, Side]] = {
    # What is switched on → the cause, what parts first, by which step at the latest, by which evidence.
    "other order": ("order", "batch", 3, "recorded", other_order),
    "a longer warm-up": ("schedule", "learning_rate", 1, "recorded", changed(warmup_steps=2)),
    "another schedule": ("schedule", "learning_rate", 2, "recorded", changed(scheduler="ConstantLR")),
    "stronger decay": ("decay-groups", "weight_distance", 5, "recorded", changed(weight_decay=0.2)),
    "decay of all": ("decay-groups", "weight_distance", 5, "recorded", other_groups),
    "tighter clipping": ("clipping", "weight_distance", 2, "recorded", changed(max_grad_norm=0.25)),
    "dropout": ("dropout-stream", "loss", 1, "planned", changed(dropout=True)),
    "a sum for a mean": ("loss-reduction", "loss", 1, "recorded", other_sum),
    # Whether the first loss already shows it depends on how a machine rounds: the gradients do everywhere.
    "half precision": ("precision", "loss|gradient_norm", 1, "planned", changed(precision="bf16")),
    "other weights": ("initial-weights", "loss", 1, "recorded", other_weights),
    "accumulation": ("accumulation", "batch", 1, "planned", changed(accumulation=2)),
    "another loss": ("loss-formula", "loss", 1, "planned", changed(loss="CoSENTLoss")),
}


@pytest.mark.parametrize("name", list(CAUSES))
def test_a_cause_switched_on_is_named(
    base: Recorded, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    cause, quantity, latest, evidence, switched = CAUSES[name]
    found = training_parity(base, switched(folder, tmp_path / "m", monkeypatch))
    assert found.cause is not None and found.first_step is not None
    assert (found.cause.name, found.cause.evidence) == (cause, evidence)
    assert found.quantity in quantity.split("|")
    assert found.first_step <= latest
    assert "{" not in found.cause.sentence and found.cause.name in SENTENCES


def test_another_dropout_stream_is_named_where_both_drop(folder: Path, tmp_path: Path) -> None:
    sides = [recorded("own", folder, tmp_path / str(seed), 3, dropout=True, seed=seed) for seed in (1, 2)]
    found = training_parity(*sides)
    assert found.cause is not None and found.cause.name == "dropout-stream"


def line(step: int, **values: float) -> StepRecord:
    return replace(StepRecord(step, "a", 0.5, 1e-5, 0.5, step * 0.1, 0.0), **values)


def made(*steps: StepRecord, **changes: Any) -> Recorded:
    return Recorded("made", plan(3, **changes), steps)


def test_noise_grows_with_the_steps_and_is_the_callers_to_widen() -> None:
    left = made(*(line(step) for step in range(1, 12)))
    right = made(*(line(step, loss=0.5 + 7.6e-6) for step in range(1, 12)))
    found = training_parity(left, right)
    assert [bool(step.beyond) for step in found.steps] == [True] * 6 + [False] * 5
    assert training_parity(left, right, Noise(loss=1e-4)).agree


def test_what_is_not_a_number_never_agrees() -> None:
    nan = float("nan")
    found = training_parity(made(line(1, loss=nan)), made(line(1, loss=nan)))
    assert not found.agree and found.cause is not None and found.cause.name == "unknown"


def test_a_shorter_training_is_compared_as_far_as_it_went() -> None:
    found = training_parity(made(line(1), line(2)), made(line(1)))
    assert found.agree and found.unequal_length == 1 and len(found.steps) == 1


def test_no_steps_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="no-steps"):
        training_parity(made(), made(line(1)))
