"""One config trained three ways: the same batches, the same training, the same evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contenders.training import run_script
from workbench.compare.training_parity import training_parity
from workbench.contenders.train_contract import StepRecord, batch_sha256
from workbench.errors import InvalidValueError, UnknownNameError
from workbench.recipe.config import TrainingConfig, checked_config
from workbench.recipe.prepare import prepare
from workbench.recipe.step_file import read_steps
from workbench.recipe.ways import WAYS, WayOutcome, WayStarted, batches_of, offered_losses, train_way
from workbench.sentence_transformer import SentenceTransformer
from workbench.training.events import Evaluated, Stepped

ANCHORS = {"sentence1": "anchor", "sentence2": "positive", "score": "ignore"}


def config_of(made: dict[str, Any], **changes: Any) -> TrainingConfig:
    if "Ranking" in str(changes.get("loss")):
        changes["data"] = {**made["data"], "roles": ANCHORS}
    return checked_config({**made, **changes})


@pytest.fixture(scope="module")
def outcomes(made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, WayOutcome]:
    folder = tmp_path_factory.mktemp("runs")
    return {name: train_way(name, config_of(made), folder / name) for name in WAYS}


def test_all_three_are_one_training_on_the_same_batches(outcomes: dict[str, WayOutcome], made: Any) -> None:
    planned = batches_of(prepare(config_of(made)))
    expected = [batch_sha256([(batch.columns, batch.labels)]) for batch in planned]
    for outcome in outcomes.values():
        assert [step.batch_sha256 for step in outcome.steps] == expected
        assert outcome.status == "complete" and outcome.model_folder == outcome.folder / "model"
    for other in ("upstream", "transformers"):
        found = training_parity(outcomes["own"].recorded, outcomes[other].recorded)
        assert found.agree, found.cause


def test_all_three_ask_the_same_evaluator_at_the_same_steps(outcomes: dict[str, WayOutcome]) -> None:
    own = outcomes["own"].evaluations
    assert [event.global_step for event in own] == [3, 4, 7, 8]
    for outcome in outcomes.values():
        assert [(e.epoch, e.step, e.global_step, e.best) for e in outcome.evaluations] == [
            (e.epoch, e.step, e.global_step, e.best) for e in own
        ]
        assert [e.score for e in outcome.evaluations] == pytest.approx([e.score for e in own], abs=1e-6)
        assert outcome.best_score == pytest.approx(outcomes["own"].best_score, abs=1e-6)


def test_each_leaves_its_steps_and_a_model_that_loads(outcomes: dict[str, WayOutcome]) -> None:
    rows = []
    for outcome in outcomes.values():
        assert read_steps(outcome.folder / "steps.jsonl") == outcome.steps
        rows.append(SentenceTransformer(str(outcome.model_folder), device="cpu").encode(["Köln", "fox"]))
    assert abs(rows[1] - rows[0]).max() <= 1e-5 and abs(rows[2] - rows[0]).max() <= 1e-5


def test_each_leaves_the_script_that_trains_the_same_again(outcomes: dict[str, WayOutcome]) -> None:
    for outcome in outcomes.values():
        code = (outcome.folder / "script.py").read_text(encoding="utf-8")
        assert repr(outcome.steps[-1].loss) in code
        compile(code, "script.py", "exec")


@pytest.mark.full
@pytest.mark.parametrize("name", list(WAYS))
def test_the_script_of_a_run_runs_in_its_folder(outcomes: dict[str, WayOutcome], name: str) -> None:
    assert "largest difference" in run_script(outcomes[name].folder)


def test_own_alone_trains_the_same_without_padding_and_its_script_says_so(
    outcomes: dict[str, WayOutcome], made: Any, tmp_path: Path
) -> None:
    outcome = train_way("own", config_of(made), tmp_path / "run", packed=True)

    padded = outcomes["own"].steps
    assert [step.batch_sha256 for step in outcome.steps] == [step.batch_sha256 for step in padded]
    assert [step.loss for step in outcome.steps] == pytest.approx([step.loss for step in padded], abs=1e-5)
    assert "packed=True" in (tmp_path / "run" / "script.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("loss", ["CosineSimilarityLoss", "MultipleNegativesRankingLoss"])
def test_all_three_draw_the_same_dropout(made: Any, tmp_path: Path, loss: str) -> None:
    config = config_of(made, dropout=True, loss={"name": loss})
    runs = [train_way(name, config, tmp_path / name) for name in WAYS]
    for other in runs[1:]:
        found = training_parity(runs[0].recorded, other.recorded)
        assert found.agree, found.cause


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "packed"), [("own", True), ("own", False), ("upstream", False), ("transformers", False)]
)
@pytest.mark.parametrize("loss", ["CosineSimilarityLoss", "MultipleNegativesRankingLoss"])
def test_a_script_draws_the_same_dropout(
    made: Any, tmp_path: Path, loss: str, name: str, packed: bool
) -> None:
    config = config_of(made, dropout=True, loss={"name": loss})
    train_way(name, config, tmp_path / "run", packed=packed)
    assert "largest difference" in run_script(tmp_path / "run")


def test_own_resumes_and_its_steps_are_those_of_a_whole_run(
    outcomes: dict[str, WayOutcome], made: Any, tmp_path: Path
) -> None:
    told: list[Any] = []
    config = config_of(made, checkpoint_steps=2)
    stopped = train_way("own", config, tmp_path / "run", progress=told.append, stop=lambda: len(told) > 4)
    assert stopped.status == "cancelled" and isinstance(told[0], WayStarted)
    again = train_way("own", config, tmp_path / "run", progress=told.append, resume=True)
    assert again.status == "complete"
    compared = [(step.step, step.batch_sha256, step.loss, step.weight_distance) for step in again.steps]
    assert compared == [
        (step.step, step.batch_sha256, step.loss, step.weight_distance) for step in outcomes["own"].steps
    ]
    assert {type(event) for event in told} == {WayStarted, Stepped, StepRecord, Evaluated}


def test_max_steps_and_accumulation_take_the_same_batches(made: Any, tmp_path: Path) -> None:
    config = config_of(made, max_steps=5, gradient_accumulation_steps=3, evaluator="none")
    runs = [train_way(name, config, tmp_path / name) for name in ("own", "upstream")]
    assert len(runs[0].steps) == len(runs[1].steps) == prepare(config).total_steps
    assert training_parity(runs[0].recorded, runs[1].recorded).agree


def test_changed_modules_reach_every_way(made: Any, tmp_path: Path) -> None:
    config = config_of(
        made, model={**made["model"], "dense": 8, "normalize": False}, max_steps=2, evaluator="none"
    )
    runs = [train_way(name, config, tmp_path / name) for name in ("own", "upstream")]
    assert training_parity(runs[0].recorded, runs[1].recorded).agree
    with pytest.raises(InvalidValueError, match="modules-not-offered"):
        train_way("transformers", config, tmp_path / "manual")


@pytest.mark.full
@pytest.mark.parametrize("loss", ["MultipleNegativesRankingLoss", "CoSENTLoss"])
def test_other_losses_too(made: Any, tmp_path: Path, loss: str) -> None:
    config = config_of(made, loss={"name": loss}, evaluator="none")
    ways = [name for name in WAYS if loss in offered_losses(name)]
    runs = [train_way(name, config, tmp_path / name) for name in ways]
    assert all(training_parity(runs[0].recorded, run.recorded).agree for run in runs[1:])


def test_what_a_way_does_not_offer_is_refused(made: Any, tmp_path: Path) -> None:
    assert set(offered_losses("transformers")) < set(offered_losses("upstream")) < set(offered_losses("own"))
    with pytest.raises(UnknownNameError, match="loss-not-offered"):
        train_way("transformers", config_of(made, loss={"name": "TripletLoss"}), tmp_path / "a")
    with pytest.raises(InvalidValueError, match="way-cannot-resume"):
        train_way("upstream", config_of(made), tmp_path / "a", resume=True)
    with pytest.raises(UnknownNameError, match="way-unknown"):
        train_way("other", config_of(made), tmp_path / "a")
    assert not (tmp_path / "a").exists()
