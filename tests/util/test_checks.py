"""Counts and finite rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workbench.errors import InvalidValueError
from workbench.util import checks


@pytest.mark.parametrize("value", [1, 7, np.int32(7), torch.tensor(3)])
def test_whole_numbers_pass_as_int(value):
    count = checks.require_count(value, "top_k", at_most=7)
    assert type(count) is int
    assert count == int(value)


@pytest.mark.parametrize("value", [0, -3, 8, 1.0, True, None, "3", torch.tensor(1.5)])
def test_other_values_are_refused(value):
    with pytest.raises(InvalidValueError, match=r"^top_k: .*from 1 to 7.*\[count-out-of-range\]"):
        checks.require_count(value, "top_k", at_most=7)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("value", "words"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_the_first_bad_row_is_named(dtype, value, words, monkeypatch):
    # Chunks of 2 rows: the row number must count from the start of the matrix.
    monkeypatch.setattr(checks, "_ROWS_A_CHUNK", 2)
    rows = torch.ones(7, 3, dtype=dtype)
    checks.require_finite_rows(rows, "corpus")
    rows[3, 1] = rows[5, 0] = value
    with pytest.raises(InvalidValueError, match=rf"^corpus, row 3: .*{words}.*\[embedding-not-finite\]"):
        checks.require_finite_rows(rows, "corpus")


def test_a_row_too_large_for_its_type_is_refused():
    rows = torch.tensor([[1.0, 1.0], [3e38, 3e38]])
    with pytest.raises(InvalidValueError, match=r"row 1: .*overflows float32.*\[embedding-not-finite\]"):
        checks.require_finite_rows(rows, "corpus")
    checks.require_finite_rows(rows.double(), "corpus")


@pytest.mark.parametrize("rows", [torch.zeros(0, 3), torch.zeros(3, 0), torch.ones(2, 2, dtype=torch.int64)])
def test_empty_and_integer_rows_are_finite(rows):
    checks.require_finite_rows(rows, "corpus")
