"""Bad data and broken models: a coded error or an undefined figure, never NaN and never a best score."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.toy import Collapsed, Scaled, Toy
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, WorkbenchError
from workbench.evaluation import (
    BinaryClassificationEvaluator,
    EmbeddingSimilarityEvaluator,
    InformationRetrievalEvaluator,
    MSEEvaluator,
    MSEEvaluatorFromDataFrame,
    ParaphraseMiningEvaluator,
    RerankingEvaluator,
    SentenceEvaluator,
    SequentialEvaluator,
    TranslationEvaluator,
    TripletEvaluator,
    leakage,
)

WORDS = [f"text {number}" for number in range(12)]
OTHERS = [f"other {number}" for number in range(12)]
GOLD = [number % 5 / 4 for number in range(12)]
BINARY = [number % 3 == 0 for number in range(12)]
ALL = ["cosine", "dot", "euclidean", "manhattan"]


def retrieval(shuffle: random.Random | None = None, **options: Any) -> InformationRetrievalEvaluator:
    queries = {f"q{number}": text for number, text in enumerate(WORDS[:4])}
    corpus = [(f"d{number}", text) for number, text in enumerate(OTHERS)]
    if shuffle:
        shuffle.shuffle(corpus)
    relevant = {f"q{number}": {f"d{number}", f"d{number + 5}"} for number in range(4)}
    return InformationRetrievalEvaluator(queries, dict(corpus), relevant, **options)


def reranking() -> RerankingEvaluator:
    sample = {"query": WORDS[0], "positive": OTHERS[:2], "negative": OTHERS[2:8]}
    return RerankingEvaluator([sample, {**sample, "query": WORDS[1]}], at_k=3)


def mining() -> ParaphraseMiningEvaluator:
    texts = dict(zip(map(str, range(12)), WORDS, strict=True))
    return ParaphraseMiningEvaluator(texts, [("0", "1"), ("2", "5"), ("7", "3")])


EVALUATORS: dict[str, Callable[[], SentenceEvaluator]] = {
    "similarity": lambda: EmbeddingSimilarityEvaluator(WORDS, OTHERS, GOLD, similarity_fn_names=ALL),
    "binary": lambda: BinaryClassificationEvaluator(WORDS, OTHERS, BINARY, similarity_fn_names=ALL),
    "triplet": lambda: TripletEvaluator(WORDS, OTHERS, OTHERS[1:] + OTHERS[:1], similarity_fn_names=ALL),
    "retrieval": retrieval,
    "reranking": reranking,
    "mining": mining,
    "mse": lambda: MSEEvaluator(WORDS, OTHERS, Toy()),
    "frame": lambda: MSEEvaluatorFromDataFrame(
        [{"en": a, "ko": b} for a, b in zip(WORDS, OTHERS, strict=True)], Toy(), [("en", "ko")]
    ),
    "translation": lambda: TranslationEvaluator(WORDS, OTHERS),
}


def coded(call: Callable[[], Any], kind: type[WorkbenchError]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return caught.value.code


def column(texts: Iterable[str], values: Iterable[Any]) -> list[Any]:
    return [value for _, value in zip(texts, values, strict=False)]


# E1: constant gold or constant scores.
@pytest.mark.parametrize("model", [Collapsed(), Collapsed(0.0), Collapsed(0.1)])
def test_e1_a_collapsed_model_has_no_correlation(model: Toy, tmp_path: Path) -> None:
    evaluator = EmbeddingSimilarityEvaluator(WORDS, OTHERS, GOLD, name="dev", similarity_fn_names=ALL)
    metrics = evaluator(model, tmp_path)
    assert set(metrics.values()) == {None}
    assert metrics[str(evaluator.primary_metric)] is None
    assert evaluator.undefined["dev_spearman_cosine"] == "the model's scores are constant"
    json.dumps(metrics, allow_nan=False)
    (file,) = tmp_path.iterdir()
    assert file.read_text().splitlines()[1] == "-1,-1" + "," * 8


def test_e1_constant_gold_and_a_score_that_is_defined_beside_it() -> None:
    evaluator = EmbeddingSimilarityEvaluator(WORDS, OTHERS, [0.5] * 12)
    assert set(evaluator(Toy()).values()) == {None}
    assert evaluator.undefined["pearson_cosine"] == "the gold scores are constant"
    # One direction, growing lengths: the cosine is constant, the dot product is not.
    table = {text: [1.0 + place, 2.0 + 2 * place] for place, text in enumerate(WORDS)}
    lengths = EmbeddingSimilarityEvaluator(
        WORDS, WORDS, list(range(12)), similarity_fn_names=["cosine", "dot"]
    )
    found = lengths(Toy(table))
    assert found["spearman_cosine"] is None
    assert found["spearman_max"] == found["spearman_dot"] == pytest.approx(1.0)
    assert set(lengths.undefined) == {"pearson_cosine", "spearman_cosine"}


def test_e1_an_undefined_score_is_not_chosen_by_a_sequence() -> None:
    collapsed = EmbeddingSimilarityEvaluator(WORDS, OTHERS, [0.5] * 12, name="flat")
    good = EmbeddingSimilarityEvaluator(WORDS, OTHERS, GOLD, name="good")
    last = SequentialEvaluator([good, collapsed])
    assert last(Toy())["sequential_score"] is None
    assert {"sequential_score", "flat_spearman_cosine"} <= set(last.undefined)
    assert SequentialEvaluator([collapsed, good], np.mean)(Toy())["sequential_score"] is None  # type: ignore[arg-type]
    assert SequentialEvaluator([collapsed, good])(Toy())["sequential_score"] is not None


# E2: too few examples.
@pytest.mark.parametrize("count", [0, 1, 2])
def test_e2_fewer_than_three_pairs_are_refused(count: int) -> None:
    few = WORDS[:count], OTHERS[:count]
    assert (
        coded(lambda: EmbeddingSimilarityEvaluator(*few, GOLD[:count]), InvalidValueError)
        == "too-few-examples"
    )
    assert (
        coded(lambda: BinaryClassificationEvaluator(*few, [1] * count), InvalidValueError)
        == "too-few-examples"
    )


def test_e2_nothing_is_refused_and_few_are_noted() -> None:
    for empty in (
        lambda: TripletEvaluator([], [], []),
        lambda: TranslationEvaluator([], []),
        lambda: MSEEvaluator([], [], Toy()),
        lambda: RerankingEvaluator([]),
        lambda: ParaphraseMiningEvaluator({}, []),
        lambda: SequentialEvaluator([]),
        lambda: InformationRetrievalEvaluator({}, {"d": "text"}, {}),
    ):
        assert isinstance(coded(empty, InvalidValueError), str)
    for name, make in EVALUATORS.items():
        assert any("Only" in notice for notice in make().data_notices), name  # type: ignore[attr-defined]
    many = [f"text {number}" for number in range(30)]
    enough = EmbeddingSimilarityEvaluator(many, many[::-1], list(range(30)))
    enough(Toy())
    assert enough.notices == ()


# E3: gold that is no number.
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_e3_gold_that_is_not_finite_is_refused_with_its_rows(bad: float) -> None:
    gold = [0.5, bad, 0.1, *GOLD[3:]]
    with pytest.raises(InvalidValueError, match="row 1") as caught:
        EmbeddingSimilarityEvaluator(WORDS, OTHERS, gold)
    assert caught.value.code == "label-not-finite" and caught.value.where == "scores"


# E4: a model that gives NaN.
@pytest.mark.parametrize("value", [math.nan, math.inf, 3e38])
@pytest.mark.parametrize("name", EVALUATORS)
def test_e4_a_broken_model_is_refused(name: str, value: float, tmp_path: Path) -> None:
    evaluator = EVALUATORS[name]()
    assert coded(lambda: evaluator(Collapsed(value), tmp_path), InvalidValueError) == "embedding-not-finite"
    assert not list(tmp_path.iterdir())


def test_e4_one_broken_text_of_many_is_named() -> None:
    table = {text: [1.0, float(place)] for place, text in enumerate([*WORDS, *OTHERS])}
    table["other 7"] = [math.nan, 0.0]
    with pytest.raises(InvalidValueError, match="1 of 12 texts, the first 'other 7'"):
        retrieval()(Toy(table))


def test_e4_a_score_function_that_gives_nan_is_refused() -> None:
    evaluator = retrieval(score_functions={"odd": lambda a, b: (a @ b.T) * math.nan})
    assert coded(lambda: evaluator(Toy()), InvalidValueError) == "score-not-a-number"


# E5: ties.
def test_e5_equal_embeddings_give_the_expectation_of_a_random_order() -> None:
    found = retrieval()(Collapsed(), None)
    # 2 of 12 documents are relevant.
    assert found["cosine_accuracy@1"] == pytest.approx(2 / 12)
    assert found["cosine_accuracy@3"] == pytest.approx(1 - (10 * 9 * 8) / (12 * 11 * 10))
    assert found["cosine_precision@5"] == pytest.approx(2 / 12)
    assert found["cosine_recall@10"] == pytest.approx(10 / 12)
    shuffled = [random.Random(seed).sample([1, 1] + [0] * 10, 12) for seed in range(20000)]
    for metric, value in (
        (
            "cosine_mrr@10",
            np.mean([1 / (order.index(1) + 1) if order.index(1) < 10 else 0 for order in shuffled]),
        ),
        ("cosine_map@100", np.mean([_average_precision(order) for order in shuffled])),
        ("cosine_ndcg@10", np.mean([_ndcg(order[:10]) for order in shuffled])),
    ):
        assert found[metric] == pytest.approx(value, abs=0.01), metric
    assert reranking()(Collapsed())["mrr@3"] == pytest.approx(
        (1 / 4) + (3 / 4 * 2 / 7) / 2 + (3 / 4 * 5 / 7 / 3) / 3
    )
    assert TranslationEvaluator(WORDS, OTHERS)(Collapsed())["mean_accuracy"] == pytest.approx(1 / 12)
    assert TripletEvaluator(WORDS, OTHERS, OTHERS)(Collapsed())["cosine_accuracy"] == 0.0


def _average_precision(order: list[int]) -> float:
    ranks = [rank for rank, hit in enumerate(order, 1) if hit]
    return sum(number / rank for number, rank in enumerate(ranks, 1)) / len(ranks)


def _ndcg(order: list[int]) -> float:
    return sum(hit / math.log2(rank + 1) for rank, hit in enumerate(order, 1)) / (1 + 1 / math.log2(3))


class Clustered(Toy):
    """Texts fall on a few points, so that many tie."""

    def vector(self, text: str) -> Any:
        return np.random.default_rng(sum(text.encode()) % 4).normal(size=384).astype(np.float32)


@pytest.mark.parametrize("model", [Collapsed(0.3), Clustered(), Toy()])
def test_e5_permuting_the_corpus_changes_nothing(model: Toy) -> None:
    for similarity in ALL:
        model.similarity_fn_name = similarity
        expected = retrieval(corpus_chunk_size=5)(model)
        for seed in range(5):
            assert retrieval(random.Random(seed), corpus_chunk_size=5)(model) == expected


@pytest.mark.parametrize("model", [Collapsed(0.3), Clustered(), Toy()])
def test_e5_the_order_of_ids_and_documents_changes_nothing(model: Toy) -> None:
    texts = dict(zip("abcdefghijkl", WORDS, strict=True))
    known = [("a", "b"), ("c", "f"), ("h", "d")]
    backwards = dict(reversed(texts.items()))
    assert ParaphraseMiningEvaluator(texts, known, top_k=2)(model) == ParaphraseMiningEvaluator(
        backwards, [(b, a) for a, b in reversed(known)], top_k=2
    )(model)
    sample = {"query": WORDS[0], "positive": OTHERS[:3], "negative": OTHERS[3:9]}
    other = {"query": WORDS[0], "positive": OTHERS[:3][::-1], "negative": OTHERS[3:9][::-1]}
    assert RerankingEvaluator([sample], 3)(model) == RerankingEvaluator([other], 3)(model)


# E6: labels of one kind.
@pytest.mark.parametrize("label", [0, 1])
def test_e6_labels_of_one_kind_leave_everything_undefined(label: int) -> None:
    evaluator = BinaryClassificationEvaluator(
        WORDS, OTHERS, [label] * 12, similarity_fn_names=["cosine", "dot"]
    )
    metrics = evaluator(Toy())
    assert set(metrics.values()) == {None} and metrics[str(evaluator.primary_metric)] is None
    assert "nothing to tell apart" in evaluator.undefined["max_ap"]


def test_e6_nothing_to_mine_leaves_everything_undefined() -> None:
    evaluator = ParaphraseMiningEvaluator({"a": "one", "b": "two", "c": "three"}, [])
    assert set(evaluator(Toy()).values()) == {None}


# E7: labels that are none.
labels = st.one_of(
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=3),
    st.none(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
)


@settings(max_examples=120)
@given(st.lists(labels, min_size=3, max_size=6))
def test_e7_labels_are_binary_or_refused_with_their_rows(given_labels: list[Any]) -> None:
    size = len(given_labels)
    fits = all(isinstance(label, int | float) and label in (0, 1) for label in given_labels)
    try:
        evaluator = BinaryClassificationEvaluator(WORDS[:size], OTHERS[:size], given_labels)
    except WorkbenchError as error:
        assert not fits and error.code in ("label-not-binary", "label-not-finite", "label-not-a-number")
        first = next(row for row, x in enumerate(given_labels) if _refused_as(x) == error.code)
        assert f"row {first}:" in error.came and error.where == "labels"
    else:
        assert fits and evaluator.labels == [int(label) for label in given_labels]


def _refused_as(label: Any) -> str:
    if not isinstance(label, int | float):
        return "label-not-a-number"
    return (
        "label-not-finite" if not math.isfinite(label) else "label-not-binary" if label not in (0, 1) else ""
    )


def test_e7_numpy_and_tensor_labels_are_numbers() -> None:
    import torch

    for given_labels in (
        np.array([0, 1, 1]),
        torch.tensor([0.0, 1.0, 1.0]),
        [np.int8(0), True, torch.tensor(1)],
    ):
        assert BinaryClassificationEvaluator(WORDS[:3], OTHERS[:3], given_labels).labels == [0, 1, 1]  # type: ignore[arg-type]


def test_e7_columns_of_different_lengths_and_rows_without_text() -> None:
    for make in (
        lambda: EmbeddingSimilarityEvaluator(WORDS, OTHERS[1:], GOLD),
        lambda: BinaryClassificationEvaluator(WORDS, OTHERS, BINARY[1:]),
        lambda: TripletEvaluator(WORDS, OTHERS, OTHERS[:3]),
        lambda: TranslationEvaluator(WORDS, OTHERS[2:]),
        lambda: MSEEvaluator(WORDS, OTHERS[2:], Toy()),
    ):
        assert coded(make, ShapeMismatchError) == "columns-differ-in-length"
    with pytest.raises(InvalidTypeError, match=r"sentences2.*row 1: NoneType"):
        EmbeddingSimilarityEvaluator(WORDS[:3], ["a", None, "b"], GOLD[:3])  # type: ignore[list-item]
    assert coded(lambda: EmbeddingSimilarityEvaluator(WORDS[:4], OTHERS[:4], "1234"), InvalidTypeError)  # type: ignore[arg-type]
    assert coded(lambda: MSEEvaluator(WORDS, OTHERS), InvalidTypeError) == "teacher-missing"


# E8: retrieval that cannot be scored, or only in part.
def test_e8_what_is_missing_is_refused_or_counted() -> None:
    queries, corpus = {"q": "a", "p": "b", "r": "c"}, {"d": "x", "e": "y"}
    for arguments, code in (
        ((queries, {}, {"q": {"d"}}), "too-few-examples"),
        ((queries, corpus, {}), "no-judgments"),
        ((queries, corpus, {"q": set()}), "no-judgments"),
        ((queries, corpus, {"q": {"z"}}), "no-relevant-in-corpus"),
    ):
        assert coded(lambda given=arguments: InformationRetrievalEvaluator(*given), InvalidValueError) == code  # type: ignore[misc]
    evaluator = InformationRetrievalEvaluator(queries, corpus, {"q": ["d", "gone"], "p": {"e"}, "s": {"d"}})
    # A corpus smaller than every depth.
    found = evaluator(Toy())
    assert found["cosine_recall@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["cosine_precision@10"] == pytest.approx(1 / 10)
    assert evaluator.notices[:3] == (
        "1 queries have no relevant document and are left out",
        "1 entries of relevant_docs belong to no query",
        "1 relevant documents are not in the corpus and count as not found",
    )


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("qprs"), st.sampled_from(WORDS), max_size=4),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(OTHERS), max_size=6),
    st.dictionaries(st.sampled_from("qprst"), st.sets(st.sampled_from("abcdefgh")), max_size=5),
)
def test_e8_any_task_is_scored_or_refused(queries: Any, corpus: Any, relevant: Any) -> None:
    try:
        found = InformationRetrievalEvaluator(queries, corpus, relevant)(Toy())
    except WorkbenchError as error:
        assert error.code in ("too-few-examples", "no-judgments", "no-relevant-in-corpus")
    else:
        assert all(value is not None and 0 <= value <= 1 + 1e-12 for value in found.values())


@pytest.mark.parametrize(
    "depths", [{"ndcg_at_k": []}, {"map_at_k": [0]}, {"mrr_at_k": [1.5]}, {"accuracy_at_k": [True]}]
)
def test_e8_depths_are_counts(depths: Any) -> None:
    assert coded(lambda: retrieval(**depths), InvalidValueError) == "count-out-of-range"


def test_e8_samples_that_cannot_be_reranked_are_refused_or_counted() -> None:
    sample = {"query": "a", "positive": ["b", "c"], "negative": ["c", "d"]}
    evaluator = RerankingEvaluator([sample, {"query": "e", "positive": [], "negative": ["f"]}])
    assert evaluator.data_notices[:2] == (
        "1 samples have no positive or no negative and are left out",
        "1 samples have a text among their positives and their negatives",
    )
    assert (
        coded(lambda: RerankingEvaluator([{"query": "a", "positive": "b"}]), WorkbenchError)
        == "sample-key-missing"
    )
    assert (
        coded(lambda: RerankingEvaluator([{**sample, "query": None}]), InvalidTypeError)
        == "text-not-a-string"
    )
    assert coded(lambda: RerankingEvaluator([sample], at_k=0), InvalidValueError) == "count-out-of-range"


# E9: ids.
@pytest.mark.parametrize(
    ("queries", "corpus", "relevant"),
    [
        ({"1": "a"}, {"d": "x"}, {1: {"d"}}),
        ({"q": "a"}, {1: "x", "2": "y"}, {"q": {1}}),
        ({"q": "a"}, {1: "x", 2: "y"}, {"q": {"1"}}),
        ({"q": "a", None: "b"}, {"d": "x"}, {"q": {"d"}}),
        ({True: "a"}, {"d": "x"}, {True: {"d"}}),
        ({1.0: "a"}, {"d": "x"}, {1.0: {"d"}}),
    ],
)
def test_e9_ids_are_of_one_type(queries: Any, corpus: Any, relevant: Any) -> None:
    code = coded(lambda: InformationRetrievalEvaluator(queries, corpus, relevant), InvalidTypeError)
    assert code == "ids-of-mixed-types"


def test_e9_other_shapes_of_ids() -> None:
    corpus = {1: "x", 2: "y"}
    assert InformationRetrievalEvaluator({7: "a"}, corpus, {np.int64(7): [np.int64(2)]})(Toy())  # type: ignore[dict-item]
    for relevant, code in (({"q": "d"}, "relevant-not-a-set"), ({"q": {"d": 1}}, "relevant-not-a-set")):
        make = lambda r=relevant: InformationRetrievalEvaluator({"q": "a"}, {"d": "x"}, r)  # noqa: E731
        assert coded(make, InvalidTypeError) == code
    twice = lambda: InformationRetrievalEvaluator({"q": "a"}, {"d": "x"}, {"q": ["d", "d"]})  # noqa: E731
    assert coded(twice, InvalidValueError) == "id-twice"
    listed = lambda: InformationRetrievalEvaluator(["a"], {"d": "x"}, {"q": ["d"]})  # type: ignore[arg-type] # noqa: E731
    assert coded(listed, InvalidTypeError) == "ids-without-mapping"
    mixed = lambda: ParaphraseMiningEvaluator({"1": "a", "2": "b"}, [(1, 2)])  # type: ignore[list-item] # noqa: E731
    assert coded(mixed, InvalidTypeError) == "ids-of-mixed-types"
    assert (
        coded(lambda: ParaphraseMiningEvaluator({"1": "a", "2": "b"}, ["12"]), InvalidTypeError)
        == "not-a-pair"
    )  # type: ignore[list-item]
    noted = ParaphraseMiningEvaluator({"1": "a", "2": "b", "3": "c"}, [("1", "2"), ("1", "1"), ("2", "9")])
    assert noted.data_notices[1].startswith("2 duplicates")


# E10: evaluation texts that were trained on.
def test_e10_leaked_texts_are_counted() -> None:
    evaluator = SequentialEvaluator(
        [
            EmbeddingSimilarityEvaluator(WORDS[:4], OTHERS[:4], GOLD[:4]),
            TranslationEvaluator(WORDS[2:6], OTHERS[2:6]),
        ]
    )
    found = leakage(evaluator, ["TEXT  1", "ｔext 5", "text 9", "new", "other 3\n"])
    assert (found.leaked, found.texts) == (3, 12)
    assert set(found.examples) == {"text 1", "text 5", "other 3"}
    for name, make in EVALUATORS.items():
        judged = make()
        assert leakage(judged, judged.texts()).leaked == leakage(judged, []).texts > 0, name


# E11: what must not matter.
@settings(max_examples=15)
@given(st.sampled_from(["similarity", "binary", "triplet", "translation"]), st.randoms(use_true_random=False))
def test_e11_the_order_of_the_rows_does_not_matter(name: str, shuffle: random.Random) -> None:
    columns: dict[str, tuple[Any, list[list[Any]]]] = {
        "similarity": (EmbeddingSimilarityEvaluator, [WORDS, OTHERS, GOLD]),
        "binary": (BinaryClassificationEvaluator, [WORDS, OTHERS, BINARY]),
        "triplet": (TripletEvaluator, [WORDS, OTHERS, OTHERS[1:] + OTHERS[:1]]),
        "translation": (TranslationEvaluator, [WORDS, OTHERS]),
    }
    kind, given_columns = columns[name]
    order = list(range(12))
    shuffle.shuffle(order)
    shuffled = [[one[place] for place in order] for one in given_columns]
    assert kind(*shuffled)(Toy()) == pytest.approx(kind(*given_columns)(Toy()), abs=1e-6)


@settings(max_examples=10)
@given(st.floats(1e-3, 1e3))
def test_e11_the_lengths_do_not_matter_to_the_cosine(factor: float) -> None:
    for make in (
        lambda: EmbeddingSimilarityEvaluator(WORDS, OTHERS, GOLD),
        lambda: BinaryClassificationEvaluator(WORDS, OTHERS, BINARY),
        lambda: TripletEvaluator(WORDS, OTHERS, OTHERS[1:] + OTHERS[:1]),
        lambda: TranslationEvaluator(WORDS, OTHERS),
        retrieval,
        reranking,
        mining,
    ):
        assert make()(Scaled(factor)) == pytest.approx(make()(Toy()), abs=1e-6)  # type: ignore[operator]


def test_e11_each_distinct_text_is_encoded_once_in_an_order_of_its_own() -> None:
    model = Toy()
    EmbeddingSimilarityEvaluator(["b", "a", "b", "c"], ["a", "b", "d", "b"], [0, 1, 2, 3])(model)
    assert model.asked == [["a", "b", "c", "d"]]
    model = Toy()
    corpus = {str(place): text for place, text in enumerate(["y", "x", "y"])}
    InformationRetrievalEvaluator({"q": "b", "p": "b"}, corpus, {"q": {"0"}, "p": {"1"}})(model)
    assert model.asked == [["b"], ["x", "y"]]
