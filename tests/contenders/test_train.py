"""The three trainers: the same record of the same training, models that load everywhere, and honest ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.contenders.training import TRAINERS, batches, opened, plan, train
from workbench.contenders import CONTENDERS, installed_contenders
from workbench.contenders.contract import ModelPaths
from workbench.contenders.manual.train import train_manual
from workbench.contenders.train_contract import LossPlan, TrainingBatch, batch_sha256
from workbench.errors import InvalidValueError, TrainingError, UnknownNameError, WorkbenchError

TEXTS = ["the quick brown fox", "Das Wetter in Köln", "", "word " * 80]
EACH = pytest.mark.parametrize("name", list(TRAINERS))


@EACH
def test_a_saved_model_loads_here_and_in_every_contender(still: Path, tmp_path: Path, name: str) -> None:
    _, outcome = train(name, still, tmp_path / "out", 3)
    assert outcome.status == "complete" and outcome.model_folder == tmp_path / "out"
    paths, settings = opened(tmp_path / "out")
    assert (settings.pooling, settings.normalize, settings.max_length) == ("mean", True, 64)
    rows = [CONTENDERS[kind].open(paths, settings).encode(TEXTS) for kind in installed_contenders()]
    for other in rows[1:]:
        np.testing.assert_allclose(other, rows[0], atol=1e-6)
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(tmp_path / "out"), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(plain, rows[0], atol=1e-6)


@EACH
def test_a_record_tells_batch_rate_and_distance(still: Path, tmp_path: Path, name: str) -> None:
    given = batches(4)
    records, outcome = train(name, still, tmp_path / "out", 4, given, warmup_steps=2)
    assert [record.step for record in records] == [1, 2, 3, 4]
    assert [record.learning_rate for record in records] == pytest.approx([0, 1e-5, 2e-5, 1e-5])
    assert [record.batch_sha256 for record in records] == [
        batch_sha256([(batch.columns, batch.labels)]) for batch in given
    ]
    assert outcome.conditions["threads"] == 1 and outcome.conditions["seed"] == 42
    # The distance, measured again from the saved files.
    first, last = (opened(folder)[0].encoder for folder in (still, tmp_path / "out"))
    from safetensors.torch import load_file

    before, after = load_file(first / "model.safetensors"), load_file(last / "model.safetensors")
    moved = sum(float((after[key].double() - before[key].double()).square().sum()) for key in after)
    assert records[-1].weight_distance == pytest.approx(moved**0.5, rel=1e-6)


@EACH
def test_accumulation_averages_the_batches_of_a_step(still: Path, tmp_path: Path, name: str) -> None:
    one, _ = train(name, still, tmp_path / "one", 2, batches(2, size=8))
    two, _ = train(name, still, tmp_path / "two", 2, batches(4, size=4), accumulation=2)
    assert [record.loss for record in two] == pytest.approx([record.loss for record in one], rel=1e-5)


@EACH
def test_a_loss_that_is_not_a_number_stops_the_training(still: Path, tmp_path: Path, name: str) -> None:
    given = batches(4)
    labels: Any = (float("nan"), *given[1].labels[1:])  # type: ignore[index]
    given[1] = replace(given[1], labels=labels)
    told: list[Any] = []
    paths, settings = opened(still)
    with pytest.raises(WorkbenchError) as caught:
        TRAINERS[name](paths, settings, given, plan(4), out=tmp_path / "out", on_step=told.append)
    # Own looks at all labels before the first step.
    assert caught.value.code == ("label-not-finite" if name == "own" else "loss-not-finite")
    assert len(told) == (0 if name == "own" else 1)
    assert not (tmp_path / "out" / "modules.json").exists()


@EACH
def test_weights_that_are_not_finite_are_never_saved(still: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError) as caught:
        train(name, still, tmp_path / "out", 4, learning_rate=1e30, scheduler="ConstantLR", warmup_steps=0)
    assert caught.value.code in ("loss-not-finite", "gradient-not-finite", "weights-not-finite")
    assert not (tmp_path / "out" / "modules.json").exists()


@EACH
def test_the_best_model_by_the_evaluations_is_saved(still: Path, tmp_path: Path, name: str) -> None:
    asked: list[tuple[int, Any]] = []

    def ask(encoder: Any, step: int) -> float:
        asked.append((step, encoder.encode(TEXTS)))
        return [0.5, 0.9, 0.1][len(asked) - 1]

    paths, settings = opened(still)
    records: list[Any] = []
    outcome = TRAINERS[name](
        paths,
        settings,
        batches(6),
        plan(6, steps_per_epoch=3, evaluation_steps=2),
        out=tmp_path / "out",
        on_step=records.append,
        on_evaluate=lambda encoder, step: ask(encoder, step) if step != 6 else None,
    )
    assert [step for step, _ in asked] == [2, 3, 5] and outcome.best_score == 0.9
    saved, own_settings = opened(tmp_path / "out")
    again = CONTENDERS["own"].open(saved, own_settings).encode(TEXTS)
    np.testing.assert_allclose(again, asked[1][1], atol=1e-6)
    assert np.abs(again - asked[2][1]).max() > 1e-5
    # What the evaluator drew and did left no trace in the training.
    plain, _ = train(name, still, tmp_path / "plain", 6)
    assert [record.loss for record in plain] == [record.loss for record in records]


@EACH
def test_patience_and_stop_end_a_training(still: Path, tmp_path: Path, name: str) -> None:
    paths, settings = opened(still)
    scores = iter([0.9, 0.5, 0.4, 0.3])
    early = TRAINERS[name](
        paths,
        settings,
        batches(6),
        plan(6, evaluation_steps=1, patience=2),
        out=tmp_path / "early",
        on_evaluate=lambda encoder, step: next(scores),
    )
    assert (early.status, early.steps, early.best_score) == ("stopped early", 3, 0.9)
    told: list[Any] = []
    stopped = TRAINERS[name](
        paths,
        settings,
        batches(6),
        plan(6),
        out=tmp_path / "stopped",
        on_step=told.append,
        stop=lambda: len(told) == 2,
    )
    assert (stopped.status, stopped.steps, stopped.model_folder) == ("cancelled", 2, None)


@pytest.mark.parametrize("loss", ["TripletLoss", "MatryoshkaLoss"])
def test_the_plain_trainer_names_the_three_losses_it_offers(still: Path, tmp_path: Path, loss: str) -> None:
    with pytest.raises(
        UnknownNameError, match="CosineSimilarityLoss, MultipleNegativesRankingLoss, CoSENTLoss"
    ):
        train("transformers", still, tmp_path / "out", 1, loss=loss)


def test_the_plain_trainer_refuses_arguments_it_does_not_know(still: Path, tmp_path: Path) -> None:
    paths, settings = opened(still)
    wanted = replace(plan(1), loss=LossPlan("CoSENTLoss", {"similarity_fct": "dot_score"}))
    with pytest.raises(InvalidValueError, match="loss-argument-not-offered"):
        train_manual(paths, settings, batches(1), wanted, out=tmp_path / "out")


@EACH
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"total_steps": 3}, "batches-do-not-fill-plan"),
        ({"total_steps": 2, "steps_per_epoch": 3}, "batches-do-not-fill-plan"),
        ({"total_steps": 2, "scheduler": "nonsense"}, "scheduler-unknown"),
        ({"total_steps": 2, "precision": "fp16"}, "precision-needs-a-gpu"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    still: Path, tmp_path: Path, name: str, changes: dict[str, Any], code: str
) -> None:
    paths, settings = opened(still)
    with pytest.raises(WorkbenchError, match=code):
        TRAINERS[name](paths, settings, batches(2), replace(plan(2), **changes), out=tmp_path / "out")


@EACH
def test_settings_that_no_folder_can_carry_are_refused(still: Path, tmp_path: Path, name: str) -> None:
    paths, settings = opened(still)
    with pytest.raises(InvalidValueError, match="setting-not-trainable"):
        TRAINERS[name](paths, replace(settings, use_mask=False), batches(2), plan(2), out=tmp_path / "out")
    ragged = [batches(1)[0], TrainingBatch((("a", "b"), ("c",)), (0.1, 0.2))]
    with pytest.raises(InvalidValueError, match="batch-columns"):
        TRAINERS[name](paths, settings, ragged, plan(2), out=tmp_path / "out")


@EACH
def test_a_prompt_stands_before_every_text(still: Path, tmp_path: Path, name: str) -> None:
    paths, settings = opened(still)
    told: list[Any] = []
    TRAINERS[name](
        paths,
        replace(settings, prompt="query: "),
        batches(1),
        plan(1),
        out=tmp_path / "out",
        on_step=told.append,
    )
    columns = [[f"query: {text}" for text in column] for column in batches(1)[0].columns]
    assert told[0].batch_sha256 == batch_sha256([(columns, batches(1)[0].labels)])


UPSTREAM: dict[str, dict[str, Any]] = {
    "AnglELoss": {"scale": 10.0},
    "TripletLoss": {"distance_metric": "COSINE", "triplet_margin": 0.3},
    "ContrastiveLoss": {"distance_metric": "EUCLIDEAN"},
    "BatchHardTripletLoss": {"distance_metric": "cosine_distance", "margin": 0.2},
    "SoftmaxLoss": {"num_labels": 3, "embedding_dimension": 32},
    "MultipleNegativesSymmetricRankingLoss": {"similarity_fct": "dot_score"},
}


@pytest.mark.parametrize(
    "loss",
    [
        "AnglELoss",
        pytest.param("TripletLoss", marks=pytest.mark.full),
        "ContrastiveLoss",
        pytest.param("BatchHardTripletLoss", marks=pytest.mark.full),
        "SoftmaxLoss",
        pytest.param("MultipleNegativesSymmetricRankingLoss", marks=pytest.mark.full),
    ],
)
def test_other_losses_are_one_training_in_own_and_upstream(still: Path, tmp_path: Path, loss: str) -> None:
    paths, settings = opened(still)
    columns = {"TripletLoss": 3, "BatchHardTripletLoss": 1}.get(loss, 2)
    given = []
    for batch in batches(3):
        texts = (*batch.columns, batch.columns[0][::-1])[:columns]
        labels: Any = batch.labels
        if loss in ("ContrastiveLoss", "BatchHardTripletLoss"):
            labels = (0, 1, 0, 1)
        if loss == "SoftmaxLoss":
            labels = (0, 1, 2, 1)
        given.append(TrainingBatch(texts, labels))
    wanted = replace(plan(3), loss=LossPlan(loss, UPSTREAM[loss]))
    told: dict[str, list[float]] = {"own": [], "upstream": []}
    for name, losses in told.items():
        TRAINERS[name](
            paths,
            settings,
            given,
            wanted,
            out=tmp_path / name,
            on_step=lambda record, losses=losses: losses.append(record.loss),
        )
    assert told["own"] == pytest.approx(told["upstream"], rel=1e-5)


def test_a_dense_layer_is_not_offered_by_the_plain_trainer(still: Path, tmp_path: Path) -> None:
    from workbench import models
    from workbench.sentence_transformer import SentenceTransformer

    parts = list(SentenceTransformer(str(still), device="cpu"))
    SentenceTransformer(modules=[*parts[:2], models.Dense(32, 8)], device="cpu").save(tmp_path / "dense")
    paths, settings = opened(tmp_path / "dense")
    assert isinstance(paths, ModelPaths)
    with pytest.raises(InvalidValueError, match="modules-not-offered"):
        train_manual(paths, settings, batches(1), plan(1), out=tmp_path / "out")


def test_training_leaves_the_threads_as_they_were(still: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    train("upstream", still, tmp_path / "out", 1, threads=before + 1)
    assert torch.get_num_threads() == before
