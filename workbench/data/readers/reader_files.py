"""The files of the classic readers: found below their folder, plain or gzip, read line by line in bounds."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from workbench.data.opened_table import open_regular
from workbench.data.tables import MAX_FIELD_CHARS, field_too_long
from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError

# Characters that one file may hold, unpacked: AllNLI's largest has a quarter of this.
MAX_FILE_CHARS = 256_000_000
_MAX_LINE_CHARS = 4 * MAX_FIELD_CHARS


def below(folder: str | os.PathLike[str], filename: str) -> Path:
    """Find a file below a reader's folder.

    Raises:
        InvalidTypeError: The name is no string.
        InvalidValueError: ``path-outside-folder``: the name, or a link, leads elsewhere.
    """
    if not isinstance(filename, str):
        raise InvalidTypeError(
            "filename-not-a-string", f"A {type(filename).__name__}", expected="a string", where="filename"
        )
    root = Path(folder).resolve()
    found = None if "\0" in filename or not filename else (root / filename).resolve()
    if found is None or found == root or not found.is_relative_to(root):
        raise InvalidValueError(
            "path-outside-folder",
            f"{filename!r}"[:80],
            expected="a file below the reader's folder",
            where="filename",
        )
    return found


def check_max_examples(max_examples: int) -> int:
    """Refuse a limit that is no count; 0 stands for no limit."""
    if isinstance(max_examples, bool) or not isinstance(max_examples, int) or max_examples < 0:
        raise InvalidValueError(
            "max-examples-out-of-range",
            f"{max_examples!r}",
            expected="a whole number, 0 for all",
            where="max_examples",
        )
    return max_examples


@contextlib.contextmanager
def open_lines(path: Path, name: str, packed: bool) -> Iterator[Iterator[str]]:
    """Open a file of UTF-8, and walk over its lines, which keep their ends.

    Args:
        path: Where it lies.
        name: For errors.
        packed: Whether it is gzip-compressed.

    Raises:
        DataFileError: It cannot be opened, unpacked or decoded, or is too large.
    """
    with open_regular(path, name) as stream:
        unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if packed else stream
        with io.TextIOWrapper(unpacked, "utf-8-sig") as text:
            yield _bounded(text, name)


def _bounded(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    number = chars = 0
    try:
        while line := text.readline(_MAX_LINE_CHARS + 1):
            number += 1
            chars += len(line)
            if len(line) > _MAX_LINE_CHARS:
                raise DataFileError(
                    "line-too-long",
                    f"A line of more than {_MAX_LINE_CHARS:,} characters",
                    expected="one record a line",
                    where=f"{name}, line {number}",
                )
            if chars > MAX_FILE_CHARS:
                raise DataFileError(
                    "text-too-much",
                    f"More than {MAX_FILE_CHARS:,} characters up to this line",
                    expected="a smaller file",
                    fix="Split the file",
                    where=f"{name}, line {number}",
                )
            if "\0" in line:
                raise DataFileError(
                    "file-has-nul", "A NUL character", expected="plain text", where=f"{name}, line {number}"
                )
            yield line
    except UnicodeDecodeError as error:
        raise DataFileError(
            "text-encoding",
            "Bytes that are not UTF-8",
            expected="UTF-8",
            fix="Save the file as UTF-8",
            where=f"{name}, after line {number}",
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataFileError(
            "file-not-unpacked",
            f"It cannot be unpacked ({type(error).__name__})",
            expected="a whole gzip file",
            fix="Copy it again",
            where=f"{name}, after line {number}",
        ) from error


def separated(
    lines: Iterator[str], name: str, delimiter: str, quoting: int
) -> Iterator[tuple[int, list[str]]]:
    """Cut lines into fields; each record with the line it ends on.

    Raises:
        DataFileError: ``row-not-csv`` or ``field-too-long``.
        InvalidValueError: ``delimiter-invalid``.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        rows = csv.reader(lines, delimiter=delimiter, quoting=cast(Any, quoting))
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            "delimiter-invalid",
            f"delimiter {delimiter!r} and quoting {quoting!r} ({error})"[:160],
            expected="one character, and one of the csv.QUOTE_* constants",
            where="delimiter, quoting",
        ) from error
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            place = f"{name}, line {rows.line_num}"
            if "field limit" in str(error):
                raise field_too_long(place) from error
            raise DataFileError(
                "row-not-csv", f"A record that cannot be read ({error})", where=place
            ) from error
        yield rows.line_num, row


def field(row: Sequence[str], index: int, place: str) -> str:
    """One field of a row.

    Raises:
        DataFileError: ``row-ragged``.
        InvalidTypeError: ``column-index-invalid``.
    """
    if isinstance(index, bool) or not isinstance(index, int):
        raise InvalidTypeError(
            "column-index-invalid", f"{index!r}"[:60], expected="a whole number, 0 for the first column"
        )
    try:
        return row[index]
    except IndexError as error:
        raise DataFileError(
            "row-ragged",
            f"{len(row)} fields, so that there is none at index {index}",
            expected="the same columns in every line",
            fix="Check delimiter and column indexes, and remove empty lines",
            where=place,
        ) from error


def check_some(count: int, name: str) -> None:
    """Refuse a file without a row."""
    if not count:
        raise DataFileError("file-empty", "No row", expected="at least one", where=name)
