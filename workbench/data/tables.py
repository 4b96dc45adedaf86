"""A file of rows as the readers hand it on: its columns, and a walk over one of them."""

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


@dataclass(frozen=True)
class Table:
    """An opened file, of which nothing but its beginning has been read.

    Attributes:
        columns: All of them; empty where the format knows none.
        text_columns: Those that hold text, as far as the beginning tells.
        rows: ``rows(column)`` walks over (place for an error, value), None where no value stands.
            It can be called once.
        notices: What the user should be told.
        known_rows: Rows of the file, where the format states them.
    """

    columns: tuple[str, ...]
    text_columns: tuple[str, ...]
    rows: Callable[[str | None], Iterator[tuple[str, str | None]]]
    notices: tuple[str, ...] = ()
    known_rows: int | None = None


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
