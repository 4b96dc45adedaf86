"""The map of several columns against scikit-learn, and what must coincide on it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tests.compare.columns import encoded
from workbench.compare.projection import project


def rows(seed: int, texts: int = 12, dim: int = 6) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(texts, dim)) * np.arange(1, dim + 1)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_one_column_is_its_principal_components() -> None:
    values = rows(0)
    found = project([encoded("a", values)])
    fitted = PCA(n_components=2, svd_solver="full").fit(values.astype(np.float32).astype(np.float64))
    distances = np.linalg.norm(found.coordinates["a"][:, None] - found.coordinates["a"][None], axis=2)
    expected = fitted.transform(values)
    np.testing.assert_allclose(
        distances, np.linalg.norm(expected[:, None] - expected[None], axis=2), atol=1e-5
    )
    assert found.explained["a"] == pytest.approx(fitted.explained_variance_ratio_.sum(), abs=1e-6)


def test_equal_embeddings_of_one_dimension_fall_on_one_point() -> None:
    values, other = rows(0), rows(0)
    other[3] = rows(5)[3]
    found = project([encoded("a", values), encoded("b", other), encoded("raw", values * 7)])
    a, b = found.coordinates["a"], found.coordinates["b"]
    same = np.arange(12) != 3
    np.testing.assert_allclose(a[same], b[same], atol=1e-9)
    assert np.linalg.norm(a[3] - b[3]) > 0.1
    np.testing.assert_allclose(found.coordinates["raw"], a, atol=1e-6)


def test_a_turned_and_padded_space_is_turned_back() -> None:
    values = rows(1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))
    wide = np.concatenate([values @ turn, np.zeros((12, 3))], axis=1)
    found = project([encoded("a", values), encoded("wide", wide)])
    np.testing.assert_allclose(found.coordinates["wide"], found.coordinates["a"], atol=1e-5)


def test_it_is_the_same_every_time() -> None:
    columns = [encoded("a", rows(0)), encoded("b", rows(1, dim=4))]
    first, second = project(columns), project(columns)
    for label in ("a", "b"):
        assert np.array_equal(first.coordinates[label], second.coordinates[label])
    assert list(first.coordinates) == ["a", "b"]


@pytest.mark.parametrize("texts", [1, 2])
def test_few_texts_still_have_a_place(texts: int) -> None:
    found = project([encoded("a", rows(0, texts)), encoded("b", rows(1, texts, dim=4))])
    for label in ("a", "b"):
        assert found.coordinates[label].shape == (texts, 2)
        assert np.isfinite(found.coordinates[label]).all()
        assert found.explained[label] == pytest.approx(1.0)


def test_texts_that_are_all_alike_share_a_point() -> None:
    found = project([encoded("a", np.ones((4, 3)))])
    assert np.array_equal(found.coordinates["a"], np.zeros((4, 2)))
    assert found.explained["a"] == 1.0


def test_no_column_gives_an_empty_map() -> None:
    assert project([]).coordinates == {}
