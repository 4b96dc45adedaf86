"""A file of rows as the readers hand it on: its columns, and a walk over some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from workbench.errors import DataFileError

MAX_COLUMNS = 64
MAX_FIELD_CHARS = 1_000_000
# What a column of sentences is called, the most telling name first.
SENTENCE_COLUMNS = (
    "sentence",
    "text",
    "sentences",
    "texts",
    "content",
    "body",
    "document",
    "query",
    "question",
)


Record = tuple[int, tuple[str | None, ...]]
"""The number of a line or row, and the values that stand in it; None where no value stands."""


@dataclass(frozen=True)
class Table:
    """An opened file, of which nothing but its beginning has been read.

    Attributes:
        name: The file, for errors.
        columns: All of them; empty where the format knows none.
        text_columns: Those that hold text, as far as the beginning tells.
        records: ``records(columns, text_only)`` walks over the values of these columns. Without
            ``text_only``, true, false and lists of numbers count as values too, as labels have them.
            It can be called once.
        unit: What the numbers of the records count: ``line`` or ``row``.
        unreadable: Columns that hold neither text nor numbers, each with what it holds.
        notices: What the user should be told.
        known_rows: Rows of the file, where the format states them.
        separator: What stands between fields, in a format that has separators.
        encoding: How the bytes were taken for characters, in a format of text.
    """

    name: str
    columns: tuple[str, ...]
    text_columns: tuple[str, ...]
    records: Callable[[tuple[str, ...], bool], Iterator[Record]]
    unit: str = "line"
    unreadable: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    known_rows: int | None = None
    separator: str | None = None
    encoding: str | None = None

    def rows(self, column: str | None) -> Iterator[tuple[str, str | None]]:
        """Walk over one column: the place for an error, and the value."""
        for number, values in self.records(() if column is None else (column,), True):
            yield f"{self.name}, {self.unit} {number}", values[0]


def checked_columns(columns: Iterable[str], name: str) -> tuple[str, ...]:
    """Refuse too many columns and two of one name; number those without a name.

    Raises:
        DataFileError: ``columns-none``, ``columns-too-many`` or ``columns-duplicate``.
    """
    found = [column.strip() for column in columns]
    if not found:
        raise DataFileError("columns-none", "No column", expected="at least one", where=name)
    if len(found) > MAX_COLUMNS:
        raise DataFileError(
            "columns-too-many", f"{len(found):,} columns", expected=f"at most {MAX_COLUMNS}", where=name
        )
    found = [column or f"column {number}" for number, column in enumerate(found, 1)]
    twice = sorted({column for column in found if found.count(column) > 1})
    if twice:
        raise DataFileError(
            "columns-duplicate",
            f"Columns that occur twice: {', '.join(map(repr, twice))}",
            expected="every column name once",
            fix="Rename one of them",
            where=name,
        )
    return tuple(found)


def field_too_long(place: str) -> DataFileError:
    """The refusal of a single value beyond ``MAX_FIELD_CHARS``."""
    return DataFileError(
        "field-too-long",
        f"A value of more than {MAX_FIELD_CHARS:,} characters",
        expected="shorter texts",
        fix="Look for a double quote that is never closed, or cut the text",
        where=place,
    )
