"""A table of training data in memory: columns by name, rows of text, and where each row came from."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workbench.data.tables import MAX_FIELD_CHARS, Record, field_too_long
from workbench.data.texts import is_blank
from workbench.errors import DataFileError, UnknownNameError

MAX_TABLE_BYTES = 192_000_000
# Rows named in an error or a notice; more would bury the first.
NAMED_ROWS = 5
# A tuple, its number and their places in two lists.
_ROW_BYTES = 120
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class TableSource:
    """Where a table came from.

    Attributes:
        name: The file's or data set's name, for errors.
        unit: What the rows' numbers count: ``line`` or ``row``.
        sha256: Of the file's bytes; None where there was no file.
        separator: What stood between fields; None in a format without separators.
        encoding: How the bytes were taken for characters; None where there were none.
        revision: Commit of the data set on the Hub; None for all else.
    """

    name: str
    unit: str = "row"
    sha256: str | None = None
    separator: str | None = None
    encoding: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class LabelledTable:
    """Rows of texts and labels, all as text: numbers as they were typed, ``NA`` and ``null`` as words.

    Attributes:
        columns: Names of the columns.
        rows: One tuple a row, in the order of ``columns``; None where no value stands.
        numbers: The line or row of each in its source, from 1 on.
        source: Where it came from.
        notices: What the user should be told: columns left out, characters replaced, choices made.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    numbers: tuple[int, ...]
    source: TableSource
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str) -> list[str | None]:
        """All values of one column.

        Raises:
            UnknownNameError: ``column-unknown``.
        """
        if name not in self.columns:
            raise UnknownNameError(
                "column-unknown",
                f"No column {name!r}",
                expected=f"one of {', '.join(map(repr, self.columns))}",
                where=self.source.name,
            )
        index = self.columns.index(name)
        return [row[index] for row in self.rows]

    def place(self, index: int) -> str:
        """Where a row stood, such as ``line 12``."""
        return f"{self.source.unit} {self.numbers[index]:,}"

    def places(self, indexes: Iterable[int]) -> str:
        """Where several rows stood: the first five, and how many more."""
        found = list(indexes)
        more = f" and {len(found) - NAMED_ROWS:,} more" if len(found) > NAMED_ROWS else ""
        return ", ".join(self.place(index) for index in found[:NAMED_ROWS]) + more


def keep_rows(
    records: Iterable[Record],
    columns: tuple[str, ...],
    source: TableSource,
    *,
    notices: Iterable[str] = (),
    max_bytes: int = MAX_TABLE_BYTES,
) -> LabelledTable:
    """Take rows into memory until a budget of bytes is used up.

    Args:
        records: Number and values of each row.
        columns: Names of the columns.
        source: Where they come from.
        notices: What the user should be told already.
        max_bytes: Memory that the rows may take.

    Raises:
        DataFileError: ``table-too-large``, ``field-too-long``, or ``table-without-rows``.
    """
    rows: list[tuple[str | None, ...]] = []
    numbers: list[int] = []
    used = replaced = 0
    for number, values in records:
        used += _ROW_BYTES + 8 * len(values)
        for value in values:
            if value is None:
                continue
            if len(value) > MAX_FIELD_CHARS:
                raise field_too_long(f"{source.name}, {source.unit} {number}")
            used += sys.getsizeof(value)
            # Only characters beyond ASCII can be halves of others; asking is free.
            if not value.isascii() and _SURROGATE.search(value):
                replaced += 1
        if used > max_bytes:
            raise _too_large(source, number, max_bytes)
        rows.append(values if not replaced else tuple(map(_repaired, values)))
        numbers.append(number)
    if not rows:
        raise DataFileError(
            "table-without-rows", "No row", expected="at least one row of data", where=source.name
        )
    told = list(notices)
    if replaced:
        told.append(f"Replaced half characters (lone surrogates) by \ufffd in {replaced:,} values.")
    return LabelledTable(columns, tuple(rows), tuple(numbers), source, tuple(told))


def _repaired(value: str | None) -> str | None:
    return value if value is None or value.isascii() else _SURROGATE.sub("\ufffd", value)


def _too_large(source: TableSource, number: int, max_bytes: int) -> DataFileError:
    return DataFileError(
        "table-too-large",
        f"More than {max_bytes / 1e6:,.0f} MB of rows up to this one",
        expected="a table that fits into its share of memory",
        fix="Read fewer rows with limit, or allow more with max_bytes",
        where=f"{source.name}, {source.unit} {number}",
    )


def drop_empty_rows(table: LabelledTable, columns: Iterable[str]) -> LabelledTable:
    """Leave out the rows in which one of these columns has no visible character, and tell how many."""
    indexes = [table.columns.index(column) for column in columns]
    kept = [
        position
        for position, row in enumerate(table.rows)
        if not any(_is_empty(row[index]) for index in indexes)
    ]
    dropped = len(table) - len(kept)
    if not dropped:
        return table
    if not kept:
        raise DataFileError(
            "table-without-rows",
            "Every row has an empty text",
            fix="Give at least one",
            where=table.source.name,
        )
    return replace(
        table,
        rows=tuple(table.rows[position] for position in kept),
        numbers=tuple(table.numbers[position] for position in kept),
        notices=(*table.notices, f"Left out {dropped:,} rows with an empty text."),
    )


def empty_rows(table: LabelledTable, column: str) -> list[int]:
    """Positions of the rows in which a column has no visible character."""
    return [position for position, value in enumerate(table.column(column)) if _is_empty(value)]


def _is_empty(value: str | None) -> bool:
    # The first test settles nearly all; the other walks over characters.
    return value is None or not value or (not value.strip() or (not value[0].isalnum() and is_blank(value)))
