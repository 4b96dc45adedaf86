"""Labelled tables from files: the catalogue of faulty files, bombs in a bounded child, and round trips."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.labelled_files import check_unchanged, read_table
from workbench.data.labelled_table import LabelledTable, drop_empty_rows
from workbench.data.sentence_files import read_sentences
from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError

ROOT = Path(__file__).resolve().parents[2]
ROUND_TRIP = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
READERS = {"table": read_table, "sentences": read_sentences}
BOTH = pytest.mark.parametrize("reader", list(READERS))


def written(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(tmp_path: Path, name: str, content: bytes | str, **options: object) -> LabelledTable:
    return read_table(written(tmp_path, content), name, **options)  # type: ignore[arg-type]


def refused(
    tmp_path: Path, name: str, content: bytes | str, reader: str = "table", **options: object
) -> DataFileError:
    call: Callable[..., object] = READERS[reader]
    with pytest.raises(DataFileError) as caught:
        call(written(tmp_path, content), name, **options)
    assert name in caught.value.where
    return caught.value


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "sentence1,sentence2,score\nx y,z,0.5\nNA,001,1e5\n"),
        ("a.csv", "sentence1;sentence2;score\nx y;z;0.5\nNA;001;1e5\n"),
        ("a.tsv", "sentence1\tsentence2\tscore\nx y\tz\t0.5\nNA\t001\t1e5\n"),
        (
            "a.jsonl",
            '{"sentence1":"x y","sentence2":"z","score":0.5}\n\n'
            '{"score":1e5,"sentence1":"NA","sentence2":"001"}\n',
        ),
    ],
)
def test_all_columns_are_read_as_typed(tmp_path: Path, name: str, content: str) -> None:
    table = read(tmp_path, name, content)
    assert table.columns == ("sentence1", "sentence2", "score")
    assert table.rows == (("x y", "z", "0.5"), ("NA", "001", "1e5"))
    assert table.numbers == ((1, 3) if name == "a.jsonl" else (2, 3))
    assert {type(value) for row in table.rows for value in row} == {str}
    assert table.column("score") == ["0.5", "1e5"] and table.place(0).startswith("line ")


def test_parquet_is_read_with_its_numbers_and_lists(tmp_path: Path) -> None:
    frame = pa.table(
        {
            "text": ["a", None],
            "n": [1, 2],
            "half": [0.5, None],
            "scores": [[0.5, 1.0], [0.25, 2.0]],
            "when": pa.array([0, 1], pa.timestamp("s")),
            "raw": [b"a", b"b"],
        }
    )
    table = read(tmp_path, "a.parquet", parquet_bytes(frame))
    assert table.columns == ("text", "n", "half", "scores")
    assert table.rows == (("a", "1", "0.5", "[0.5, 1.0]"), (None, "2", None, "[0.25, 2.0]"))
    assert (table.source.unit, table.numbers) == ("row", (1, 2))
    assert [notice.split(":")[0] for notice in table.notices] == [
        "Left out column 'when'",
        "Left out column 'raw'",
    ]


def test_json_labels_may_be_true_or_lists(tmp_path: Path) -> None:
    content = '{"text":"a","same":true,"scores":[1,0.50],"meta":{"x":1}}\n'
    table = read(tmp_path, "a.jsonl", content)
    assert table.rows == (("a", "True", "[1, 0.50]"),)
    told = "Left out column 'meta': it holds objects or lists. Texts go into columns of their own"
    assert [notice.split(", such")[0] for notice in table.notices] == [told]


@BOTH
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_d1_empty_files(tmp_path: Path, reader: str, name: str) -> None:
    assert refused(tmp_path, name, "", reader).code == "file-empty"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\n"),
        ("a.parquet", parquet_bytes(pa.table({"text": pa.array([], pa.string())}))),
    ],
    ids=["csv", "parquet"],
)
def test_d1_header_only(tmp_path: Path, name: str, content: bytes | str) -> None:
    assert refused(tmp_path, name, content).code == "table-without-rows"
    assert refused(tmp_path, name, content, "sentences").code == "file-without-sentences"


def test_d1_one_row_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "text,label\nx,y\n").rows == (("x", "y"),)


@BOTH
def test_d2_duplicate_columns(tmp_path: Path, reader: str) -> None:
    error = refused(tmp_path, "a.csv", "text,text,label\na,b,c\n", reader)
    assert error.code == "columns-duplicate" and "'text'" in error.came
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    assert refused(tmp_path, "a.parquet", parquet_bytes(twice), reader).code == "columns-duplicate"


def test_d3_d4_words_for_missing_and_numbers_stay(tmp_path: Path) -> None:
    typed = ["NA", "null", "None", "nan", "N/A", "123", "1e5", "001", "True", "-0.10"]
    table = read(tmp_path, "a.csv", "text,label\n" + "".join(f"{word},x\n" for word in typed))
    assert table.column("text") == typed
    assert pd.read_csv(tmp_path / "upload")["text"].isna().any(), "pandas would have lost some"


@BOTH
@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("text,b\n1,2,3\n", "row-ragged", 2),
        ("text,b\nx,y\n1\n", "row-ragged", 3),
        ('text,b\n"x\ny",z\n1\n', "row-ragged", 4),
        ('text,b\nx,y\n"never closed,z\n', "row-not-csv", 3),
    ],
)
def test_d5_d6_ragged_rows_and_quotes(
    tmp_path: Path, reader: str, content: str, code: str, line: int
) -> None:
    error = refused(tmp_path, "a.csv", content, reader)
    assert (error.code, error.where) == (code, f"a.csv, line {line}")


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_d6_the_separator_is_sniffed_and_told(tmp_path: Path, mark: str, word: str) -> None:
    table = read(tmp_path, "a.csv", f'a{mark}b\n"x{mark}1, 2"{mark}y\n')
    assert table.rows == ((f"x{mark}1, 2", "y"),)
    assert table.source.separator == mark and word in table.notices[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "text,label\n가나,é\n"), ("a.jsonl", '{"text":"가나","label":"é"}')]
)
def test_d7_unicode_with_its_mark(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    table = read(tmp_path, name, content.encode(encoding))
    assert table.rows == (("가나", "é"),)
    assert table.source.encoding == encoding


@BOTH
def test_d7_other_bytes_with_their_offset(tmp_path: Path, reader: str) -> None:
    error = refused(tmp_path, "a.csv", b"text,label\nabc,caf\xe9\n", reader)
    assert error.code == "text-encoding" and "offset 18 " in error.came


@BOTH
def test_d8_limits(tmp_path: Path, reader: str) -> None:
    wide = ",".join(f"c{number}" for number in range(200_000))
    assert refused(tmp_path, "a.csv", f"{wide}\n", reader).code == "columns-too-many"
    assert refused(tmp_path, "a.csv", "text,b\n" + "x" * 1_000_001 + ",y\n", reader).code == "field-too-long"
    assert refused(tmp_path, "a.csv", "text,b\na\0b,c\n", reader).code == "file-has-nul"
    assert refused(tmp_path, "a.jsonl", "x" * 4_000_001, reader).code == "line-too-long"


def test_d8_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "text,label\rx,y\rz,w\r").rows == (("x", "y"), ("z", "w"))


@BOTH
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"text": "cut', "line-not-json"),
        ('["a", "b"]', "line-not-json"),
        ('{"other": "a"}', "row-keys-differ"),
        ('{"text": "a", "text": "b"}', "line-not-json"),
        ('{"text": NaN}', "line-not-json"),
        ("[" * 100_000, "line-not-json"),
        ('{"text": {"a": "b"}}', "value-not-text"),
    ],
    ids=["cut", "array", "keys", "duplicate", "nan", "nested", "object"],
)
def test_d10_json_lines(tmp_path: Path, reader: str, line: str, code: str) -> None:
    error = refused(tmp_path, "a.jsonl", '{"text": "fine"}\n' * 25 + line, reader)
    assert (error.code, error.where) == (code, "a.jsonl, line 26")


def test_d10_a_lone_surrogate_is_replaced_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, "a.jsonl", '{"text": "a\\ud800b", "label": "x"}\n{"text": "é", "label": "y"}')
    assert table.rows == (("a\ufffdb", "x"), ("é", "y"))
    assert "half characters" in table.notices[0] and "1 values" in table.notices[0]


GOOD_PARQUET = parquet_bytes(
    pa.table({"text": [f"sentence {n}" for n in range(40)], "label": list(range(40))})
)


_FOOTER_CHILD = """
import sys
from pathlib import Path
from workbench.data.labelled_files import read_table
from workbench.errors import DataFileError
path, good = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes()
footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
refused = 0
for position in range(footer, len(good)):
    for step in (1, 255):
        raw = bytearray(good)
        raw[position] = (raw[position] + step) % 256
        path.write_bytes(bytes(raw))
        try:
            read_table(path)
        except DataFileError:
            refused += 1
print(refused)
"""


def test_d11_no_byte_of_a_footer_ends_the_process(tmp_path: Path) -> None:
    """One of them makes pyarrow abort when it is asked for a column's metadata: hence the child."""
    frame = pa.table({"text": ["a b", "c"], "label": [0, 1]})
    sink = io.BytesIO()
    pq.write_table(frame, sink, store_schema=False)
    (tmp_path / "a.parquet").write_bytes(sink.getvalue())
    child = subprocess.run(
        [sys.executable, "-c", _FOOTER_CHILD, str(tmp_path / "a.parquet")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert child.returncode == 0, child.stderr[-500:]
    assert int(child.stdout) > 100


@ROUND_TRIP
@given(data=st.data())
def test_d11_a_mutated_parquet_file_reads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(GOOD_PARQUET)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    path = written(tmp_path, bytes(raw[:cut]) if data.draw(st.booleans()) else bytes(raw))
    try:
        table = read_table(path, "a.parquet")
    except DataFileError:
        return
    assert all(value is None or isinstance(value, str) for row in table.rows for value in row)


def _bombs() -> dict[str, bytes]:
    plain = b"x" * 999 + b"\n"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", plain * 30_000)
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array(["y" * 30_000]))
    return {
        "gz.csv": gzip.compress(plain * 30_000),
        "zip.csv": zipped.getvalue(),
        "dictionary.parquet": parquet_bytes(pa.table({"text": same}), compression="zstd"),
    }


_CHILD = """
import resource, sys, time
from pathlib import Path
import pyarrow.parquet
from workbench.data.labelled_files import read_table
from workbench.errors import DataFileError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
try:
    read_table(Path(sys.argv[1]))
except DataFileError as error:
    print(error.code)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(f"{time.process_time() - started:.2f} {grown:.0f}")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peak memory in KB, as Linux tells it")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gz.csv", "file-type-mismatch"),
        pytest.param("zip.csv", "file-type-mismatch", marks=pytest.mark.full),
        ("dictionary.parquet", "table-too-large"),
    ],
)
def test_d12_bombs_are_refused_within_two_seconds_and_300_mb(tmp_path: Path, name: str, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(_bombs()[name])
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
    )
    found, measured = child.stdout.strip().splitlines()
    seconds, megabytes = map(float, measured.split())
    # Processor time of the child: the machine's other work does not count.
    assert (found, seconds < 2, megabytes < 300) == (code, True, True), measured


def test_d12_a_row_group_that_says_it_is_huge_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.data.parquet_table._MAX_GROUP_BYTES", 100_000)
    columns = {name: [f"{name} {row} " + "x" * 50 for row in range(1000)] for name in ("a", "b")}
    together = parquet_bytes(pa.table(columns), use_dictionary=False)
    assert refused(tmp_path, "a.parquet", together).code == "column-too-large"
    groups = parquet_bytes(pa.table(columns), use_dictionary=False, row_group_size=500)
    assert len(read(tmp_path, "a.parquet", groups)) == 1000


@BOTH
@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"\n <!DOCTYPE HTML><html></html>", "web page"),
        (gzip.compress(b"text\nx\n"), "gzip"),
        (b"PK\x03\x04rest of a workbook", "Excel"),
        (GOOD_PARQUET, "Parquet"),
    ],
    ids=["html", "gzip", "xlsx", "parquet"],
)
def test_d13_a_lying_name(tmp_path: Path, reader: str, raw: bytes, what: str) -> None:
    error = refused(tmp_path, "a.csv", raw, reader)
    assert error.code == "file-type-mismatch" and what in error.came


@BOTH
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/a.csv", "file:///etc/hostname", "simplecache::file:///etc/hostname"]
)
def test_d14_an_address_is_not_opened(reader: str, address: str) -> None:
    call: Callable[..., object] = READERS[reader]
    with pytest.raises(InvalidTypeError, match="path-not-a-path"):
        call(address, "a.csv")
    with pytest.raises(DataFileError, match="file-not-readable"):
        call(Path(address), "a.csv")


def test_d14_links_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("text,label\na,b\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, code in {"link.csv": "file-not-readable", "pipe.csv": "file-not-regular"}.items():
        with pytest.raises(DataFileError, match=code):
            read_table(tmp_path / name)


def test_d15_formulas_are_data(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", "=cmd,text\n=1+1,@x\n")
    assert table.columns == ("=cmd", "text") and table.rows == (("=1+1", "@x"),)


def test_d16_a_file_that_changed_or_went_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "text,label\na,b\n")
    table = read_table(path, "a.csv")
    check_unchanged(path, table)
    path.write_text("text,label\na,c\n")
    with pytest.raises(DataFileError, match="file-changed"):
        check_unchanged(path, table)
    path.unlink()
    with pytest.raises(DataFileError, match="file-not-readable"):
        check_unchanged(path, table)


def test_a_budget_of_memory_and_a_limit_of_rows(tmp_path: Path) -> None:
    content = "text,label\n" + "some words here,x\n" * 2000
    error = refused(tmp_path, "a.csv", content, max_bytes=100_000)
    assert error.code == "table-too-large" and "a.csv, line" in error.where
    assert len(read(tmp_path, "a.csv", content, limit=10, max_bytes=100_000)) == 10
    for limit in (0, True, 1.5):
        with pytest.raises(InvalidValueError, match="limit-out-of-range"):
            read(tmp_path, "a.csv", content, limit=limit)


def test_plain_text_has_no_columns(tmp_path: Path) -> None:
    assert refused(tmp_path, "a.txt", "one\ntwo\n").code == "table-without-columns"


def test_a_first_line_of_data_is_told(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", "A plane takes off.,An air plane takes off.,5.0\nx,y,1\n")
    assert any("looks like data" in notice for notice in table.notices)


def test_rows_with_an_empty_text_can_be_dropped(tmp_path: Path) -> None:
    table = read(tmp_path, "a.csv", "text,label\na,x\n\u200b,y\n ,z\n,w\n-,v\n")
    kept = drop_empty_rows(table, ["text"])
    assert (kept.column("text"), kept.numbers) == (["a", "-"], (2, 6))
    assert kept.notices == ("Left out 3 rows with an empty text.",)
    assert drop_empty_rows(kept, ["text"]) is kept


@ROUND_TRIP
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=20),
    mark=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_csv_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str, str]], mark: str, encoding: str
) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink, delimiter=mark, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    assert read(tmp_path, "a.csv", sink.getvalue().encode(encoding)).rows == tuple(rows)


@ROUND_TRIP
@given(rows=st.lists(st.tuples(TEXT, st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_what_json_and_parquet_write_is_read_back(tmp_path: Path, rows: list[tuple[str, float]]) -> None:
    lines = "\n".join(json.dumps({"text": text, "score": score}) for text, score in rows)
    columns = {"text": [text for text, _ in rows], "score": [score for _, score in rows]}
    for name, content in {"a.jsonl": lines.encode(), "a.parquet": parquet_bytes(pa.table(columns))}.items():
        table = read(tmp_path, name, content)
        assert table.column("text") == columns["text"]
        assert [float(score or "") for score in table.column("score")] == columns["score"]


@ROUND_TRIP
@given(raw=st.binary(max_size=200), name=st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.parquet"]))
def test_any_bytes_read_or_are_refused(tmp_path: Path, raw: bytes, name: str) -> None:
    try:
        table = read(tmp_path, name, raw)
    except DataFileError as error:
        assert error.code and name in error.where
        return
    assert len(table) >= 1
