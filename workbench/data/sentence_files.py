"""Sentences from a file that somebody brings: TXT, CSV, TSV, JSONL and Parquet, in bounded memory."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from workbench.data.parquet_table import read_parquet
from workbench.data.tables import MAX_FIELD_CHARS, SENTENCE_COLUMNS, Table, field_too_long
from workbench.data.text_tables import read_csv, read_jsonl, read_tsv, read_txt
from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError

MAX_KEPT_CHARS = 32_000_000
MAX_COUNTED_ROWS = 1_000_000

# How a file begins → what it is. A name's ending proves nothing.
_MAGIC = {
    rb"\x1f\x8b": "gzip-compressed",
    rb"PK(\x03\x04|\x05\x06)": "a ZIP archive or an Excel workbook",
    rb"\x28\xb5\x2f\xfd": "zstd-compressed",
    rb"BZh[1-9]1AY&SY": "bzip2-compressed",
    rb"\xfd7zXZ\x00": "xz-compressed",
    rb"7z\xbc\xaf\x27\x1c": "a 7z archive",
    rb"\xd0\xcf\x11\xe0": "an old Excel workbook",
    rb"%PDF-": "a PDF document",
    rb"PAR1[\x00-\x1f]": "a Parquet file",
    rb"SQLite format 3\x00": "an SQLite database",
}
_HTML = re.compile(rb"\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")

_READERS: dict[str, Callable[[BinaryIO, str], Table]] = {
    ".txt": read_txt,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}


@dataclass(frozen=True)
class SentenceFile:
    """What was read.

    Attributes:
        texts: The sentences, unchanged apart from what ``notices`` tells.
        columns: All columns of the file; empty for TXT.
        column: The one that was read; None for TXT.
        rows: Rows of the file, those beyond the limit included; counting stops at a million.
        notices: What the user should be told: rows left out, characters replaced, choices made.
    """

    texts: tuple[str, ...]
    columns: tuple[str, ...]
    column: str | None
    rows: int
    notices: tuple[str, ...]


def read_sentences(
    path: Path, original_name: str, *, column: str | None = None, limit: int = 1000
) -> SentenceFile:
    """Read sentences from a file, whose format follows from the name it had where it came from.

    Args:
        path: Where the file lies now: a regular file on this machine, not a link and not an address.
        original_name: The name its owner gave it, such as ``"reviews.csv"``.
        column: The column to read. Without it: the one named like a sentence, else the only text column.
        limit: Sentences to keep; the rows beyond them are counted, not kept.

    Returns:
        The first ``limit`` sentences that hold a visible character.

    Raises:
        DataFileError: The file is not what its name says, is broken, or holds no sentence.
        InvalidValueError: ``limit`` is below one.
        InvalidTypeError: ``path`` is not a ``Path``.
    """
    if not isinstance(path, Path):
        raise InvalidTypeError(
            "path-not-a-path", f"A {type(path).__name__}", expected="a pathlib.Path", where="path"
        )
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InvalidValueError(
            "limit-out-of-range", f"{limit!r}", expected="a whole number from 1", where="limit"
        )
    suffix = Path(original_name).suffix.lower()
    if suffix not in _READERS:
        raise DataFileError(
            "file-type-unknown",
            f"A file ending in {suffix!r}" if suffix else "A file without an ending",
            expected="one of " + ", ".join(sorted(_READERS)),
            fix="Save it in one of these formats",
            where=original_name,
        )
    with _open_regular(path, original_name) as stream:
        _check_magic(stream, original_name, suffix)
        table = _READERS[suffix](stream, original_name)
        chosen = _choose_column(table, column, original_name)
        return _collect(table, chosen, original_name, limit)


def _open_regular(path: Path, name: str) -> BinaryIO:
    """Open a regular file without following a link; NONBLOCK because opening a pipe would hang."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise DataFileError(
            "file-not-readable",
            f"It cannot be opened ({type(error).__name__})",
            fix="Give a file",
            where=name,
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DataFileError("file-not-regular", "It is a folder or a device", expected="a file", where=name)
    return os.fdopen(descriptor, "rb")


def _check_magic(stream: BinaryIO, name: str, suffix: str) -> None:
    head = stream.read(512)
    stream.seek(0)
    if not head:
        raise DataFileError("file-empty", "The file is empty", fix="Give a file with sentences", where=name)
    found = next((what for magic, what in _MAGIC.items() if re.match(magic, head)), None)
    if suffix == ".parquet":
        if head.startswith(b"PAR1"):
            return
        found = found or "not a Parquet file"
    if found is None and suffix != ".txt" and _HTML.match(head):
        found = "a web page"
    if found is not None:
        raise DataFileError(
            "file-type-mismatch",
            f"The content is {found}",
            expected=f"what a {suffix} file holds",
            fix="Unpack or convert it first",
            where=name,
        )


def _choose_column(table: Table, wanted: str | None, name: str) -> str | None:
    listed = ", ".join(repr(column) for column in table.columns)
    if wanted is not None:
        if wanted not in table.columns:
            raise DataFileError(
                "column-unknown",
                f"No column {wanted!r}",
                expected=f"one of {listed}" if listed else "no column: the file has one sentence a line",
                where=name,
            )
        return wanted
    if not table.columns:
        return None
    by_lower_case = {column.lower(): column for column in reversed(table.columns)}
    for known in SENTENCE_COLUMNS:
        if known in by_lower_case:
            return by_lower_case[known]
    candidates = table.text_columns or table.columns
    if len(candidates) == 1:
        return candidates[0]
    raise DataFileError(
        "column-unclear",
        f"{len(candidates)} columns could hold the sentences: {', '.join(map(repr, candidates))}",
        expected="one text column, or one named " + " or ".join(SENTENCE_COLUMNS[:2]),
        fix=f"Name the column to read, one of {listed}",
        where=name,
    )


def _collect(table: Table, column: str | None, name: str, limit: int) -> SentenceFile:
    texts: list[str] = []
    rows = kept_chars = empty = replaced = 0
    for place, value in table.rows(column):
        rows += 1
        full = len(texts) == limit
        if full and (table.known_rows is not None or rows >= MAX_COUNTED_ROWS):
            break
        if value is not None and len(value) > MAX_FIELD_CHARS:
            raise field_too_long(place)
        if full:
            continue
        if value is None or not value.strip():
            empty += 1
            continue
        clean, count = _SURROGATE.subn("\ufffd", value)
        replaced += count
        kept_chars += len(clean)
        if kept_chars > MAX_KEPT_CHARS:
            raise DataFileError(
                "text-too-much",
                f"More than {MAX_KEPT_CHARS:,} characters of text up to this row",
                expected="less text in one go",
                fix="Read fewer rows or shorten the texts",
                where=place,
            )
        texts.append(clean)
    if not texts:
        raise DataFileError(
            "file-without-sentences", "No row holds a sentence", fix="Give at least one", where=name
        )
    more = rows >= MAX_COUNTED_ROWS and table.known_rows is None
    total = max(rows, table.known_rows or 0)
    notices = list(table.notices)
    if len(table.text_columns) > 1 or (column is not None and column.lower() not in SENTENCE_COLUMNS):
        notices.append(f"Read column {column!r} of {', '.join(map(repr, table.columns))}.")
    if len(texts) + empty < total:
        notices.append(f"Read the first {len(texts):,} of {'more than ' if more else ''}{total:,} rows.")
    if empty:
        notices.append(f"Left out {empty:,} rows without a visible character.")
    if replaced:
        notices.append(f"Replaced {replaced:,} half characters (lone surrogates) by \ufffd.")
    return SentenceFile(tuple(texts), table.columns, column, total, tuple(notices))
