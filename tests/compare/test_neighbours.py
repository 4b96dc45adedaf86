"""Nearest texts against scikit-learn's brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from workbench.compare.neighbours import nearest
from workbench.errors import InvalidValueError


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_what_scikit_learn_finds(seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(30, 6))
    index = seed * 3
    search = NearestNeighbors(n_neighbors=6, metric="cosine", algorithm="brute").fit(rows)
    distances, places = search.kneighbors(rows[index : index + 1])
    found = nearest(rows, index, 5)
    assert [neighbour.index for neighbour in found] == list(places[0][1:])
    np.testing.assert_allclose([neighbour.cosine for neighbour in found], 1 - distances[0][1:], atol=1e-12)


def test_twins_are_neighbours_and_ties_keep_the_order() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    assert [neighbour.index for neighbour in nearest(rows, 0)] == [2, 1, 3]
    assert nearest(rows, 0)[0].cosine == pytest.approx(1.0)


def test_one_text_has_no_neighbour() -> None:
    assert nearest(np.ones((1, 3)), 0) == ()


@pytest.mark.parametrize(("index", "count"), [(3, 1), (-1, 1), (0, 0)])
def test_what_does_not_exist_is_refused(index: int, count: int) -> None:
    with pytest.raises(InvalidValueError):
        nearest(np.ones((3, 2)), index, count)
