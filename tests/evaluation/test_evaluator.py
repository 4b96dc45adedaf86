"""The base: names, files, evaluators of the user's own, and examples from lists and DataLoaders."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Subset, SubsetRandomSampler

from tests.evaluation.toy import Collapsed, Toy
from workbench.data.input_example import InputExample
from workbench.errors import (
    DataFileError,
    FolderWriteError,
    InvalidTypeError,
    InvalidValueError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.evaluation import (
    BinaryClassificationEvaluator,
    EmbeddingSimilarityEvaluator,
    InformationRetrievalEvaluator,
    LabelAccuracyEvaluator,
    NanoBEIREvaluator,
    RerankingEvaluator,
    SentenceEvaluator,
    SequentialEvaluator,
    TripletEvaluator,
)
from workbench.evaluation.results_file import append_row

EXAMPLES = [InputExample(texts=[f"text {i}", f"other {i}"], label=i % 4 / 4) for i in range(9)]
EXPECTED = EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, name="sts-dev")(Toy())


class Stream(IterableDataset[InputExample]):
    def __iter__(self) -> Iterator[InputExample]:
        return iter(EXAMPLES)


def loaders() -> dict[str, DataLoader[Any]]:
    data: Any = EXAMPLES
    return {
        "the classic": DataLoader(data, shuffle=True, batch_size=16),
        "in order": DataLoader(data, batch_size=2),
        "the last batch dropped": DataLoader(data, shuffle=True, batch_size=4, drop_last=True),
        "collated to tensors": DataLoader(
            data, batch_size=3, collate_fn=lambda batch: torch.zeros(len(batch))
        ),
        "batches of its own": DataLoader(data, batch_sampler=[[8, 0, 1], [2, 3], [4, 5, 6, 7]]),
        "a subset of a longer list": DataLoader(Subset([*EXAMPLES, *EXAMPLES], range(9)), batch_size=4),
        "not batched": DataLoader(data, batch_size=None),
        "a stream": DataLoader(Stream(), batch_size=2),
    }


@pytest.mark.parametrize("name", loaders())
def test_a_dataloader_gives_what_its_list_gives(name: str) -> None:
    loader = loaders()[name]
    collate, state = loader.collate_fn, torch.get_rng_state()
    evaluator = EmbeddingSimilarityEvaluator.from_input_examples(loader, batch_size=1, name="sts-dev")
    assert evaluator(Toy()) == pytest.approx(EXPECTED, abs=1e-12)
    assert loader.collate_fn is collate
    assert torch.equal(torch.get_rng_state(), state)


def test_a_sampler_chooses_the_examples() -> None:
    data: Any = EXAMPLES
    expected = EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES[2:7])(Toy())
    for loader in (
        DataLoader(data, batch_size=2, sampler=SubsetRandomSampler(range(2, 7))),
        DataLoader(data, batch_sampler=BatchSampler(SubsetRandomSampler(range(2, 7)), 2, False)),
    ):
        found = EmbeddingSimilarityEvaluator.from_input_examples(loader)(Toy())
        assert found == pytest.approx(expected, abs=1e-12)


def test_the_other_evaluators_take_both_too() -> None:
    pairs = [InputExample(texts=example.texts, label=i % 2) for i, example in enumerate(EXAMPLES)]
    triplets = [InputExample(texts=[*example.texts, f"third {i}"]) for i, example in enumerate(EXAMPLES)]
    for kind, data in ((BinaryClassificationEvaluator, pairs), (TripletEvaluator, triplets)):
        of_list = kind.from_input_examples(data, name="dev")(Toy())
        of_loader = kind.from_input_examples(DataLoader(data, shuffle=True, batch_size=4), name="dev")(Toy())  # type: ignore[arg-type]
        assert of_list == of_loader and all(key.startswith("dev_") for key in of_list)


@pytest.mark.parametrize(
    ("examples", "kind", "code"),
    [
        ([], InvalidValueError, "too-few-examples"),
        (7, InvalidTypeError, "examples-not-a-list"),
        ("text", InvalidTypeError, "examples-not-a-list"),
        ([("a", "b", 0.5)], InvalidTypeError, "not-an-example"),
        ([*EXAMPLES, InputExample(texts=["a", "b", "c"])], InvalidValueError, "example-texts-count"),
        ([*EXAMPLES, InputExample(texts=["a"])], InvalidValueError, "example-texts-count"),
    ],
)
def test_what_is_no_pair_is_refused(examples: Any, kind: type[WorkbenchError], code: str) -> None:
    with pytest.raises(kind) as caught:
        EmbeddingSimilarityEvaluator.from_input_examples(examples)
    assert caught.value.code == code


def test_names_go_before_the_metrics_and_into_the_file(tmp_path: Path) -> None:
    evaluator = EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, name="../up/sts:dev")
    assert set(evaluator(Toy(), tmp_path / "new" / "folder")) == {
        "../up/sts:dev_pearson_cosine",
        "../up/sts:dev_spearman_cosine",
    }
    assert [path.name for path in tmp_path.rglob("*.csv")] == [
        "similarity_evaluation_.._up_sts_dev_results.csv"
    ]
    assert evaluator.primary_metric == "../up/sts:dev_spearman_cosine"
    with pytest.raises(InvalidTypeError, match="name is a list"):
        EmbeddingSimilarityEvaluator(["a"] * 3, ["b"] * 3, [0, 1, 2], 16, None, ["cosine"])  # type: ignore[arg-type]


def test_one_evaluator_follows_each_models_similarity(tmp_path: Path) -> None:
    evaluator = EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES)
    for similarity in ("cosine", "dot", "cosine", "cosine"):
        assert list(evaluator(Toy(similarity=similarity), tmp_path)) == [
            f"pearson_{similarity}",
            f"spearman_{similarity}",
        ]
    # A file never mixes the columns of two similarities.
    for file in tmp_path.iterdir():
        rows = list(csv.reader(file.open(newline="")))
        assert {len(row) for row in rows} == {4}
    assert sorted(len(list(csv.reader(file.open()))) for file in tmp_path.iterdir()) == [2, 2, 3]


def test_no_file_where_none_is_wanted(tmp_path: Path) -> None:
    EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, write_csv=False)(Toy(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_row_is_added_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.csv"
    append_row(file, ["epoch", "steps", "x"], [0, -1, 0.5])
    before = file.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for step in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patched:
            patched.setattr(step, full)
            with pytest.raises(FolderWriteError) as caught:
                append_row(file, ["epoch", "steps", "x"], [1, -1, 0.6])
        assert caught.value.code == "disk-full"
        assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]
    # A file whose last line end was lost.
    file.write_bytes(before.rstrip())
    append_row(file, ["epoch", "steps", "x"], [1, -1, None])
    assert file.read_text().splitlines() == ["epoch,steps,x", "0,-1,0.5", "1,-1,"]


class Classic(SentenceEvaluator):
    """As evaluators were written for 2.x: no call of the base's constructor, a float."""

    def __init__(self, score: float) -> None:
        self.score = score

    def __call__(self, model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> Any:
        return self.score


class Later(SentenceEvaluator):
    """As they are written since 3: a dict, and the base's prefix."""

    def __init__(self) -> None:
        super().__init__()
        self.primary_metric = "score"

    def __call__(self, model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> Any:
        return self.prefix_name_to_metrics({"score": 0.25, "odd": float("nan")}, "mine")


def test_evaluators_of_the_users_own_run_in_a_sequence() -> None:
    sequence = SequentialEvaluator([Classic(0.75), Later(), Later()], main_score_function=sum)  # type: ignore[arg-type]
    assert sequence(Toy()) == {
        "evaluator_0": 0.75,
        "mine_score": 0.25,
        "mine_odd": None,
        "evaluator_2_mine_score": 0.25,
        "evaluator_2_mine_odd": None,
        "sequential_score": 1.25,
    }
    assert sequence.primary_metric == "sequential_score"
    with pytest.raises(InvalidTypeError):
        SequentialEvaluator([7])  # type: ignore[list-item]
    with pytest.raises(NotImplementedError):
        SentenceEvaluator("bare")(Toy())


def test_the_main_similarity_must_be_computed() -> None:
    for make in (
        lambda: EmbeddingSimilarityEvaluator.from_input_examples(
            EXAMPLES, main_similarity="dot", similarity_fn_names=["cosine"]
        ),
        lambda: TripletEvaluator(["a"], ["b"], ["c"], "dot", similarity_fn_names=["cosine"]),
        lambda: EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, main_similarity="hamming"),
        lambda: EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, precision="int4"),
        lambda: TripletEvaluator(["a"], ["b"], ["c"], margin={"hamming": 1.0}),
    ):
        with pytest.raises(InvalidValueError):
            make()
    with pytest.raises(InvalidTypeError):
        EmbeddingSimilarityEvaluator.from_input_examples(EXAMPLES, similarity_fn_names="cosine")
    retrieval = InformationRetrievalEvaluator({"q": "a"}, {"d": "b"}, {"q": {"d"}}, main_score_function="dot")
    with pytest.raises(UnknownNameError):
        retrieval(Toy())
    assert retrieval(Toy(similarity="dot"))["dot_ndcg@10"] == 1.0


def test_the_classic_names_of_arguments_work() -> None:
    assert RerankingEvaluator([{"query": "a", "positive": "b", "negative": "c"}], mrr_at_k=4).at_k == 4
    triplets = TripletEvaluator(["a"], ["b"], ["c"], main_distance_function="euclidean")
    assert list(triplets(Toy())) == ["euclidean_accuracy"]


def test_the_score_function_that_was_best_first_stays_the_main_one() -> None:
    table = {"q": [1.0, 0.0], "near": [1.0, 0.1], "long": [3.0, 3.0]}
    functions = {"cosine": Toy().similarity, "dot": Toy(similarity="dot").similarity}
    evaluator = InformationRetrievalEvaluator(
        {"1": "q"}, {"n": "near", "l": "long"}, {"1": {"n"}}, score_functions=functions
    )
    evaluator(Toy(table))
    assert evaluator.primary_metric == "cosine_ndcg@10"
    evaluator(Toy(table | {"near": [1.0, 2.0], "long": [0.9, 0.0]}))
    assert evaluator.primary_metric == "cosine_ndcg@10"


class Head(torch.nn.Module):
    def forward(self, features: list[Any], labels: Any) -> tuple[None, torch.Tensor]:
        return None, torch.full((len(features[0]["x"]), 2), float(features[0]["x"][0]))


class Reading(Toy):
    device = torch.device("cpu")

    def tokenize(self, texts: list[str]) -> dict[str, torch.Tensor]:
        return {"x": torch.tensor([float(text) for text in texts])}


def test_label_accuracy_refuses_labels_and_scores_it_cannot_use() -> None:
    def examples(text: str, label: Any) -> list[InputExample]:
        return [InputExample(texts=[text, text], label=label)]

    for label, kind in ((-1, InvalidValueError), (0.5, InvalidValueError), ("yes", InvalidTypeError)):
        with pytest.raises(kind):
            LabelAccuracyEvaluator(examples("1", label), softmax_model=Head())
    with pytest.raises(InvalidTypeError, match="softmax-model-missing"):
        LabelAccuracyEvaluator(examples("1", 0))
    with pytest.raises(InvalidValueError, match="label-beyond-classes"):
        LabelAccuracyEvaluator(examples("1", 2), softmax_model=Head())(Reading())
    with pytest.raises(InvalidValueError, match="score-not-finite"):
        LabelAccuracyEvaluator(examples("nan", 1), softmax_model=Head())(Reading())
    assert LabelAccuracyEvaluator(examples("1", 0), softmax_model=Head())(Reading()) == {"accuracy": 1.0}


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        ({"dataset_names": []}, InvalidValueError, "dataset-names-empty"),
        ({"dataset_names": "nq"}, InvalidValueError, "dataset-names-empty"),
        ({"dataset_names": ["nq", "cqadupstack"]}, UnknownNameError, "nano-beir-unknown"),
        ({"dataset_id": "../etc"}, InvalidValueError, "dataset-id"),
        ({"dataset_id": "csv"}, InvalidValueError, "dataset-id"),
        (
            {"dataset_names": ["nq", "msmarco"], "query_prompts": {"nq": "q: "}},
            UnknownNameError,
            "prompt-missing",
        ),
        ({"dataset_names": ["nq"]}, DataFileError, "dataset-not-fetched"),
    ],
)
def test_nano_beir_that_cannot_be_had_is_refused(
    arguments: Any, kind: type[WorkbenchError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        NanoBEIREvaluator(**arguments)
    assert caught.value.code == code


def test_nano_beir_without_its_package_or_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import datasets

    class Bare:
        column_names = ["_id"]

    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: Bare())
    with pytest.raises(DataFileError, match="no column text"):
        NanoBEIREvaluator(["nq"])
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(WorkbenchError, match="pip install datasets"):
        NanoBEIREvaluator(["nq"])


def test_a_collapsed_model_has_no_distances_and_still_an_accuracy() -> None:
    pairs = [InputExample(texts=example.texts, label=i % 3 == 0) for i, example in enumerate(EXAMPLES)]
    found = BinaryClassificationEvaluator.from_input_examples(pairs)(Collapsed())
    # One tie: all or none are taken for related, and average precision is the share of related ones.
    assert found["cosine_accuracy"] == pytest.approx(6 / 9)
    assert found["cosine_ap"] == pytest.approx(3 / 9)
    assert found["cosine_mcc"] == 0.0
