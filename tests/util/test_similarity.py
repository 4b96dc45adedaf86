"""The similarity functions against sentence-transformers, scipy, and their own laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist
from sentence_transformers import util as upstream

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util import similarity

ALL_WITH_ALL = ["cos_sim", "dot_score", "euclidean_sim", "manhattan_sim"]
PAIRWISE = ["pairwise_cos_sim", "pairwise_dot_score", "pairwise_euclidean_sim", "pairwise_manhattan_sim"]
ANGLE = "pairwise_angle_sim"
seeds = st.integers(0, 2**32 - 1)


def normal(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def value_and_gradients(function, a, b):
    """The scores, and the gradients of a sum in which every score has a weight of its own."""
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    scores = function(a, b)
    (scores * torch.arange(1, scores.numel() + 1, dtype=scores.dtype).view_as(scores)).sum().backward()
    return scores.detach(), a.grad, b.grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ALL_WITH_ALL)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, n=st.integers(1, 40), m=st.integers(1, 40), dim=st.integers(1, 70))
def test_all_with_all_equal_upstream(name, dtype, seed, n, m, dim):
    a = torch.nn.functional.normalize(normal(seed, n, dim, dtype=dtype), dim=1)
    b = torch.nn.functional.normalize(normal(seed + 1, m, dim, dtype=dtype), dim=1)
    if dtype is torch.float32 and name == "euclidean_sim":
        # From 26 rows on upstream's float32 distances are off by up to 0.001 where rows are close.
        expected = upstream.euclidean_sim(a.double(), b.double()).float()
    else:
        expected = getattr(upstream, name)(a, b)
    scores = getattr(similarity, name)(a, b)
    assert scores.shape == (n, m)
    torch.testing.assert_close(scores, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ALL_WITH_ALL)
@pytest.mark.parametrize(("n", "m", "dim"), [(3, 5, 7), (40, 30, 16), (1, 1, 1)])
def test_gradients_of_all_with_all_equal_upstream(name, n, m, dim):
    a, b = normal(0, n, dim), normal(1, m, dim)
    ours = value_and_gradients(getattr(similarity, name), a, b)
    theirs = value_and_gradients(getattr(upstream, name), a, b)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", [*PAIRWISE, ANGLE])
@pytest.mark.parametrize(("rows", "dim"), [(1, 1), (6, 8), (30, 9)])
def test_pairwise_values_and_gradients_equal_upstream(name, rows, dim):
    a, b = normal(2, rows, dim), normal(3, rows, dim)
    ours = value_and_gradients(getattr(similarity, name), a, b)
    theirs = value_and_gradients(getattr(upstream, name), a, b)
    assert ours[0].shape == (rows,)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "metric"),
    [("euclidean_sim", "euclidean"), ("manhattan_sim", "cityblock"), ("cos_sim", "cosine")],
)
def test_distances_equal_scipy(name, metric):
    a, b = normal(4, 33, 12).numpy(), normal(5, 27, 12).numpy()
    expected = 1 - cdist(a, b, metric) if metric == "cosine" else -cdist(a, b, metric)
    np.testing.assert_allclose(getattr(similarity, name)(a, b).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("whole", "paired"), list(zip(ALL_WITH_ALL, PAIRWISE, strict=True)))
def test_pairwise_is_the_diagonal(whole, paired):
    a, b = normal(6, 9, 5), normal(7, 9, 5)
    diagonal = getattr(similarity, whole)(a, b).diagonal()
    torch.testing.assert_close(getattr(similarity, paired)(a, b), diagonal)


@pytest.mark.parametrize("name", [*PAIRWISE, ANGLE])
def test_pairwise_takes_lone_and_stacked_rows(name):
    function = getattr(similarity, name)
    a, b = normal(8, 4, 3, 6), normal(9, 4, 3, 6)
    scores = function(a, b)
    assert scores.shape == (4, 3)
    torch.testing.assert_close(function(a[1, 2], b[1, 2]), scores[1, 2])


def test_a_row_is_at_no_distance_from_itself_in_float32():
    rows = torch.nn.functional.normalize(normal(10, 200, 384, dtype=torch.float32), dim=1)
    own = similarity.euclidean_sim(rows, rows).diagonal()
    assert own.dtype == torch.float32
    assert float(own.abs().max()) < 1e-6


def test_zero_rows_have_cosine_zero_and_no_gradient_is_nan():
    zero, other = torch.zeros(1, 4, dtype=torch.float64), normal(11, 3, 4)
    for name in ALL_WITH_ALL:
        _, gradient, _ = value_and_gradients(getattr(similarity, name), zero, other)
        assert bool(gradient.isfinite().all())
    assert similarity.cos_sim(zero, other).tolist() == [[0.0, 0.0, 0.0]]
    same = value_and_gradients(similarity.pairwise_euclidean_sim, other, other)
    assert same[1].tolist() == torch.zeros(3, 4).tolist()


finite_rows = hnp.arrays(np.float64, (5, 4), elements=st.floats(-100, 100).map(lambda x: round(x, 3)))


@settings(max_examples=40, deadline=None)
@given(a=finite_rows, b=finite_rows, scale=st.floats(1e-3, 1e3))
def test_cosine_knows_neither_length_nor_order_of_the_sides(a, b, scale):
    scores = similarity.cos_sim(a, b)
    # The rows must not fall below the length at which the norm is clamped.
    torch.testing.assert_close(similarity.cos_sim(scale * a, b), scores, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(similarity.cos_sim(b, a).T, scores, rtol=1e-9, atol=1e-9)
    assert float(scores.abs().max()) <= 1 + 1e-12
    torch.testing.assert_close(similarity.cos_sim(-a, b), -scores)


@pytest.mark.parametrize("name", ALL_WITH_ALL)
@settings(max_examples=15, deadline=None)
@given(a=finite_rows, b=finite_rows, order=st.permutations(range(5)))
def test_permuted_rows_give_permuted_scores(name, a, b, order):
    function = getattr(similarity, name)
    torch.testing.assert_close(function(a[order], b), function(a, b)[order])
    torch.testing.assert_close(function(a, b[order]), function(a, b)[:, order])


@pytest.mark.parametrize("name", ["euclidean_sim", "manhattan_sim"])
@settings(max_examples=25, deadline=None)
@given(rows=finite_rows)
def test_distances_obey_the_triangle_inequality(name, rows):
    distance = -getattr(similarity, name)(rows, rows)
    assert float(distance.min()) >= 0
    through = distance[:, :, None] + distance[None, :, :]
    # float64 leaves up to the root of its rounding error where two rows coincide.
    assert bool((distance[:, None, :] <= through + 1e-4).all())


@pytest.mark.parametrize("name", ["euclidean_sim", "manhattan_sim"])
def test_blocks_bound_what_is_held_and_change_nothing(name, monkeypatch):
    a, b = normal(12, 20, 6), normal(13, 50, 6)
    whole = value_and_gradients(getattr(similarity, name), a, b)
    seen = []
    real = torch.cdist

    def watched(left, right, p=2.0):
        seen.append(len(left) * len(right) * (left.shape[1] if p == 1.0 else 1))
        return real(left, right, p=p)

    monkeypatch.setattr(similarity, "BLOCK_NUMBERS", 500)
    monkeypatch.setattr(torch, "cdist", watched)
    parts = value_and_gradients(getattr(similarity, name), a, b)
    assert len(seen) > 1
    assert max(seen) <= 500
    for mine, other in zip(parts, whole, strict=True):
        torch.testing.assert_close(mine, other)


ROWS = [[1.0, 2.0, 2.0], [0.0, -3.0, 4.0]]
FORMS = {
    "lists": ROWS,
    "tuples": tuple(tuple(row) for row in ROWS),
    "integers": [[1, 2, 2], [0, -3, 4]],
    "float64 array": np.array(ROWS),
    "float16 array": np.array(ROWS, dtype=np.float16),
    "int8 array": np.array(ROWS, dtype=np.int8),
    "big-endian array": np.array(ROWS, dtype=">f4"),
    "long double array": np.array(ROWS, dtype=np.longdouble),
    "array of negative stride": np.array(ROWS[::-1])[::-1],
    "tensor": torch.tensor(ROWS),
    "bfloat16 tensor": torch.tensor(ROWS, dtype=torch.bfloat16),
    "list of tensors": [torch.tensor(row) for row in ROWS],
    "list of arrays": [np.array(row) for row in ROWS],
    "mixed list": [torch.tensor(ROWS[0]), np.array(ROWS[1], dtype=np.float32)],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ALL_WITH_ALL)
def test_every_form_of_rows_is_read(name, form):
    function = getattr(similarity, name)
    expected = function(torch.tensor(ROWS), torch.tensor(ROWS)).double()
    scores = function(FORMS[form], ROWS)
    assert scores.dtype in (torch.float32, torch.float64)
    torch.testing.assert_close(scores.double(), expected)
    torch.testing.assert_close(function(ROWS, FORMS[form]).double(), expected)


@pytest.mark.parametrize("name", ALL_WITH_ALL)
def test_one_embedding_is_a_batch_of_one(name):
    function = getattr(similarity, name)
    assert function(ROWS[0], ROWS).shape == (1, 2)
    assert function(ROWS, np.array(ROWS[0])).shape == (2, 1)
    torch.testing.assert_close(function(ROWS[0], ROWS[1]), function(ROWS, ROWS)[:1, 1:])


@pytest.mark.filterwarnings("error")
def test_read_only_memory_is_read_and_nothing_is_changed():
    rows = np.array(ROWS)
    frozen = rows.copy()
    frozen.flags.writeable = False
    for name in ALL_WITH_ALL:
        function = getattr(similarity, name)
        torch.testing.assert_close(function(rows, frozen), function(rows, rows))
    np.testing.assert_array_equal(rows, np.array(ROWS))


def test_products_of_8_bit_rows_do_not_overflow():
    rows = np.full((1, 1000), 127, dtype=np.int8)
    assert similarity.dot_score(rows, rows).item() == 127 * 127 * 1000


def test_half_precision_scores_do_not_tie():
    rows = torch.tensor([[1.0, 1.0], [1.0, 1.001953125]], dtype=torch.float16)
    scores = similarity.cos_sim(rows[:1], rows)[0]
    assert scores.dtype == torch.float32
    assert float(scores[0]) > float(scores[1])


@pytest.mark.parametrize("name", ALL_WITH_ALL)
@pytest.mark.parametrize("empty", [[], np.zeros((0, 3)), torch.zeros(0, 3)])
def test_no_rows_give_no_scores(name, empty):
    function = getattr(similarity, name)
    assert function(empty, ROWS).shape == (0, 2)
    assert function(ROWS, empty).shape == (2, 0)
    assert function(empty, empty).shape == (0, 0)


@pytest.mark.parametrize("name", [*PAIRWISE, ANGLE])
def test_no_pairs_give_no_scores(name):
    function = getattr(similarity, name)
    assert function([], []).shape == (0,)
    assert function(np.zeros((0, 3)), []).shape == (0,)


@pytest.mark.parametrize("name", [*ALL_WITH_ALL, *PAIRWISE, ANGLE])
def test_different_dimensions_are_refused_with_both_numbers(name):
    with pytest.raises(ShapeMismatchError, match=r"\b3\b.*\b4\b.*\[dimension-mismatch\]"):
        getattr(similarity, name)(ROWS, np.ones((2, 4)))


@pytest.mark.parametrize("name", [*PAIRWISE, ANGLE])
def test_pairs_without_a_partner_are_refused(name):
    for lonely in (ROWS[:1], ROWS[0], []):
        with pytest.raises(ShapeMismatchError, match=r"\[pairs-mismatch\]"):
            getattr(similarity, name)(ROWS, lonely)


@pytest.mark.parametrize(
    ("value", "error", "code"),
    [
        ([[1.0, 2.0], [1.0]], ShapeMismatchError, "ragged-rows"),
        ([torch.ones(2), torch.ones(3)], ShapeMismatchError, "ragged-rows"),
        (np.ones((2, 2, 3)), ShapeMismatchError, "too-many-axes"),
        (torch.tensor(1.0), ShapeMismatchError, "too-few-axes"),
        (np.float64(1.0), ShapeMismatchError, "too-few-axes"),
        (["a", "b"], InvalidTypeError, "not-embeddings"),
        ("text", InvalidTypeError, "not-embeddings"),
        (None, InvalidTypeError, "not-embeddings"),
        ([None], InvalidTypeError, "not-embeddings"),
        ([1.0, [2.0]], InvalidTypeError, "not-embeddings"),
        ([10**400], InvalidTypeError, "not-embeddings"),
        ({"a": 1}, InvalidTypeError, "not-embeddings"),
        (np.array(["a"]), InvalidTypeError, "not-embeddings"),
        (np.array([1 + 2j]), InvalidTypeError, "not-embeddings"),
        (torch.ones(2, 3, dtype=torch.complex64), InvalidTypeError, "not-embeddings"),
        (torch.eye(3).to_sparse(), InvalidTypeError, "not-embeddings"),
        ([torch.ones(3).to_sparse()], InvalidTypeError, "not-embeddings"),
    ],
)
def test_what_is_no_embedding_is_refused(value, error, code):
    for name in ALL_WITH_ALL:
        with pytest.raises(error, match=rf"\[{code}\]"):
            getattr(similarity, name)(ROWS, value)


@pytest.mark.parametrize("name", ["cosine", "dot", "euclidean", "manhattan"])
def test_the_table_holds_upstreams_functions(name):
    function = similarity.SimilarityFunction.to_similarity_fn(name)
    paired = similarity.SimilarityFunction.to_similarity_pairwise_fn(similarity.SimilarityFunction(name))
    assert function.__name__ == upstream.SimilarityFunction.to_similarity_fn(name).__name__
    assert paired.__name__ == upstream.SimilarityFunction.to_similarity_pairwise_fn(name).__name__
    assert name in similarity.SimilarityFunction.possible_values()


@pytest.mark.parametrize("value", ["cos", "", None, 3])
def test_an_unknown_similarity_is_refused_with_the_known_ones(value):
    for ask in (
        similarity.SimilarityFunction,
        similarity.SimilarityFunction.to_similarity_fn,
        similarity.SimilarityFunction.to_similarity_pairwise_fn,
    ):
        with pytest.raises(
            InvalidValueError, match=r"cosine, dot, euclidean, manhattan.*\[unknown-similarity\]"
        ):
            ask(value)
