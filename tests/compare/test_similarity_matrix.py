"""Cosine matrices against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics.pairwise import cosine_similarity

from workbench.compare.similarity_matrix import cosine_difference, cosine_matrix, row_cosines, unit_rows
from workbench.errors import ShapeMismatchError

ROWS = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8),
    elements=st.floats(-10, 10, width=32).filter(lambda value: value == 0 or abs(value) > 1e-3),
)


@given(ROWS)
def test_it_is_scikit_learns_matrix(rows: np.ndarray) -> None:
    found = cosine_matrix(rows)
    np.testing.assert_allclose(found, cosine_similarity(rows.astype(np.float64)), atol=1e-12)
    assert found.dtype == np.float64
    assert np.abs(found).max() <= 1.0


@given(ROWS)
def test_a_row_against_itself_and_its_opposite(rows: np.ndarray) -> None:
    some = rows.any(axis=1)
    np.testing.assert_allclose(row_cosines(rows, rows * 3), 1.0, atol=1e-12)
    np.testing.assert_allclose(row_cosines(rows, -rows)[some], -1.0, atol=1e-12)
    assert np.all(row_cosines(rows, np.zeros_like(rows))[some] == 0)


def test_unit_rows_have_length_one_or_zero() -> None:
    lengths = np.linalg.norm(unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])), axis=1)
    np.testing.assert_allclose(lengths, [1.0, 0.0])


def test_the_difference_takes_columns_of_other_dimensions() -> None:
    left = np.array([[1.0, 0.0], [0.0, 1.0]])
    right = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(cosine_difference(left, right), [[0, -1], [-1, 0]])
    with pytest.raises(ShapeMismatchError, match="texts-mismatch"):
        cosine_difference(left, right[:1])
