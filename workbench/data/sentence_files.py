"""Sentences from a file that somebody brings: TXT, CSV, TSV, JSONL and Parquet, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.data.opened_table import open_data, table_of
from workbench.data.tables import MAX_FIELD_CHARS, SENTENCE_COLUMNS, Table, field_too_long
from workbench.errors import DataFileError, InvalidValueError

MAX_KEPT_CHARS = 32_000_000
MAX_COUNTED_ROWS = 1_000_000

_SURROGATE = re.compile("[\ud800-\udfff]")


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
    path: Path,
    original_name: str,
    *,
    column: str | None = None,
    limit: int = 1000,
    encoding: str | None = None,
) -> SentenceFile:
    """Read sentences from a file, whose format follows from the name it had where it came from.

    Args:
        path: Where the file lies now: a regular file on this machine, not a link and not an address.
        original_name: The name its owner gave it, such as ``"reviews.csv"``.
        column: The column to read. Without it: the one named like a sentence, else the only text column.
        limit: Sentences to keep; the rows beyond them are counted, not kept.
        encoding: One of ``encodings.ENCODINGS``, for a text file that is not UTF-8.

    Returns:
        The first ``limit`` sentences that hold a visible character.

    Raises:
        DataFileError: The file is not what its name says, is broken, or holds no sentence.
        InvalidValueError: ``limit`` is below one.
        InvalidTypeError: ``path`` is not a ``Path``.
    """
    if limit is None:
        raise InvalidValueError(
            "limit-out-of-range", f"{limit!r}", expected="a whole number from 1", where="limit"
        )
    _check_limit(limit)
    with open_data(path, original_name) as stream:
        table = table_of(stream, original_name, encoding)
        chosen = _choose_column(table, column, original_name)
        return _collect(table, chosen, original_name, limit)


def stream_sentences(
    path: Path,
    original_name: str,
    *,
    column: str | None = None,
    limit: int | None = None,
    encoding: str | None = None,
    told: Callable[[str], None] = lambda notice: None,
) -> Iterator[str]:
    """Sentences one after the other, for a file with more of them than fit into memory.

    Args:
        path, original_name, column, encoding: As ``read_sentences``.
        limit: Sentences to give; None for all.
        told: Given each notice, at the end at the latest.

    Yields:
        The sentences that hold a visible character.

    Raises:
        DataFileError: As ``read_sentences``; at a broken row, after the sentences before it.
        InvalidValueError: ``limit`` is below one.
    """
    _check_limit(limit)
    empty = replaced = given = 0
    with open_data(path, original_name) as stream:
        table = table_of(stream, original_name, encoding)
        for notice in table.notices:
            told(notice)
        for place, value in table.rows(_choose_column(table, column, original_name)):
            if value is not None and len(value) > MAX_FIELD_CHARS:
                raise field_too_long(place)
            if value is None or not value.strip():
                empty += 1
                continue
            clean, count = _SURROGATE.subn("\ufffd", value)
            replaced += count
            yield clean
            given += 1
            if given == limit:
                break
    if not given:
        raise _without_sentences(original_name)
    for notice in _left_out(empty, replaced):
        told(notice)


def _check_limit(limit: int | None) -> None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValueError(
            "limit-out-of-range", f"{limit!r}", expected="a whole number from 1", where="limit"
        )


def _without_sentences(name: str) -> DataFileError:
    return DataFileError(
        "file-without-sentences", "No row holds a sentence", fix="Give at least one", where=name
    )


def _left_out(empty: int, replaced: int) -> list[str]:
    notices = []
    if empty:
        notices.append(f"Left out {empty:,} rows without a visible character.")
    if replaced:
        notices.append(f"Replaced {replaced:,} half characters (lone surrogates) by \ufffd.")
    return notices


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
        raise _without_sentences(name)
    more = rows >= MAX_COUNTED_ROWS and table.known_rows is None
    total = max(rows, table.known_rows or 0)
    notices = list(table.notices)
    if len(table.text_columns) > 1 or (column is not None and column.lower() not in SENTENCE_COLUMNS):
        notices.append(f"Read column {column!r} of {', '.join(map(repr, table.columns))}.")
    if len(texts) + empty < total:
        notices.append(f"Read the first {len(texts):,} of {'more than ' if more else ''}{total:,} rows.")
    notices.extend(_left_out(empty, replaced))
    return SentenceFile(tuple(texts), table.columns, column, total, tuple(notices))
