"""Held-out data of each shape against the evaluators and scikit-learn, leaks, and what a training moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tests.evaluation.toy import Collapsed, Toy
from workbench.compare.held_out import HeldOut, scored_pairs, triplets
from workbench.compare.held_out_retrieval import labelled_texts, retrieval
from workbench.compare.item_scores import ItemScores, metric_value
from workbench.compare.judged_models import embedded, judged_model, scores_of, stored_model
from workbench.compare.leaks import find_leaks
from workbench.compare.movement import movement
from workbench.compare.neighbours import nearest_of_all
from workbench.data.general_pairs import general_pairs
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.evaluation import (
    EmbeddingSimilarityEvaluator,
    InformationRetrievalEvaluator,
    TripletEvaluator,
)
from workbench.evaluation.metrics.score import Undefined

WORDS = [f"text {number}" for number in range(30)]


def values(data: HeldOut, model: Any) -> dict[str, Any]:
    found = scores_of(embedded(judged_model("toy", model), data), data)
    assert not isinstance(found, Undefined)
    assert next(iter(found)) == data.primary
    assert {len(scores) for scores in found.values()} == {data.items}
    return {name: metric_value(scores) for name, scores in found.items()}


def test_pairs_are_scored_as_their_evaluator_does() -> None:
    gold = [float(number % 5) for number in range(15)]
    found = values(scored_pairs(WORDS[:15], WORDS[15:], gold), Toy())
    theirs = EmbeddingSimilarityEvaluator(WORDS[:15], WORDS[15:], gold)(Toy())
    assert found == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("model", [Toy(), Collapsed()], ids=["toy", "collapsed"])
def test_triplets_and_retrieval_are_scored_as_their_evaluators_do(model: Any) -> None:
    columns = WORDS[:10], WORDS[10:20], WORDS[20:]
    assert values(triplets(*columns), model) == pytest.approx(
        {"accuracy_cosine": TripletEvaluator(*columns)(model)["cosine_accuracy"]}
    )
    queries = {f"q{row}": text for row, text in enumerate(WORDS[:8])}
    corpus = {f"d{row}": text for row, text in enumerate(WORDS[8:])} | {"again": WORDS[8]}
    relevant = {f"q{row}": {f"d{row}", f"d{row + 9}"} for row in range(8)}
    theirs = InformationRetrievalEvaluator(queries, corpus, relevant)(model)
    found = values(retrieval(queries, corpus, relevant), model)
    assert set(found) == {"ndcg@10", "mrr@10", "accuracy@1", "recall@10"}
    for name, value in found.items():
        assert value == pytest.approx(theirs[f"cosine_{name}"], abs=1e-9)


def test_labelled_texts_are_classified_as_scikit_learn_does() -> None:
    labels = [f"class {number % 3}" for number in range(30)]
    data = labelled_texts([*WORDS, "alone"], [*labels, "no other"])
    assert data.items == 30
    rows = np.stack([Toy().vector(text) for text in data.texts])
    nearest = NearestNeighbors(n_neighbors=2, metric="cosine").fit(rows).kneighbors(rows)[1][:30, 1]
    expected = np.mean([data.labels[one] == label for one, label in zip(nearest, labels, strict=True)])
    assert values(data, Toy())["accuracy@1"] == pytest.approx(float(expected))
    # A collapsed model guesses: of each text's 30 others 9 share its label.
    assert values(data, Collapsed())["accuracy@1"] == pytest.approx(9 / 30)


def test_a_subset_is_the_same_items() -> None:
    data = labelled_texts(WORDS, [number % 3 for number in range(30)])
    shapes: list[HeldOut] = [
        scored_pairs(WORDS[:15], WORDS[15:], list(range(15))),
        triplets(WORDS[:10], WORDS[10:20], WORDS[20:]),
        retrieval({"a": "x", "b": "y"}, {"c": "z", "d": "w"}, {"a": {"c"}, "b": {"d"}}),
        data,
    ]
    for shape in shapes:
        kept = shape.subset([1])
        assert kept.items == 1
        assert kept.item_texts(0) == shape.item_texts(1)


def test_bad_data_is_refused_with_a_code() -> None:
    with pytest.raises(ShapeMismatchError, match="columns-differ-in-length"):
        scored_pairs(["a"], ["b", "c"], [1.0])
    with pytest.raises(InvalidValueError, match="label-not-finite"):
        scored_pairs(["a"], ["b"], [float("nan")])
    with pytest.raises(InvalidTypeError):
        triplets(["a"], ["b"], [None])  # type: ignore[list-item]
    with pytest.raises(InvalidValueError, match="labels-without-contrast"):
        labelled_texts(["a", "b"], ["x", "y"])
    with pytest.raises(InvalidValueError, match="embedding-missing"):
        embedded(stored_model("m", ["a"], np.ones((1, 2))), scored_pairs(["a"], ["b"], [1.0]))
    with pytest.raises(ShapeMismatchError, match="embeddings-mismatch"):
        stored_model("m", ["a"], np.ones((2, 2)))


def test_a_model_that_gives_nan_has_no_score_and_raises_nothing() -> None:
    data = scored_pairs(WORDS[:5], WORDS[5:10], [1.0, 2.0, 3.0, 4.0, 5.0])
    found = scores_of(embedded(judged_model("burst", Collapsed(float("nan"))), data), data)
    assert isinstance(found, Undefined) and "10 texts" in found.reason


def test_queries_and_documents_go_to_their_own_encoders() -> None:
    asked: dict[str, list[str]] = {}

    class Asymmetric(Toy):
        def encode_query(self, sentences: list[str], **kwargs: Any) -> Any:
            asked["query"] = list(sentences)
            return super().encode(sentences)

        def encode_document(self, sentences: list[str], **kwargs: Any) -> Any:
            asked["document"] = list(sentences)
            return super().encode(sentences)

    values(triplets(["a", "a"], ["p", "q"], ["n", "n"]), Asymmetric())
    assert asked == {"query": ["a"], "document": ["n", "p", "q"]}


def test_a_leak_is_an_item_whole_in_one_training_row() -> None:
    data = scored_pairs(["One", "two", "five"], ["Three", "four", "six"], [1.0, 2.0, 3.0])
    leak = find_leaks(data, [("three", " ONE "), ("two", "x"), ("four", "y")], split="by hand")
    assert leak.leaked_items == (0,) == leak.left_out
    assert (leak.training_rows, leak.shared_texts, leak.held_out_texts) == (3, 4, 6)
    assert leak.examples == ("One | Three",)
    assert find_leaks(data, []).left_out == ()


def test_neighbours_of_all_are_scikit_learns() -> None:
    rows = np.random.default_rng(0).normal(size=(700, 5))
    theirs = NearestNeighbors(n_neighbors=4, metric="cosine").fit(rows).kneighbors(rows)[1][:, 1:]
    assert np.array_equal(nearest_of_all(rows, 3), theirs)
    with pytest.raises(InvalidValueError, match="neighbour-count"):
        nearest_of_all(rows[:3], 3)


def test_movement_names_the_text_that_moved() -> None:
    data = scored_pairs(WORDS[:15], WORDS[15:], list(range(15)))
    before = np.random.default_rng(1).normal(size=(30, 6))
    after = before.copy()
    after[4] = -after[4]
    rank = np.arange(15.0)
    worse = rank.copy()
    worse[4], worse[10] = 10, 4
    gold = np.asarray(data.gold)
    scores = ItemScores("m", rank, gold, "spearman"), ItemScores("m", worse, gold, "spearman")
    found = movement(data, before, after, scores)
    assert found is not None
    assert found.text_moves[0].text == "text 4" and found.text_moves[0].kept < 0.5
    assert found.mean_kept < 1
    assert {move.texts[0] for move in found.worsened} == {"text 4", "text 10"}
    assert found.improved == ()
    still = movement(data, before, before * 3, (scores[0], scores[0]))
    assert still is not None and still.mean_kept == 1.0 and still.text_moves == ()
    assert movement(scored_pairs(["a"], ["a"], [1.0]), before[:2], before[:2], scores) is None


def test_the_general_pairs_are_whole() -> None:
    rows = general_pairs()
    assert len(rows) >= 120
    assert all(left and right and 0 <= score <= 1 for left, right, score in rows)
    assert len({text for left, right, _ in rows for text in (left, right)}) == 2 * len(rows)
    assert len({score for *_, score in rows}) >= 10
