"""Train, dev and test parts of the bundled desk and of files, matched to a loss by role."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from workbench.data.normalise import normalised
from workbench.errors import WorkbenchError
from workbench.recipe.build_evaluator import build_evaluator
from workbench.recipe.config import DataConfig, LossConfig
from workbench.recipe.prepare import loss_needs
from workbench.recipe.read_examples import load_examples, load_held_out


def needs(name: str) -> object:
    return loss_needs(LossConfig(name=name))


def written(path: Path, header: list[str], rows: list[list[object]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def scored(path: Path, rows: int = 90) -> str:
    return written(
        path,
        ["sentence1", "sentence2", "score"],
        [[f"first text {row}", f"second text {row}", row % 6] for row in range(rows)],
    )


@pytest.mark.parametrize(
    ("view", "loss", "shape"),
    [
        ("pairs", "MultipleNegativesRankingLoss", "scored pairs"),
        ("answers", "MultipleNegativesRankingLoss", "retrieval"),
        ("scored", "CoSENTLoss", "scored pairs"),
        ("labelled", "BatchHardTripletLoss", "scored pairs"),
    ],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_desk_in_every_view(view: str, loss: str, shape: str, language: str) -> None:
    found = load_examples(DataConfig(view=view, language=language), needs(loss), 0)
    assert found.test.shape == shape
    trained = {normalised(text) for example in found.train for text in example.texts}
    held = {normalised(text) for text in (*found.test.queries(), *found.test.documents())}
    if shape == "scored pairs":
        assert not trained & held
    else:
        assert not trained & {normalised(text) for text in found.test.queries()}
    assert found.dev is not None
    assert language == "ko" or found.test.items >= 150


@pytest.mark.parametrize(
    ("view", "loss"),
    [
        ("pairs", "CoSENTLoss"),
        ("labelled", "TripletLoss"),
        ("scored", "ContrastiveLoss"),
        ("answers", "SoftmaxLoss"),
    ],
)
def test_a_view_without_what_the_loss_needs_is_refused(view: str, loss: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        load_examples(DataConfig(view=view), needs(loss), 0)
    assert caught.value.code == "view-does-not-fit"


def test_a_file_is_split_so_that_no_sentence_stands_twice(tmp_path: Path) -> None:
    config = DataConfig(source=scored(tmp_path / "pairs.csv"), rescale="0-5")
    found = load_examples(config, needs("CosineSimilarityLoss"), 1)
    assert {example.label for example in found.train} <= {0, 0.2, 0.4, 0.6, 0.8, 1.0}
    assert found.dev is not None
    parts = [
        {text for example in found.train for text in example.texts},
        set(found.dev.documents()),
        set(found.test.documents()),
    ]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert len(found.train) + found.dev.items + found.test.items == 90
    assert found.roles == {"sentence1": "sentence1", "sentence2": "sentence2"}
    assert found.sha256
    again = load_examples(config, needs("CosineSimilarityLoss"), 1)
    assert [one.texts for one in again.train] == [one.texts for one in found.train]


def test_scores_beyond_the_losss_range_are_refused_with_the_scale(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match='rescale="0-5"') as caught:
        load_examples(DataConfig(source=scored(tmp_path / "pairs.csv")), needs("CosineSimilarityLoss"), 0)
    assert caught.value.code == "label-out-of-range"


def test_few_rows_leave_nothing_to_choose_by(tmp_path: Path) -> None:
    found = load_examples(DataConfig(source=scored(tmp_path / "p.csv", 20)), needs("CoSENTLoss"), 0)
    assert found.dev is None
    assert any("too few" in notice for notice in found.notices)


def test_columns_are_taken_by_role_and_not_by_order(tmp_path: Path) -> None:
    source = written(
        tmp_path / "t.csv",
        ["anchor", "negative", "positive"],
        [[f"question {row}", f"wrong {row}", f"right {row}"] for row in range(60)],
    )
    found = load_examples(DataConfig(source=source), needs("TripletLoss"), 0)
    assert all(one.texts[1].startswith("right") for one in found.train)
    assert found.test.shape == "triplets"


def test_labelled_texts_have_as_many_classes_as_names(tmp_path: Path) -> None:
    source = written(
        tmp_path / "l.csv", ["text", "label"], [[f"some text {row}", "abc"[row % 3]] for row in range(90)]
    )
    found = load_examples(DataConfig(source=source), needs("BatchHardTripletLoss"), 0)
    assert (found.num_labels, dict(found.classes)) == (3, {"a": 0, "b": 1, "c": 2})
    assert found.test.shape == "labelled texts"


def test_a_held_out_file_is_read_by_its_own_columns(tmp_path: Path) -> None:
    source = written(
        tmp_path / "qa.csv", ["question", "answer"], [[f"q {row}", f"a {row}"] for row in range(70)]
    )
    found = load_examples(
        DataConfig(source=source, held_out=scored(tmp_path / "held.csv", 10)),
        needs("MultipleNegativesRankingLoss"),
        0,
    )
    assert (found.test.shape, found.test.items) == ("scored pairs", 10)


@pytest.mark.parametrize("view", ["scored", "answers"])
def test_the_evaluator_fits_the_shape(view: str) -> None:
    held = load_held_out(DataConfig(view=view))
    assert build_evaluator("none", held) is None
    assert build_evaluator("auto", None) is None
    assert build_evaluator("auto", held) is not None
    with pytest.raises(WorkbenchError) as caught:
        build_evaluator("TripletEvaluator", held)
    assert caught.value.code == "evaluator-does-not-fit"
