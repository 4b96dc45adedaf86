"""The best columns of a row against a full sort in numpy, where scores tie as a rule."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util import ranking
from workbench.util.similarity import dot_score, pairwise_dot_score

few_values = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 5), st.integers(1, 30)), elements=st.sampled_from([-1, 0, 1])
)
small_rows = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(-2, 2).map(float)
)


def by_full_sort(scores: np.ndarray, k: int) -> tuple[list, list]:
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1).tolist(), order.tolist()


@settings(max_examples=150, deadline=None)
@given(scores=few_values, k=st.integers(1, 32))
def test_ties_go_to_the_lower_column(scores, k):
    values, columns = ranking.top_k_of_rows(torch.from_numpy(scores), k)
    assert (values.tolist(), columns.tolist()) == by_full_sort(scores, k)


@settings(max_examples=80, deadline=None)
@given(
    queries=small_rows,
    corpus=small_rows,
    sizes=st.tuples(st.integers(1, 13), st.integers(1, 13)),
    k=st.integers(1, 13),
)
def test_chunks_change_nothing(queries, corpus, sizes, k):
    # Small whole numbers: every product is exact, whatever the order of the sums.
    values, rows = ranking.nearest(
        torch.from_numpy(queries),
        torch.from_numpy(corpus),
        query_chunk_size=sizes[0],
        corpus_chunk_size=sizes[1],
        top_k=k,
        score_function=dot_score,
    )
    assert (values.tolist(), rows.tolist()) == by_full_sort(queries @ corpus.T, k)


def test_infinities_are_ranked_and_nan_is_refused():
    scores = torch.tensor([[0.0, float("inf"), -float("inf")], [1.0, 2.0, 3.0]])
    assert ranking.top_k_of_rows(scores, 3)[1].tolist() == [[1, 0, 2], [2, 1, 0]]
    scores[1, 0] = float("nan")
    with pytest.raises(InvalidValueError, match=r"\[score-not-a-number\]"):
        ranking.top_k_of_rows(scores, 1)


@pytest.mark.parametrize(
    ("function", "error", "code"),
    [
        (pairwise_dot_score, ShapeMismatchError, "score-shape"),
        (lambda a, b: dot_score(b, a), ShapeMismatchError, "score-shape"),
        (lambda a, b: dot_score(a, b).numpy(), InvalidTypeError, "score-type"),
        (lambda a, b: dot_score(a, b) * float("nan"), InvalidValueError, "score-not-a-number"),
    ],
)
def test_a_score_function_that_does_not_score_all_with_all_is_refused(function, error, code):
    queries = torch.ones(2, 3)
    corpus = queries if function is pairwise_dot_score else torch.ones(4, 3)
    with pytest.raises(error, match=rf"\[{code}\]"):
        ranking.nearest(
            queries, corpus, query_chunk_size=9, corpus_chunk_size=9, top_k=1, score_function=function
        )


@pytest.mark.parametrize("dim", [0, 1])
def test_count_true_counts(dim):
    mask = torch.tensor([[True, False, True], [False, False, True]])
    assert ranking.count_true(mask, dim).tolist() == mask.sum(dim=dim).tolist()
