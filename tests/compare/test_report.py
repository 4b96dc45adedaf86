"""Reports: valid JSON whatever the numbers, CSV that no spreadsheet runs, Parquet as it was."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.columns import encoded, floor_of
from workbench.compare.agreement import agreements
from workbench.compare.conditions import conditions
from workbench.compare.report import (
    agreement_rows,
    comparison_dict,
    coverage_rows,
    embeddings_csv,
    embeddings_parquet,
    plain,
    speed_rows,
)
from workbench.compare.results import Comparison, Coverage, EncodedColumn, Speed
from workbench.errors import InvalidValueError


def comparison(texts: list[str], *columns: EncodedColumn) -> Comparison:
    floor = floor_of(1e-7, *columns)
    speeds = [Speed(one.column.label, 3, 1.5, 2.5, 3.5, 4.5, "cpu", 1) for one in columns]
    coverage = [
        Coverage(
            one.column.label, 0.0, 1.0, 0, len(texts), 0, "why", "unknown-tokens", {"count": 1, "texts": 1}
        )
        for one in columns
    ]
    return Comparison(
        tuple(texts),
        columns,
        {"gone": InvalidValueError("no", "came", expected="this", fix="do that", where="here")},
        floor,
        agreements(columns, floor),
        tuple(coverage),
        tuple(speeds),
        conditions(),
    )


def rows(texts: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(texts, dim)).astype(np.float32)


@pytest.fixture
def two() -> Comparison:
    return comparison(["a", "b"], encoded("x", rows(2, 4)), encoded("y", rows(2, 3), pooling="cls"))


def test_it_is_json_without_nan_and_says_why_a_number_is_missing(two: Comparison) -> None:
    text = json.dumps(comparison_dict(two, embeddings=True), allow_nan=False)
    found: Any = json.loads(text)
    pair = found["agreements"][0]
    assert pair["max_abs"] is None
    assert pair["max_abs_undefined"] == "the two columns have embeddings of different lengths"
    assert pair["spearman"] is None
    assert "fewer than three texts" in pair["spearman_undefined"]
    assert pair["setting_differences"] == {"pooling": ["mean", "cls"]}
    assert pair["reason_values"]["causes"][0][0] == "pooling"
    assert found["failures"]["gone"]["fix"] == "do that"
    assert found["columns"][0]["settings"]["max_length"] == 256
    assert found["conditions"]["versions"]["torch"]
    np.testing.assert_array_equal(np.array(found["columns"][0]["embeddings"], np.float32), rows(2, 4))


def test_embeddings_stay_out_unless_asked_for(two: Comparison) -> None:
    assert "embeddings" not in json.dumps(comparison_dict(two)["columns"])


def test_defined_numbers_are_there_unrounded() -> None:
    whole = comparison(["a", "b", "c"], encoded("x", rows(3, 4)), encoded("y", rows(3, 4, 1)))
    found: Any = comparison_dict(whole)
    assert found["agreements"][0]["max_abs"] == whole.agreements[0].max_abs
    assert found["agreements"][0]["spearman"] == whole.agreements[0].spearman
    assert not [key for key in found["agreements"][0] if key.endswith("_undefined")]


def test_an_empty_comparison_is_a_report_too() -> None:
    nothing = Comparison(("a",), (), {}, None, (), (), (), conditions())
    assert json.loads(json.dumps(comparison_dict(nothing), allow_nan=False))["noise_floor"] is None
    assert embeddings_csv(nothing) == "column,index,text\r\n"
    assert pq.read_table(io.BytesIO(embeddings_parquet(nothing))).num_rows == 0


def test_rows_for_tables(two: Comparison) -> None:
    assert agreement_rows(two.agreements)[0]["verdict"] == "different"
    assert agreement_rows(two.agreements)[0]["max_abs"] is None
    assert [row["label"] for row in coverage_rows(two.coverage)] == ["x", "y"]
    assert "warning_key" not in coverage_rows(two.coverage)[0]
    assert speed_rows(two.speeds)[0]["p95_ms"] == 4.5


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=x", 'a"b', "a,b", "a\nb", "\x00"]
)


@given(st.lists(TEXT, min_size=1, max_size=6), st.booleans())
@settings(max_examples=60)
def test_the_csv_comes_back_and_holds_no_formula(texts: list[str], escape: bool) -> None:
    values = rows(len(texts), 3)
    written = embeddings_csv(comparison(texts, encoded("=x", values)), escape_formulas=escape)
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read[0] == ["column", "index", "text", "e0", "e1", "e2"]
    assert len(read) == len(texts) + 1
    for text, line, row in zip(texts, read[1:], values, strict=True):
        dangerous = text.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert line[2] == (f"'{text}" if escape and dangerous else text)
        assert line[0] == ("'=x" if escape else "=x")
        np.testing.assert_array_equal(np.array(line[3:], dtype=np.float32), row)


@given(st.lists(TEXT, min_size=1, max_size=6))
@settings(max_examples=30)
def test_the_parquet_comes_back_as_it_was(texts: list[str]) -> None:
    columns = [encoded("x", rows(len(texts), 3)), encoded("y", rows(len(texts), 2, 1))]
    table = pq.read_table(io.BytesIO(embeddings_parquet(comparison(texts, *columns)))).to_pylist()
    assert [row["text"] for row in table] == texts * 2
    assert [row["index"] for row in table] == list(range(len(texts))) * 2
    for line, row in zip(table, [row for one in columns for row in one.embeddings], strict=True):
        np.testing.assert_array_equal(np.array(line["embedding"], np.float32), row)


def test_plain_values() -> None:
    assert plain({"a": (1, math.nan, math.inf, np.float32(0.5), "x", None, True)}) == {
        "a": [1, None, None, 0.5, "x", None, True]
    }
