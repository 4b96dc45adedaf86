"""Sentence files: what is read, what is refused and where, bombs, and round trips through other writers."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import resource
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.sentence_files import MAX_KEPT_CHARS, SentenceFile, read_sentences
from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError

ROUND_TRIP = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Everything but NUL (refused in text files) and lone surrogates (which no text file can hold).
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
VISIBLE = TEXT.filter(lambda text: bool(text.strip()))


def read(tmp_path: Path, name: str, content: bytes | str, **options: object) -> SentenceFile:
    path = tmp_path / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sentences(path, name, **options)  # type: ignore[arg-type]


def refusal(tmp_path: Path, name: str, content: bytes | str, **options: object) -> DataFileError:
    with pytest.raises(DataFileError) as caught:
        read(tmp_path, name, content, **options)
    assert name in caught.value.where
    return caught.value


def parquet_bytes(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def test_txt_gives_one_sentence_a_line_and_tells_of_empty_ones(tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", "one\r\n\n  \ntwo, with \u2028, \r and \x0b inside\nthree")
    assert found.texts == ("one", "two, with \u2028, \r and \x0b inside", "three")
    assert (found.columns, found.column, found.rows) == ((), None, 5)
    assert found.notices == ("Left out 2 rows without a visible character.",)


@pytest.mark.parametrize(
    ("name", "content", "column"),
    [
        ("a.csv", "id,text\n1,x y\n2,z\n", "text"),
        ("a.csv", "id,Sentence,text\n1,x y,no\n2,z,no\n", "Sentence"),
        ("a.csv", "id,remark\n1,x y\n2,z\n", "remark"),
        ("a.csv", "remark\nx y\nz\n", "remark"),
        ("a.csv", "id;remark\n1;x y\n2;z\n", "remark"),
        ("a.csv", "id|text\n1|x y\n2|z\n", "text"),
        ("a.csv", "id\ttext\n1\tx y\n2\tz\n", "text"),
        ("a.tsv", "id\ttext\n1\tx y\n2\tz\n", "text"),
        ("A.CSV", "id,text\r1,x y\r2,z\r", "text"),
        ("a.jsonl", '{"id": 1, "text": "x y"}\n\n{"text": "z", "id": 2}\n', "text"),
        ("a.ndjson", '{"id": 1, "remark": "x y"}\n{"id": 2, "remark": "z"}', "remark"),
    ],
)
def test_the_column_of_sentences_is_found(tmp_path: Path, name: str, content: str, column: str) -> None:
    found = read(tmp_path, name, content)
    assert (found.texts, found.column, found.rows) == (("x y", "z"), column, 2)


def test_several_text_columns_need_a_choice(tmp_path: Path) -> None:
    content = "id,left,right\n1,a b,c d\n"
    error = refusal(tmp_path, "a.csv", content)
    assert error.code == "column-unclear"
    assert "'left', 'right'" in error.came and "'id', 'left', 'right'" in error.fix
    chosen = read(tmp_path, "a.csv", content, column="right")
    assert chosen.texts == ("c d",)
    assert chosen.notices == ("Read column 'right' of 'id', 'left', 'right'.",)
    assert read(tmp_path, "a.csv", content, column="id").texts == ("1",)
    unknown = refusal(tmp_path, "a.csv", content, column="middle")
    assert unknown.code == "column-unknown" and "'left'" in unknown.expected
    assert refusal(tmp_path, "a.txt", "x", column="text").code == "column-unknown"


def test_a_limit_keeps_the_first_rows_and_says_so(tmp_path: Path) -> None:
    rows = [f"sentence {number}" for number in range(25)]
    for name, content in {
        "a.txt": "\n".join(rows).encode(),
        "a.csv": ("text\n" + "\n".join(rows)).encode(),
        "a.jsonl": "\n".join(json.dumps({"text": row}) for row in rows).encode(),
        "a.parquet": parquet_bytes(pa.table({"text": rows})),
    }.items():
        found = read(tmp_path, name, content, limit=10)
        assert found.texts == tuple(rows[:10])
        assert found.rows == 25
        assert found.notices == ("Read the first 10 of 25 rows.",)
        assert read(tmp_path, name, content, limit=25).notices == ()


def test_counting_stops_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.data.sentence_files.MAX_COUNTED_ROWS", 50)
    found = read(tmp_path, "a.txt", "x\n" * 200, limit=10)
    assert found.rows == 50
    assert found.notices == ("Read the first 10 of more than 50 rows.",)


@pytest.mark.parametrize("limit", [0, -1, 2.0, True, "5"])
def test_a_limit_that_is_no_count_is_refused(tmp_path: Path, limit: object) -> None:
    with pytest.raises(InvalidValueError, match="limit-out-of-range"):
        read(tmp_path, "a.txt", "x", limit=limit)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        *[(name, "", "file-empty") for name in ("a.txt", "a.csv", "a.tsv", "a.jsonl", "a.parquet")],
        ("a.csv", "\n\n", "file-empty"),
        ("a.jsonl", "\n \n", "file-empty"),
        ("a.jsonl", "{}\n", "columns-none"),
        ("a.txt", " \n\t\n", "file-without-sentences"),
        ("a.csv", "text\n", "file-without-sentences"),
        ("a.csv", 'id,text\n1,\n2,"  "\n', "file-without-sentences"),
        ("a.jsonl", '{"text": null}', "file-without-sentences"),
        ("a.parquet", parquet_bytes(pa.table({"text": pa.array([], pa.string())})), "file-without-sentences"),
    ],
)
def test_a_file_without_a_sentence_is_refused(
    tmp_path: Path, name: str, content: bytes | str, code: str
) -> None:
    assert refusal(tmp_path, name, content).code == code


def test_one_row_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "text\nonly\n").texts == ("only",)


def test_duplicate_columns_are_refused_by_name(tmp_path: Path) -> None:
    assert "'text'" in refusal(tmp_path, "a.csv", "text,id, text\na,1,b\n").came
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    assert refusal(tmp_path, "a.parquet", parquet_bytes(twice)).code == "columns-duplicate"


def test_a_column_without_a_name_is_numbered(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", pd.DataFrame({"text": ["x", "y"]}).to_csv())
    assert (found.columns, found.texts) == (("column 1", "text"), ("x", "y"))


def test_words_for_missing_values_stay_text(tmp_path: Path) -> None:
    words = ("NA", "null", "None", "nan", "N/A", "NaN")
    assert read(tmp_path, "a.csv", "text\n" + "\n".join(words)).texts == words
    assert read(tmp_path, "a.jsonl", "\n".join(json.dumps({"text": w}) for w in words)).texts == words
    assert read(tmp_path, "a.parquet", parquet_bytes(pa.table({"text": words}))).texts == words


def test_numbers_stay_as_typed(tmp_path: Path) -> None:
    typed = ("123", "1e5", "001", "True", "-0.10")
    assert read(tmp_path, "a.csv", "text\n" + "\n".join(typed)).texts == typed
    json_typed = ("123", "1e5", "-0.10", "123456789012345678901234567890")
    found = read(tmp_path, "a.jsonl", "\n".join(f'{{"text": {number}}}' for number in json_typed))
    assert found.texts == json_typed
    assert {type(text) for text in found.texts} == {str}
    numbers = parquet_bytes(pa.table({"n": [1, 2], "half": [0.5, 1.5]}))
    assert read(tmp_path, "a.parquet", numbers, column="half").texts == ("0.5", "1.5")


@ROUND_TRIP
@given(rows=st.lists(st.tuples(VISIBLE, TEXT), min_size=1, max_size=30), mark=st.sampled_from(",;\t|"))
def test_what_csv_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str]], mark: str) -> None:
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, delimiter=mark, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "other"), *rows])
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        found = read(tmp_path, "a.csv", sink.getvalue().encode(encoding))
        assert found.texts == tuple(text for text, _ in rows)


@ROUND_TRIP
@given(texts=st.lists(VISIBLE.filter(lambda text: "\r" not in text), min_size=1, max_size=30))
def test_what_pandas_writes_is_read_back(tmp_path: Path, texts: list[str]) -> None:
    frame = pd.DataFrame({"number": range(len(texts)), "text": texts})
    assert read(tmp_path, "a.csv", frame.to_csv(index=False)).texts == tuple(texts)
    assert read(tmp_path, "a.tsv", frame.to_csv(index=False, sep="\t")).texts == tuple(texts)


def test_a_carriage_return_that_pandas_leaves_unquoted_is_not_taken_for_a_line_end(tmp_path: Path) -> None:
    content = pd.DataFrame({"text": ["a\rb", "c"]}).to_csv(index=False)
    assert '"' not in content
    assert refusal(tmp_path, "a.csv", content).code == "row-not-csv"


@ROUND_TRIP
@given(texts=st.lists(st.text(max_size=30).filter(lambda t: bool(t.strip())), min_size=1, max_size=30))
def test_what_json_writes_is_read_back_with_lone_surrogates_replaced(
    tmp_path: Path, texts: list[str]
) -> None:
    found = read(tmp_path, "a.jsonl", "\n".join(json.dumps({"text": text}) for text in texts))
    assert list(found.texts) == [_replaced(text) for text in texts]


def _replaced(text: str) -> str:
    return "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)


@ROUND_TRIP
@given(
    texts=st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=30)), max_size=30),
    kind=st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]),
    group=st.integers(1, 10),
)
def test_what_pyarrow_writes_is_read_back(
    tmp_path: Path, texts: list[str | None], kind: pa.DataType, group: int
) -> None:
    table = pa.table(
        {"other": pa.array([["x"]] * (len(texts) + 1)), "text": pa.array([*texts, "last"], kind)}
    )
    found = read(tmp_path, "a.parquet", parquet_bytes(table, row_group_size=group))
    assert found.texts == tuple(text for text in [*texts, "last"] if text and text.strip())
    assert (found.columns, found.column, found.rows) == (("other", "text"), "text", len(texts) + 1)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n1,2,3\n", 2),
        ("a,b\nx,y\n1\n", 3),
        ('a,b\n"x\ny",z\n1\n', 4),
        ("\n\na,b\nx,y\n\n1,2,3\n", 6),
        ("text\nHello, world\n", 2),
    ],
)
def test_ragged_rows_are_refused_with_their_line(tmp_path: Path, content: str, line: int) -> None:
    error = refusal(tmp_path, "a.csv", content)
    assert (error.code, error.where) == ("row-ragged", f"a.csv, line {line}")


@pytest.mark.parametrize("content", ['text\nfine\n"never closed\nand on\n', 'text\nfine\n"a"b\n'])
def test_quotes_gone_wrong_are_refused_with_their_line(tmp_path: Path, content: str) -> None:
    error = refusal(tmp_path, "a.csv", content)
    assert (error.code, error.where) == ("row-not-csv", "a.csv, line 3")


def test_a_ragged_row_beyond_the_limit_is_still_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.csv", "text,b\n" + "x,y\n" * 30 + "1\n", limit=5).where == "a.csv, line 32"


def test_the_separator_is_told_unless_it_is_the_comma(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", "id;text\n1;a, b\n").notices == ("Fields are separated by semicolons.",)
    assert read(tmp_path, "a.csv", 'id,text\n1,"a; b"\n').notices == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_utf8_and_utf16_with_a_mark_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    content = {
        "a.txt": "가나 다\né",
        "a.csv": "text\n가나 다\né\n",
        "a.jsonl": '{"text":"가나 다"}\n{"text":"é"}',
    }[name]
    if encoding.endswith("-bom"):
        raw = ("\ufeff" + content).encode(encoding.removesuffix("-bom"))
    else:
        raw = content.encode(encoding)
    assert read(tmp_path, name, raw).texts == ("가나 다", "é")


@pytest.mark.parametrize("before", [0, 5, 70_000, 300_000])
def test_other_bytes_are_refused_with_their_offset(tmp_path: Path, before: int) -> None:
    raw = b"text\n" + b"ab c\n" * (before // 5) + "caf\u00e9 ol\u00e9\n".encode("latin-1")
    error = refusal(tmp_path, "a.csv", raw)
    assert error.code == "text-encoding"
    assert f"offset {raw.index(0xE9):,} " in error.came


def test_the_offset_counts_the_mark_and_a_cut_character(tmp_path: Path) -> None:
    assert "offset 5 " in refusal(tmp_path, "a.txt", b"\xef\xbb\xbfab\xe9\n").came
    assert "offset 2 " in refusal(tmp_path, "a.txt", b"ab\xe2\x82").came
    assert refusal(tmp_path, "a.txt", "text".encode("utf-16") + b"x").code == "text-encoding"


@pytest.mark.parametrize("raw", [b"a\0b\n", "text\nx\n".encode("utf-16-le")])
def test_nul_is_refused(tmp_path: Path, raw: bytes) -> None:
    assert refusal(tmp_path, "a.txt", raw).code == "file-has-nul"


def test_a_field_beyond_its_limit_is_refused_with_its_line(tmp_path: Path) -> None:
    long = "x" * 1_000_001
    fits = "x" * 1_000_000
    for name, wrapped in {
        "a.txt": "one\n{}\n",
        "a.csv": "text\n{}\n",
        "a.jsonl": '{{"text":"a"}}\n{{"text":"{}"}}\n',
    }.items():
        error = refusal(tmp_path, name, wrapped.format(long))
        assert (error.code, error.where) == ("field-too-long", f"{name}, line 2")
        assert read(tmp_path, name, wrapped.format(fits)).texts[-1] == fits
    error = refusal(tmp_path, "a.parquet", parquet_bytes(pa.table({"text": ["a", long]})))
    assert (error.code, error.where) == ("field-too-long", "a.parquet, row 2")


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.txt", "x" * 4_000_001)
    assert (error.code, error.where) == ("line-too-long", "a.txt, line 1")


@pytest.mark.parametrize("count", [64, 65, 200_000])
def test_columns_are_counted_on_the_first_line(tmp_path: Path, count: int) -> None:
    header = ",".join(f"c{number}" for number in range(count))
    if count <= 64:
        row = ",".join(["1"] * (count - 1) + ["text here"])
        assert read(tmp_path, "a.csv", f"{header}\n{row}\n").column == "c63"
        return
    assert refusal(tmp_path, "a.csv", f"{header}\nnever read\n").code == "columns-too-many"


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    line = "x" * 999_999 + "\n"
    error = refusal(tmp_path, "a.txt", line * (MAX_KEPT_CHARS // 999_999 + 1))
    assert error.code == "text-too-much"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"text": "cut', "line-not-json"),
        ('["a", "b"]', "line-not-json"),
        ('"a"', "line-not-json"),
        ('{"text": "a", "text": "b"}', "line-not-json"),
        ('{"text": {"x": 1, "x": 2}}', "line-not-json"),
        ('{"text": NaN}', "line-not-json"),
        ('{"text": -Infinity}', "line-not-json"),
        ('{"text": "a"} x', "line-not-json"),
        ("[" * 100_000, "line-not-json"),
        ('{"text": ' * 100_000, "line-not-json"),
        ('{"other": "a"}', "row-keys-differ"),
        ('{"text": "a", "more": 1}', "row-keys-differ"),
        ('{"text": true}', "value-not-text"),
        ('{"text": ["a"]}', "value-not-text"),
    ],
)
@pytest.mark.parametrize("fine", [1, 40])
def test_a_bad_line_is_refused_with_its_number(tmp_path: Path, line: str, code: str, fine: int) -> None:
    error = refusal(tmp_path, "a.jsonl", '{"text": "fine"}\n' * fine + line)
    assert (error.code, error.where) == (code, f"a.jsonl, line {fine + 1}")


def test_a_lone_surrogate_is_replaced_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", '{"text": "a\\ud800b"}\n{"text": "\\ud83d\\ude00"}')
    assert found.texts == ("a\ufffdb", "😀")
    assert found.notices == ("Replaced 1 half characters (lone surrogates) by \ufffd.",)


GOOD_PARQUET = parquet_bytes(pa.table({"text": [f"sentence {number}" for number in range(50)]}))


@ROUND_TRIP
@given(data=st.data())
def test_a_mutated_parquet_file_reads_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(GOOD_PARQUET)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    path = tmp_path / "upload"
    path.write_bytes(bytes(raw[:cut]) if data.draw(st.booleans()) else bytes(raw))
    try:
        found = read_sentences(path, "a.parquet")
    except DataFileError:
        return
    assert all(isinstance(text, str) for text in found.texts)


def test_only_texts_and_numbers_are_read(tmp_path: Path) -> None:
    table = pa.table(
        {"raw": [b"a"], "list": [["a"]], "when": pa.array([0], pa.timestamp("s")), "word": ["a b"]}
    )
    assert read(tmp_path, "a.parquet", parquet_bytes(table)).texts == ("a b",)
    for column in ("raw", "list", "when"):
        error = refusal(tmp_path, "a.parquet", parquet_bytes(table), column=column)
        assert error.code == "column-not-text" and "'word'" in error.fix
    empty = parquet_bytes(pa.table({}))
    assert refusal(tmp_path, "a.parquet", empty).code == "columns-none"


def test_a_nested_path_does_not_pass_for_a_column(tmp_path: Path) -> None:
    table = pa.table({"a": [{"b": "inner"}], "a.b": ["outer"]})
    assert read(tmp_path, "a.parquet", parquet_bytes(table), column="a.b").texts == ("outer",)


def _peak_growth_mb(before: int) -> float:
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads peak memory in KB, as Linux tells it")
def test_bombs_are_refused_at_once_and_in_little_memory(tmp_path: Path) -> None:
    plain = b"x" * 999 + b"\n"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", plain * 30_000)
    one_value = pa.DictionaryArray.from_arrays(
        pa.array([0] * 1_000_000, pa.int32()), pa.array(["y" * 30_000])
    )
    bombs = {
        "gz.csv": gzip.compress(plain * 30_000),
        "zip.csv": zipped.getvalue(),
        "dictionary.parquet": parquet_bytes(pa.table({"text": one_value}), compression="zstd"),
        "page.parquet": parquet_bytes(
            pa.table({"text": ["z" * 900_000] * 300}), compression="zstd", use_dictionary=False
        ),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    codes = {name: refusal(tmp_path, name, raw, limit=100_000).code for name, raw in bombs.items()}
    assert codes == {
        "gz.csv": "file-type-mismatch",
        "zip.csv": "file-type-mismatch",
        "dictionary.parquet": "text-too-much",
        "page.parquet": "column-too-large",
    }
    assert _peak_growth_mb(before) < 300
    # A hang guard, not a measurement.
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("name", "raw", "what"),
    [
        ("a.csv", gzip.compress(b"text\nx\n"), "gzip"),
        ("a.txt", bz2.compress(b"text\nx\n"), "bzip2"),
        ("a.jsonl", lzma.compress(b"text\nx\n"), "xz"),
        ("a.csv", b"PK\x03\x04rest of a workbook", "Excel"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"),
        ("a.csv", b"\n <!DOCTYPE HTML><html></html>", "web page"),
        ("a.jsonl", b"<html></html>", "web page"),
        ("a.csv", GOOD_PARQUET, "Parquet"),
        ("a.parquet", b"text\nx\n", "not a Parquet"),
        ("a.txt", b"%PDF-1.7\n", "PDF"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_lying_name_is_told(tmp_path: Path, name: str, raw: bytes, what: str) -> None:
    error = refusal(tmp_path, name, raw)
    assert error.code == "file-type-mismatch" and what in error.came


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv.gz", "a", ".csv", "a.pkl", "a.npy", ""])
def test_unknown_endings_are_refused_with_the_known_ones(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, name, "text\nx\n")
    assert error.code == "file-type-unknown" and ".parquet" in error.expected


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:9/a.csv", "file:///etc/hostname", "simplecache::file:///etc/hostname", "/etc/x\0.csv"],
)
def test_an_address_is_neither_opened_nor_fetched(address: str) -> None:
    with pytest.raises(InvalidTypeError, match="path-not-a-path"):
        read_sentences(address, "a.csv")  # type: ignore[arg-type]
    with pytest.raises(DataFileError, match="file-not-readable"):
        read_sentences(Path(address), "a.csv")


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("secret")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    for name, code in {
        "link.txt": "file-not-readable",
        "pipe.txt": "file-not-regular",
        ".": "file-not-regular",
    }.items():
        with pytest.raises(DataFileError, match=code):
            read_sentences(tmp_path / name, "a.txt")


@ROUND_TRIP
@given(raw=st.binary(max_size=200), name=st.sampled_from(["a.txt", "a.csv", "a.tsv", "a.jsonl", "a.parquet"]))
def test_any_bytes_read_or_are_refused(tmp_path: Path, raw: bytes, name: str) -> None:
    try:
        found = read(tmp_path, name, raw)
    except DataFileError as error:
        assert error.code and name in error.where
        return
    assert found.texts and all(text.strip() for text in found.texts)
