"""Every evaluator gives upstream's metrics, names and columns on real embeddings."""

from __future__ import annotations

import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer as UpstreamModel
from sentence_transformers.sentence_transformer import evaluation as upstream
from torch import nn
from torch.utils.data import DataLoader

from workbench import evaluation as own
from workbench.data.input_example import InputExample
from workbench.sentence_transformer import SentenceTransformer

GROUPS = [
    ("How do I reset my password?", "I forgot my password, what now?", "Where can I change my login?"),
    ("The weather is lovely today.", "It is so sunny outside.", "What a bright and warm day."),
    ("He drove to the stadium.", "She walked to the store.", "They took the bus to the game."),
    ("A man is playing a guitar.", "Someone plays an instrument.", "A musician strums a tune."),
    ("The battery drains too fast.", "My phone dies within hours.", "Power does not last a day."),
    ("Cats sleep most of the day.", "My kitten naps all afternoon.", "Felines rest a lot."),
    ("I would like to cancel my order.", "Please stop the shipment.", "Can I return what I bought?"),
]
TEXTS = [text for group in GROUPS for text in group]
ALL = ["cosine", "dot", "euclidean", "manhattan"]

# Pairs of all kinds, some texts many times: near, middling and far, with graded and with binary labels.
PAIRS = [(a, b) for place, a in enumerate(TEXTS) for b in TEXTS[place + 1 : place + 5]]
SAME = [int(any(a in group and b in group for group in GROUPS)) for a, b in PAIRS]
GRADED = [
    same * 3 + len(set(a.split()) & set(b.split())) / 4 for same, (a, b) in zip(SAME, PAIRS, strict=True)
]
LEFT, RIGHT = ([pair[side] for pair in PAIRS] for side in (0, 1))


@pytest.fixture(scope="module")
def models(bundled: Path) -> tuple[SentenceTransformer, UpstreamModel]:
    mine = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    theirs = UpstreamModel(str(bundled), device="cpu", local_files_only=True)
    for model in (mine, theirs):
        model.prompts = {"query": "query: ", "document": "passage: "}
    return mine, theirs


@pytest.fixture
def same(models: Any, tmp_path: Path) -> Callable[..., None]:
    """Call both with the same arguments twice, and compare metrics, primary metric and CSV files."""

    def compare(mine: Any, theirs: Any, tolerance: float = 1e-6) -> None:
        found = []
        for evaluator, model, folder in zip((mine, theirs), models, ("mine", "theirs"), strict=True):
            for epoch in (0, 1):
                metrics = evaluator(model, str(tmp_path / folder), epoch, 7)
            found.append(metrics)
        ours, expected = found
        assert list(ours) == list(expected)
        assert ours == pytest.approx(expected, rel=tolerance, abs=tolerance)
        assert mine.primary_metric == theirs.primary_metric
        assert mine.primary_metric in ours
        folders = [sorted((tmp_path / folder).glob("*.csv")) for folder in ("mine", "theirs")]
        assert [file.name for file in folders[0]] == [file.name for file in folders[1]]
        for one, other in zip(*folders, strict=True):
            rows, expected_rows = (list(csv.reader(file.open(newline=""))) for file in (one, other))
            assert rows[0] == expected_rows[0] and len(rows) == 3
            for row, expected_row in zip(rows[1:], expected_rows[1:], strict=True):
                assert [float(cell) for cell in row] == pytest.approx(
                    [float(cell) for cell in expected_row], rel=tolerance, abs=tolerance
                )

    return compare


@pytest.mark.parametrize("functions", [None, ALL])
def test_embedding_similarity(same: Any, functions: Any) -> None:
    options: dict[str, Any] = {"name": "sts-dev", "similarity_fn_names": functions}
    same(
        own.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED, **options),
        upstream.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED, **options),
    )


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_embedding_similarity_of_quantised_embeddings(same: Any, precision: Any) -> None:
    options = {"precision": precision, "truncate_dim": 256, "main_similarity": "cosine"}
    # A number at the edge of a bucket falls to either side by float noise alone.
    same(
        own.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED, **options),
        upstream.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED, **options),
        tolerance=1e-4,
    )


@pytest.mark.parametrize("functions", [None, ALL])
def test_binary_classification(same: Any, functions: Any) -> None:
    options: dict[str, Any] = {"name": "pairs", "similarity_fn_names": functions, "truncate_dim": 64}
    same(
        own.BinaryClassificationEvaluator(LEFT, RIGHT, SAME, **options),
        upstream.BinaryClassificationEvaluator(LEFT, RIGHT, SAME, **options),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"margin": {"cosine": 0.3}},
        {"similarity_fn_names": ALL, "margin": 0.2, "name": "triplets"},
        {"main_similarity_function": "euclidean"},
    ],
)
def test_triplet(same: Any, options: dict[str, Any]) -> None:
    rows = [(g[0], g[1], other[2]) for g in GROUPS for other in GROUPS if g is not other]
    # The last ones are hard: the negative is a paraphrase, the positive is not.
    rows += [(g[0], other[1], g[1]) for g, other in pairwise(GROUPS)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    same(own.TripletEvaluator(*columns, **options), upstream.TripletEvaluator(*columns, **options))


@pytest.mark.parametrize("several", [False, True])
def test_information_retrieval(same: Any, several: bool) -> None:
    queries = {f"q{i}": group[0] for i, group in enumerate(GROUPS)} | {"alone": "Nothing answers this."}
    corpus = {f"d{i}-{j}": text for i, g in enumerate(GROUPS) for j, text in enumerate(g[1:])}
    relevant = {f"q{i}": {f"d{i}-0", f"d{i}-1"} for i in range(len(GROUPS))}
    # What no model finds: the figures must not all be one.
    relevant["q1"] = {"d1-0", "d3-1", "gone"}
    relevant["q4"] = {"d5-1"}
    options: dict[str, Any] = {
        "name": "desk",
        "corpus_chunk_size": 4,
        "map_at_k": [3, 100],
        "mrr_at_k": [2, 10],
    }
    if several:
        from sentence_transformers import util as theirs

        from workbench import util as mine

        names = ("cos_sim", "dot_score", "euclidean_sim")
        own_functions = {"score_functions": {name: getattr(mine, name) for name in names}}
        their_functions = {"score_functions": {name: getattr(theirs, name) for name in names}}
    else:
        own_functions = their_functions = {"query_prompt": "Find: ", "truncate_dim": 128}
    same(
        own.InformationRetrievalEvaluator(queries, corpus, relevant, **options, **own_functions),
        upstream.InformationRetrievalEvaluator(queries, corpus, relevant, **options, **their_functions),
    )


def test_information_retrieval_predictions(models: Any, tmp_path: Path) -> None:
    import json

    queries = {"a": GROUPS[0][0], "b": GROUPS[1][0]}
    corpus = {str(place): text for place, text in enumerate(TEXTS[::2])}
    lines = []
    for evaluation, model in zip((own, upstream), models, strict=True):
        evaluator = evaluation.InformationRetrievalEvaluator(
            queries, corpus, {"a": {"1"}, "b": {"2"}}, write_predictions=True, map_at_k=[5]
        )
        folder = tmp_path / evaluation.__name__
        evaluator(model, str(folder))
        (file,) = folder.glob("*.jsonl")
        lines.append((file.name, [json.loads(line) for line in file.read_text().splitlines()]))
    assert lines[0][0] == lines[1][0]
    for mine, theirs in zip(lines[0][1], lines[1][1], strict=True):
        assert (mine["query_id"], mine["query"]) == (theirs["query_id"], theirs["query"])
        assert [hit["corpus_id"] for hit in mine["results"]] == [h["corpus_id"] for h in theirs["results"]]
        for hit, other in zip(mine["results"], theirs["results"], strict=True):
            assert hit["score"] == pytest.approx(other["score"], abs=1e-6)


@pytest.mark.parametrize("batched", [True, False])
def test_reranking(same: Any, batched: bool) -> None:
    samples: list[dict[str, Any]] = [
        {"query": g[0], "positive": [g[1], other[2]], "negative": [other[1], GROUPS[0][0], g[2]]}
        for g, other in zip(GROUPS, [*GROUPS[2:], *GROUPS[:2]], strict=True)
    ]
    samples[0]["positive"] = GROUPS[3][1]
    samples.append({"query": "no negatives", "positive": ["a"], "negative": []})
    options: dict[str, Any] = {"at_k": 2, "name": "short", "use_batched_encoding": batched}
    same(own.RerankingEvaluator(samples, **options), upstream.RerankingEvaluator(samples, **options))


@pytest.mark.parametrize("closure", [False, True])
def test_paraphrase_mining(same: Any, closure: bool) -> None:
    texts = {f"t{place}": text for place, text in enumerate(TEXTS)}
    known = [(f"t{3 * i}", f"t{3 * i + 1}") for i in range(7)] + [
        (f"t{3 * i + 1}", f"t{3 * i + 2}") for i in range(5)
    ]
    options: dict[str, Any] = {"top_k": 4, "name": "all", "add_transitive_closure": closure}
    same(
        own.ParaphraseMiningEvaluator(texts, [*known, ("t0", "gone")], **options),
        upstream.ParaphraseMiningEvaluator(texts, [*known, ("t0", "gone")], **options),
    )


def test_mse(same: Any, models: Any) -> None:
    sources, targets = [g[0] for g in GROUPS], [g[1] for g in GROUPS]
    arguments = [(sources, targets, model) for model in models]
    options: dict[str, Any] = {"name": "student", "truncate_dim": 100}
    same(own.MSEEvaluator(*arguments[0], **options), upstream.MSEEvaluator(*arguments[1], **options))


def test_mse_from_dataframe(same: Any, models: Any) -> None:
    rows = [dict(zip(("en", "de", "ko"), g, strict=True)) for g in GROUPS]
    rows[2]["de"] = "  "
    pairs = [("en", "de"), ("en", "ko"), ("de", "ko")]
    same(
        own.MSEEvaluatorFromDataFrame(rows, models[0], pairs, name="three"),
        upstream.MSEEvaluatorFromDataFrame(rows, models[1], pairs, name="three"),
    )


def test_translation(same: Any) -> None:
    sources = [text for g in GROUPS for text in g[:2]] + [GROUPS[0][0]]
    targets = [text for g in GROUPS for text in (g[2], g[0])] + [GROUPS[0][2]]
    same(own.TranslationEvaluator(sources, targets), upstream.TranslationEvaluator(sources, targets))


class Softmax(nn.Module):
    """What SoftmaxLoss is at evaluation: embeddings of each side, joined, through a linear layer."""

    def __init__(self, model: Any, classes: int) -> None:
        super().__init__()
        self.model = model
        self.drop = nn.Dropout(0.9)
        self.classifier = nn.Linear(2 * 384, classes)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            self.classifier.weight.normal_(generator=generator)
            self.classifier.bias.zero_()

    def forward(self, features: list[dict[str, Any]], labels: Any) -> tuple[Any, Any]:
        embedded = [self.model(one)["sentence_embedding"] for one in features]
        return embedded, self.classifier(self.drop(torch.cat(embedded, dim=1)))


def test_label_accuracy(models: Any, tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.readers import InputExample as UpstreamExample

    found = []
    for evaluation, model, example in zip(
        (own, upstream), models, (InputExample, UpstreamExample), strict=True
    ):
        data = [example(texts=[a, b], label=i % 4) for i, (a, b) in enumerate(PAIRS)]
        head = Softmax(model, 4).eval()
        loader = DataLoader(data, batch_size=16)  # type: ignore[arg-type]
        evaluator = evaluation.LabelAccuracyEvaluator(loader, name="nli", softmax_model=head)
        folder = tmp_path / evaluation.__name__
        metrics = evaluator(model, str(folder))
        found.append((metrics, evaluator.primary_metric, next(folder.iterdir()).read_text().split()))
    assert found[0] == found[1]
    assert 0 < found[0][0]["nli_accuracy"] < 1
    # In training the dropout would decide; it is off during the call, and on again after it.
    head = Softmax(models[0], 4).train()
    head.model.eval()
    again = own.LabelAccuracyEvaluator(
        [InputExample(texts=[a, b], label=i % 4) for i, (a, b) in enumerate(PAIRS)], softmax_model=head
    )
    assert again(models[0])["accuracy"] == found[0][0]["nli_accuracy"]
    assert head.training and head.drop.training and not head.model.training


def test_an_upstream_model_is_measured_too(models: Any) -> None:
    mine, theirs = models
    evaluator = own.TripletEvaluator(*(list(column) for column in zip(*GROUPS, strict=True)))
    similarity = own.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED)
    assert evaluator(theirs) == evaluator(mine)
    assert similarity(theirs) == pytest.approx(similarity(mine), abs=1e-6)


def test_sequential(same: Any) -> None:
    def both(evaluation: Any) -> Any:
        return evaluation.SequentialEvaluator(
            [
                evaluation.EmbeddingSimilarityEvaluator(LEFT, RIGHT, GRADED, name="a"),
                evaluation.BinaryClassificationEvaluator(LEFT, RIGHT, SAME, name="b"),
            ],
            main_score_function=np.mean,
        )

    same(both(own), both(upstream))


def test_nano_beir(same: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    parts = {
        "queries": [{"_id": "q0", "text": GROUPS[0][0]}, {"_id": "q1", "text": GROUPS[1][0]}],
        "corpus": [{"_id": f"d{i}", "text": text} for i, text in enumerate(["", *TEXTS[1:9]])],
        "qrels": [{"query-id": "q0", "corpus-id": "d5"}, {"query-id": "q1", "corpus-id": ["d4", "d2"]}],
    }
    split_of = {"NanoSciFact": slice(0, 9), "NanoNQ": slice(0, 7)}

    def load(name: str, part: str, split: str, **_: Any) -> Any:
        rows = parts[part][split_of[split]]
        return Rows(rows, list(rows[0]))

    monkeypatch.setattr(datasets, "load_dataset", load)
    options: dict[str, Any] = {
        "dataset_names": ["SciFact", "nq"],
        "query_prompts": "Find: ",
        "truncate_dim": 200,
        "ndcg_at_k": [3, 10],
    }
    same(own.NanoBEIREvaluator(**options), upstream.NanoBEIREvaluator(**options))


class Rows(list[Any]):
    """Rows with the names of their columns, as ``datasets`` gives them."""

    def __init__(self, rows: list[Any], column_names: list[str]) -> None:
        super().__init__(rows)
        self.column_names = column_names
