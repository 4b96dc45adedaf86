"""Labelled data from a file: CSV, TSV, JSONL and Parquet with all their columns, in bounded memory."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from workbench.data.labelled_table import MAX_TABLE_BYTES, LabelledTable, TableSource, keep_rows
from workbench.data.opened_table import open_data, open_regular, sha256_of, table_of
from workbench.data.tables import Record, Table
from workbench.errors import DataFileError, InvalidValueError

_BARE_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_LONGEST_NAME = 60


def read_table(
    path: Path,
    original_name: str | None = None,
    *,
    encoding: str | None = None,
    limit: int | None = None,
    max_bytes: int = MAX_TABLE_BYTES,
) -> LabelledTable:
    """Read every column of a file that holds texts or numbers.

    Args:
        path: Where the file lies now: a regular file on this machine, not a link and not an address.
        original_name: The name its owner gave it, whose ending tells the format; that of ``path`` if None.
        encoding: One of ``encodings.ENCODINGS``, for a text file that is not UTF-8.
        limit: Rows to read; None for all.
        max_bytes: Memory that the rows may take.

    Raises:
        DataFileError: The file is not what its name says, is broken, too large, or holds no row; an
            ``EncodingRefusedError`` carries previews in the encodings that could be meant.
        InvalidTypeError: ``path`` is not a ``Path``.
        InvalidValueError: ``limit`` is below one.
    """
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValueError(
            "limit-out-of-range", f"{limit!r}", expected="a whole number from 1", where="limit"
        )
    name = original_name if original_name is not None else getattr(path, "name", "")
    with open_data(path, name) as stream:
        sha256 = sha256_of(stream)
        opened = table_of(stream, name, encoding)
        if not opened.columns:
            raise DataFileError(
                "table-without-columns",
                "A plain text file has one sentence a line and no columns",
                expected="CSV, TSV, JSONL or Parquet",
                fix="Put texts and labels into columns",
                where=name,
            )
        source = TableSource(name, opened.unit, sha256, opened.separator, opened.encoding)
        unreadable = dict(opened.unreadable)
        columns = tuple(column for column in opened.columns if column not in unreadable)
        if not columns:
            raise DataFileError(
                "columns-none", "No column holds texts or numbers", expected="at least one", where=name
            )
        return keep_rows(
            _limited(opened.records(columns, False), limit),
            columns,
            source,
            notices=_notices(opened, encoding),
            max_bytes=max_bytes,
        )


def _limited(records: Iterator[Record], limit: int | None) -> Iterator[Record]:
    return itertools.islice(records, limit)


def _notices(opened: Table, encoding: str | None) -> list[str]:
    told = list(opened.notices)
    for column, what in opened.unreadable:
        cure = " Texts go into columns of their own, such as negative_1." if "list" in what else ""
        told.append(f"Left out column {column!r}: it holds {what}.{cure}")
    if encoding is not None and opened.encoding != "utf-8":
        told.append(f"Read as {encoding.upper()}, as asked.")
    odd = [name for name in opened.columns if _BARE_NUMBER.fullmatch(name) or len(name) > _LONGEST_NAME]
    if odd and opened.separator is not None:
        told.append(
            f"The first line looks like data, not like names of columns ({odd[0][:_LONGEST_NAME]!r}): "
            "if it is, write a line of names above it."
        )
    return told


def check_unchanged(path: Path, table: LabelledTable) -> None:
    """Hold a file to what was read from it, as a run does before its first step.

    Raises:
        DataFileError: ``file-changed``, or ``file-not-readable`` where it is gone.
    """
    with open_regular(path, table.source.name) as stream:
        found = sha256_of(stream)
    if found != table.source.sha256:
        raise DataFileError(
            "file-changed",
            f"Its sha256 is {found[:12]}…, it was {(table.source.sha256 or 'none')[:12]}…",
            expected="the file that was checked",
            fix="Read and check it again",
            where=table.source.name,
        )
