"""Search in every stored form against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.compare.bench_tradeoff import cut, kept_dims, ndcg_of_queries
from workbench.compare.stored_search import FORMS, RESCORE_TIMES, search, store
from workbench.errors import UnknownNameError

DIMS = (384, 64, 20)


def rows_of(count: int, dim: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("dim", DIMS)
def test_float_is_a_plain_product(dim):
    documents, queries = rows_of(200, dim, 0), rows_of(40, dim, 1)
    places, scores = search(store("float32", documents), queries, 10)
    plain = queries @ documents.T
    assert (places == np.argsort(-plain, axis=1, kind="stable")[:, :10]).all()
    assert np.allclose(scores, -np.sort(-plain, axis=1)[:, :10], atol=1e-6)


@pytest.mark.parametrize("dim", DIMS)
def test_int8_is_a_product_with_the_middles_of_the_steps(dim):
    documents, queries = rows_of(200, dim, 0), rows_of(40, dim, 1)
    stored = store("int8", documents)
    low, high = documents.min(axis=0), documents.max(axis=0)
    step = (high - low) / 255
    middles = low + (np.floor((documents - low) / step).clip(0, 255) + 0.5) * step
    plain = queries @ middles.T
    places, scores = search(stored, queries, 10)
    assert np.allclose(scores, -np.sort(-plain, axis=1)[:, :10], atol=1e-5)
    assert np.allclose(np.take_along_axis(plain, places, axis=1), scores, atol=1e-5)
    assert stored.rows.dtype == np.int8 and stored.bytes_a_row == dim


@pytest.mark.parametrize("dim", DIMS)
def test_binary_fetches_by_signs_and_scores_again_by_the_query(dim):
    documents, queries = rows_of(200, dim, 0), rows_of(40, dim, 1)
    stored = store("binary", documents)
    top = 5
    places, scores = search(stored, queries, top)
    differing = ((queries > 0)[:, None, :] != (documents > 0)[None, :, :]).sum(axis=2)
    signs = np.where(documents > 0, 1.0, -1.0)
    again = queries @ signs.T
    for query in range(len(queries)):
        assert np.allclose(again[query, places[query]], scores[query], atol=1e-5)
        assert (np.diff(scores[query]) <= 1e-6).all()
        # Whatever lies strictly within the fetched distance was scored, and nothing beyond it was.
        limit = np.sort(differing[query])[top * RESCORE_TIMES - 1]
        sure = np.flatnonzero(differing[query] < limit)
        assert differing[query, places[query]].max() <= limit
        better = sure[again[query, sure] > scores[query][-1] + 1e-5]
        assert set(better) <= set(places[query])
    assert stored.bytes_a_row == -(-dim // 8)


@pytest.mark.parametrize("form", FORMS)
def test_fewer_rows_than_results_give_them_all(form):
    documents = rows_of(3, 16, 0)
    places, scores = search(store(form, documents), documents, 10)
    assert places.shape == scores.shape == (3, 3)
    assert [sorted(row) for row in places.tolist()] == [[0, 1, 2]] * 3


def test_a_form_that_is_none_is_refused():
    with pytest.raises(UnknownNameError) as caught:
        store("int4", rows_of(2, 8, 0))
    assert caught.value.code == "unknown-form"


def test_ndcg_of_a_query_is_the_discount_of_its_document():
    documents = np.eye(12, dtype=np.float32)
    queries = np.zeros((2, 12), dtype=np.float32)
    queries[0] = np.linspace(1.0, 0.1, 12)
    queries[1, 5] = 1.0
    # Third of the first query, first of the second.
    found = ndcg_of_queries(queries, documents, "float32", [[2], [5]])
    assert found == pytest.approx([1 / np.log2(4), 1.0])
    # Eleventh: below the depth.
    assert ndcg_of_queries(queries, documents, "float32", [[10], [5]])[0] == 0.0


def test_cut_rows_are_of_unit_length():
    kept = cut(rows_of(5, 32, 0) * 3, 7)
    assert kept.shape == (5, 7)
    assert np.linalg.norm(kept, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    assert kept_dims(384) == (384, 192, 128, 64, 32)
    assert kept_dims(4) == (4, 2, 1)
