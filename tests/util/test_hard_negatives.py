"""Mining of hard negatives against sentence-transformers, on the same embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer as UpstreamModel
from sentence_transformers import util as upstream

from tests.models.tiny import write_upstream
from workbench import InputExample, SentenceTransformer
from workbench.errors import WorkbenchError
from workbench.util import GivenEmbeddings, mine_hard_negatives
from workbench.util.similarity import cos_sim, pairwise_cos_sim


class Model:
    """Embeds every text by a random vector of its own; a stand-in for both libraries' models."""

    device = "cpu"

    def __init__(self, similarity: Any = cos_sim, pairwise: Any = pairwise_cos_sim) -> None:
        self.similarity, self.similarity_pairwise = similarity, pairwise
        self.calls: list[dict[str, Any]] = []

    def encode_query(self, texts: list[str], **kwargs: Any) -> Any:
        self.calls.append(kwargs)
        rows = torch.stack([embedding(text) for text in texts])
        rows = torch.nn.functional.normalize(rows, dim=1)
        return rows.numpy() if kwargs.get("convert_to_numpy") else rows

    encode_document = encode_query


def embedding(text: str) -> torch.Tensor:
    number = int.from_bytes(text.encode()[:7], "big")
    return torch.randn(6, generator=torch.Generator().manual_seed(number)).double()


def pairs(rows: int, anchors: int, positives: int, seed: int) -> list[tuple[str, str]]:
    draw = torch.Generator().manual_seed(seed)
    return [
        (f"q{torch.randint(anchors, (), generator=draw)}", f"d{torch.randint(positives, (), generator=draw)}")
        for _ in range(rows)
    ]


def as_dataset(rows: list[tuple[str, str]]) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"anchor": [a for a, _ in rows], "positive": [p for _, p in rows]})


limits = st.fixed_dictionaries(
    {"num_negatives": st.integers(1, 3)},
    optional={
        "range_min": st.integers(0, 4),
        "max_score": st.sampled_from([0.2, 0.6]),
        "min_score": st.sampled_from([-0.4, 0.1]),
        "absolute_margin": st.sampled_from([0.0, 0.2]),
        "relative_margin": st.sampled_from([0.0, 0.1, 0.5]),
        "range_max": st.integers(7, 30),
        "include_positives": st.booleans(),
        "output_scores": st.booleans(),
    },
)


def rounded(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    def near(value: Any) -> Any:
        if isinstance(value, list):
            return [near(part) for part in value]
        return round(value, 5) + 0.0 if isinstance(value, float) else value

    return {name: near(list(values)) for name, values in columns.items()}


@pytest.mark.parametrize("output_format", ["triplet", "n-tuple", "labeled-pair", "labeled-list"])
@settings(max_examples=12, deadline=None)
@given(
    rows=st.integers(1, 25),
    anchors=st.integers(1, 12),
    more=st.booleans(),
    seed=st.integers(0, 999),
    options=limits,
)
def test_mining_equals_upstream(
    output_format: Any, rows: int, anchors: int, more: bool, seed: int, options: dict[str, Any]
) -> None:
    # A positive is then as far from itself as is asked for, and the last bit of its score decides.
    margins = (options.get("absolute_margin"), options.get("relative_margin"))
    assume(not (options.get("include_positives") and 0.0 in margins))
    found = pairs(rows, anchors, 14, seed)
    corpus = [f"c{number % 9}" for number in range(12)] if more else None
    shared = {**options, "corpus": corpus, "output_format": output_format, "verbose": False}
    try:
        theirs = upstream.mine_hard_negatives(as_dataset(found), Model(), **shared)  # type: ignore[arg-type]
    except ZeroDivisionError:
        # Upstream divides by the candidates left, where two limits have ruled out all of them.
        reject()
    ours = mine_hard_negatives(as_dataset(found), Model(), **shared)
    assert type(ours) is datasets.Dataset
    assert ours.column_names == theirs.column_names
    assert rounded(ours.to_dict()) == rounded(theirs.to_dict())


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(2, 25), anchors=st.integers(1, 12), seed=st.integers(0, 999), top=st.booleans())
def test_a_negative_is_never_a_positive_of_its_anchor(rows: int, anchors: int, seed: int, top: bool) -> None:
    found = pairs(rows, anchors, 10, seed)
    mined = mine_hard_negatives(
        found, Model(), sampling_strategy="top" if top else "random", range_max=12, verbose=False, seed=seed
    )
    positives = set(found)
    triplets = list(zip(mined["anchor"], mined["positive"], mined["negative"], strict=True))
    assert all((anchor, negative) not in positives for anchor, _, negative in triplets)
    assert len(set(triplets)) == len(triplets)
    # Each pair has the three that were asked for, or all there are.
    others = {
        anchor: len({p for _, p in found} - {p for a, p in found if a == anchor}) for anchor, _ in found
    }
    for anchor, positive in positives:
        own = [row for row in triplets if row[:2] == (anchor, positive)]
        assert len(own) == min(3, others[anchor])


def test_a_random_draw_repeats_with_its_seed_and_keeps_to_the_ranks() -> None:
    found = [(f"q{number}", f"d{number}") for number in range(30)]

    def drawn(seed: int) -> Any:
        return mine_hard_negatives(
            found, Model(), sampling_strategy="random", range_min=2, range_max=9, seed=seed, verbose=False
        )

    assert drawn(1) == drawn(1) != drawn(2)
    allowed = mine_hard_negatives(found, Model(), range_min=2, range_max=9, num_negatives=7, verbose=False)
    inside = set(zip(allowed["anchor"], allowed["negative"], strict=True))
    assert set(zip(drawn(1)["anchor"], drawn(1)["negative"], strict=True)) < inside


def test_examples_columns_and_given_embeddings_give_the_same() -> None:
    found = pairs(12, 6, 9, 3)
    corpus = ["c1", "c2", "c1"]
    columns = mine_hard_negatives(found, Model(), corpus=corpus, verbose=False)
    given_rows = GivenEmbeddings(
        *(torch.stack([embedding(text) for text in texts]) for texts in (*zip(*found, strict=True), corpus))
    )
    assert mine_hard_negatives(found, given_rows, corpus=corpus, verbose=False) == columns
    table = {"anchor": [a for a, _ in found], "positive": [p for _, p in found]}
    assert mine_hard_negatives(table, Model(), corpus=corpus, verbose=False) == columns
    examples = [InputExample(texts=list(pair)) for pair in found]
    mined = mine_hard_negatives(examples, Model(), corpus=corpus, verbose=False)
    assert [tuple(example.texts) for example in mined] == list(zip(*columns.values(), strict=True))
    assert {type(example) for example in mined} == {InputExample}
    labeled = mine_hard_negatives(examples, Model(), output_format="labeled-pair", verbose=False)
    pairs_only = mine_hard_negatives(found, Model(), output_format="labeled-pair", verbose=False)
    assert [example.label for example in labeled] == pairs_only["label"]
    assert {0, 1} == set(pairs_only["label"])


def test_prompts_reach_their_side() -> None:
    model = Model()
    mine_hard_negatives(
        [("q", "a"), ("r", "b")], model, query_prompt="query: ", corpus_prompt_name="document", batch_size=5,
        num_negatives=1, verbose=False,
    )  # fmt: skip
    documents, queries = model.calls
    assert (documents["prompt"], documents["prompt_name"]) == (None, "document")
    assert (queries["prompt"], queries["prompt_name"], queries["batch_size"]) == ("query: ", None, 5)


@pytest.mark.parametrize(
    ("dataset", "options", "code"),
    [
        ([], {}, "dataset-empty"),
        ([("a", "b", "c")], {}, "row-not-a-pair"),
        ([("a", None)], {}, "text-not-a-string"),
        ({"a": ["x"]}, {}, "columns-too-few"),
        ({"a": ["x"], "b": ["y", "z"]}, {}, "columns-uneven"),
        ({"a": ["x"], "b": ["y"]}, {"anchor_column_name": "c"}, "column-unknown"),
        ([("a", "b")], {"output_format": "pairs"}, "output-format-unknown"),
        ([("a", "b")], {"num_negatives": 0}, "count-out-of-range"),
        ([("a", "b")], {"range_min": 5, "range_max": 6}, "range-too-narrow"),
        ([("a", "b")], {"range_min": -1}, "range-too-narrow"),
        ([("a", "b")], {"sampling_strategy": "best"}, "sampling-strategy-unknown"),
        ([("a", "b")], {"model": object()}, "model-does-not-encode"),
        ([("a", "b")], {"model": GivenEmbeddings(torch.ones(1, 3), torch.ones(0, 3))}, "embeddings-count"),
        ([("a", "b")], {"model": GivenEmbeddings(torch.full((1, 3), torch.nan), torch.ones(1, 3))},
         "embedding-not-finite"),
        ([InputExample(texts=["a", "b"])], {"output_format": "labeled-list"}, "format-without-examples"),
        ([InputExample(texts=["a", "b"])], {"output_scores": True}, "format-without-examples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_mined_is_refused(dataset: Any, options: dict[str, Any], code: str) -> None:
    options = {"model": Model(), "verbose": False, **options}
    with pytest.raises(WorkbenchError) as caught:
        mine_hard_negatives(dataset, **options)
    assert caught.value.code == code


def test_with_real_models_the_texts_are_those_of_upstream(tmp_path: Path) -> None:
    folder = write_upstream(tmp_path, "bert")
    found = [(f"the {a} fox", f"the lazy {b} dog") for a, b in zip("abcdefgh", "ijklmnop", strict=True)]
    options: dict[str, Any] = {
        "corpus": ["Wetter", "morgen regnet es"],
        "query_prompt": "fox: ",
        "verbose": False,
    }
    ours = mine_hard_negatives(as_dataset(found), SentenceTransformer(folder, device="cpu"), **options)
    theirs = upstream.mine_hard_negatives(
        as_dataset(found), UpstreamModel(str(folder), device="cpu"), **options
    )
    assert ours.to_dict() == theirs.to_dict()
