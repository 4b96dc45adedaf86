"""The files to take away: readable by their readers, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.ui.made_up import columns
from workbench.errors import InvalidValueError
from workbench.ui.download import FORMATS, write_download

_TEXTS = ("plain", "=HYPERLINK(1)", "+1", "@x", '한국어, "quoted"\nline', "\ud800 half")


@pytest.fixture
def comparison(snapshot_of):
    return snapshot_of(_TEXTS, columns("own", "manual")).comparison


def test_csv_escapes_formulas_and_opens_as_utf8(comparison):
    content = write_download(comparison, "csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 2 * len(_TEXTS)
    assert [row["text"] for row in rows[:4]] == ["plain", "'=HYPERLINK(1)", "'+1", "'@x"]
    assert rows[4]["text"] == _TEXTS[4]
    got = np.array([[float(row[f"e{place}"]) for place in range(6)] for row in rows], dtype=np.float32)
    assert np.array_equal(got[: len(_TEXTS)], comparison.columns[0].embeddings)


def test_json_holds_everything_and_no_nan(comparison):
    data = json.loads(write_download(comparison, "json").read_text(encoding="utf-8"))
    assert [column["label"] for column in data["columns"]] == ["own", "manual"]
    assert np.allclose(data["columns"][0]["embeddings"], comparison.columns[0].embeddings)
    assert data["conditions"]["cores"] == 2


def test_parquet_keeps_texts_and_floats(snapshot_of):
    comparison = snapshot_of(_TEXTS[:5], columns("own", "manual")).comparison
    table = pq.read_table(write_download(comparison, "parquet"))
    assert table.column("text").to_pylist()[:5] == list(_TEXTS[:5])
    got = np.array(table.column("embedding").to_pylist()[:5], dtype=np.float32)
    assert np.array_equal(got, comparison.columns[0].embeddings)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_download_lies_in_a_folder_of_its_own(snapshot_of, kind):
    comparison = snapshot_of(("a", "b"), columns("own", "manual")).comparison
    first, second = write_download(comparison, kind), write_download(comparison, kind)
    assert first != second
    assert first.name == second.name == f"workbench-comparison.{kind}"


@pytest.mark.parametrize("kind", ["exe", "../csv", None, 7, ""])
def test_no_other_format_is_written(comparison, kind):
    with pytest.raises(InvalidValueError):
        write_download(comparison, kind)
