"""Tables from pandas frames and lists of dicts: what counts as missing, what stays text, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data.memory_tables import table_from_pandas, table_from_records
from workbench.errors import DataFileError, InvalidTypeError


def test_a_frame_is_read_with_its_missing_values() -> None:
    frame = pd.DataFrame(
        {
            "text": ["NA", None, "001"],
            "score": [0.5, np.nan, 1.0],
            "label": pd.array([1, None, 3], dtype="Int64"),
            "kind": pd.Categorical(["a", "b", None]),
            "same": [True, False, True],
            "whole": [1, 2, 3],
        },
        index=[7, 3, 3],
    )
    assert str(frame["text"].dtype) == "str", "pandas 3 has a string type of its own"
    table = table_from_pandas(frame)
    assert table.rows == (
        ("NA", "0.5", "1", "a", "True", "1"),
        (None, None, None, "b", "False", "2"),
        ("001", "1.0", "3", None, "True", "3"),
    )
    assert (table.numbers, table.source.unit) == ((1, 2, 3), "row")
    assert {type(value) for row in table.rows for value in row} == {str, type(None)}


@pytest.mark.parametrize("dtype", ["str", "object", "string", "category"])
def test_every_type_of_text_column_gives_the_same_texts(dtype: str) -> None:
    frame = pd.DataFrame({"text": pd.Series(["a", None, "null"], dtype=dtype)})
    assert table_from_pandas(frame).column("text") == ["a", None, "null"]


def test_lists_of_numbers_are_labels() -> None:
    frame = pd.DataFrame({"text": ["a", "b"], "scores": [[0.5, 1], np.array([2.0, 3.0])]})
    assert table_from_pandas(frame).column("scores") == ["[0.5, 1]", "[2.0, 3.0]"]


def test_dates_are_left_out_and_told() -> None:
    frame = pd.DataFrame({"text": ["a"], "when": pd.to_datetime(["2026-01-01"])})
    table = table_from_pandas(frame)
    assert table.columns == ("text",) and "'when'" in table.notices[0]
    with pytest.raises(DataFileError, match="columns-none"):
        table_from_pandas(frame[["when"]])


@pytest.mark.parametrize(
    "value", [b"raw", {"a": 1}, ["a"], object, 1j, [True]], ids=lambda value: type(value).__name__
)
def test_other_values_are_refused_with_their_row(value: Any) -> None:
    with pytest.raises(DataFileError) as caught:
        table_from_pandas(pd.DataFrame({"text": pd.Series(["a", value], dtype="object")}))
    assert (caught.value.code, caught.value.where) == ("value-not-text", "data frame, row 2")
    with pytest.raises(DataFileError, match="value-not-text"):
        table_from_records([{"text": "a"}, {"text": value}])


def test_frames_that_are_not_flat_are_refused() -> None:
    twice = pd.DataFrame([["a", "b"]], columns=["text", "text"])
    with pytest.raises(DataFileError, match="columns-duplicate"):
        table_from_pandas(twice)
    levels = pd.DataFrame([["a"]], columns=pd.MultiIndex.from_tuples([("x", "y")]))
    for frame in (levels, pd.Series(["a"]), [["a"]]):
        with pytest.raises(InvalidTypeError, match="frame-not-flat"):
            table_from_pandas(frame)
    with pytest.raises(DataFileError, match="table-without-rows"):
        table_from_pandas(pd.DataFrame({"text": []}))


def test_records_are_read_with_the_numbers_they_hold() -> None:
    rows = [
        {"text": "a", "score": 1, "half": np.float32(0.5), "same": np.bool_(True)},
        {"same": False, "half": float("nan"), "score": 10**20, "text": None},
    ]
    table = table_from_records(rows)
    assert table.rows == (("a", "1", "0.5", "True"), (None, str(10**20), None, "False"))
    assert table_from_records(row for row in rows).rows == table.rows


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ({"text": "a"}, "records-not-a-list"),
        ("text", "records-not-a-list"),
        (None, "records-not-a-list"),
        (["a"], "record-not-a-dict"),
        ([{"text": "a"}, ["b"]], "record-not-a-dict"),
        ([{"text": "a"}, {"texts": "b"}], "row-keys-differ"),
        ([], "table-without-rows"),
        ([{}], "columns-none"),
    ],
)
def test_other_records_are_refused(records: Any, code: str) -> None:
    with pytest.raises((DataFileError, InvalidTypeError)) as caught:
        table_from_records(records)
    assert caught.value.code == code


def test_memory_is_bounded_while_a_generator_runs() -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield {"text": "some words"}

    with pytest.raises(DataFileError, match="table-too-large"):
        table_from_records(endless(), max_bytes=100_000)
    assert taken < 1000
