"""Readers of text files: TXT with one sentence a line, CSV and TSV, JSONL."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from workbench.data.encodings import encoding_refused, file_encoding, nul_refused
from workbench.data.tables import MAX_FIELD_CHARS, Record, Table, checked_columns, field_too_long
from workbench.errors import DataFileError

# A line holds a whole record except where a quoted field runs over several.
_MAX_LINE_CHARS = 4 * MAX_FIELD_CHARS
_PEEKED_ROWS = 20
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NUMBER = re.compile(
    r"\s*([+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?|nan|[+-]?inf|true|false)?\s*", re.IGNORECASE
)


class _NumberText(str):
    """A number of a JSON file, kept as it was typed: ``1e5`` stays ``1e5``."""


def numbered_lines(stream: BinaryIO, name: str, encoding: str) -> Iterator[tuple[int, str]]:
    r"""Walk over the lines with their numbers from 1 on; their end, \n or \r, stays.

    Raises:
        DataFileError: Bytes that are not in this encoding, a NUL, or an endless line.
    """
    try:
        # The first line's end is that of all: a lone \r in a file of \n belongs to a text.
        probe = io.TextIOWrapper(stream, encoding, newline="")
        first = probe.readline(_MAX_LINE_CHARS)
        probe.detach().seek(0)
        text = io.TextIOWrapper(stream, encoding, newline="\r" if first.endswith("\r") else "\n")
        for number in itertools.count(1):
            line = text.readline(_MAX_LINE_CHARS + 1)
            if not line:
                return
            place = f"{name}, line {number}"
            if len(line) > _MAX_LINE_CHARS:
                raise DataFileError(
                    "line-too-long",
                    f"A line of more than {_MAX_LINE_CHARS:,} characters",
                    expected="one record a line",
                    fix="Check that this is a text file with line breaks",
                    where=place,
                )
            if "\0" in line:
                raise nul_refused(text.detach(), name, number)
            yield number, line
    except UnicodeDecodeError as error:
        raise encoding_refused(stream, name, encoding) from error


def read_txt(stream: BinaryIO, name: str, encoding: str | None = None) -> Table:
    """One sentence a line."""
    found = file_encoding(stream, name, encoding)

    def records(_: tuple[str, ...], __: bool) -> Iterator[Record]:
        for number, line in numbered_lines(stream, name, found):
            yield number, (line.rstrip("\r\n"),)

    return Table(name, (), (), records, encoding=found)


def read_csv(stream: BinaryIO, name: str, encoding: str | None = None) -> Table:
    """Fields between commas, semicolons, tabs or bars, as the first line tells; RFC 4180 quotes."""
    return _read_separated(stream, name, tuple(_SEPARATORS), encoding)


def read_tsv(stream: BinaryIO, name: str, encoding: str | None = None) -> Table:
    """Fields between tabs, RFC 4180 quotes."""
    return _read_separated(stream, name, ("\t",), encoding)


def _read_separated(stream: BinaryIO, name: str, separators: tuple[str, ...], encoding: str | None) -> Table:
    found = file_encoding(stream, name, encoding)
    numbered = numbered_lines(stream, name, found)
    begin, header = next(((number, line) for number, line in numbered if line.strip()), (0, ""))
    if not header:
        raise DataFileError(
            "file-empty", "The file holds no line", fix="Give a file with sentences", where=name
        )
    # Only the header decides: a comma inside a sentence must not change how the file is cut.
    counts = {mark: header.count(mark) for mark in separators}
    separator = max(counts, key=lambda mark: counts[mark])
    csv.field_size_limit(MAX_FIELD_CHARS)
    lines = itertools.chain([header], (line for _, line in numbered))
    raw = _csv_records(lines, separator, name, begin)
    columns = checked_columns(next(raw)[1], name)
    whole = _equally_wide(raw, len(columns), name)
    first = list(itertools.islice(whole, _PEEKED_ROWS))
    text_columns = tuple(
        column
        for index, column in enumerate(columns)
        if any(not _NUMBER.fullmatch(values[index]) for _, values in first)
    )

    def records(wanted: tuple[str, ...], _: bool) -> Iterator[Record]:
        indexes = [columns.index(column) for column in wanted]
        for number, values in itertools.chain(first, whole):
            yield number, tuple([values[index] for index in indexes])

    sniffed = separator != "," and len(separators) > 1
    notices = (f"Fields are separated by {_SEPARATORS[separator]}.",) if sniffed else ()
    return Table(name, columns, text_columns, records, notices=notices, separator=separator, encoding=found)


def _equally_wide(
    records: Iterator[tuple[int, list[str]]], width: int, name: str
) -> Iterator[tuple[int, list[str]]]:
    for number, values in records:
        if len(values) != width:
            raise DataFileError(
                "row-ragged",
                f"{len(values)} fields",
                expected=f"{width}, as in the first line",
                fix="Put fields that hold a separator or a line break between double quotes",
                where=f"{name}, line {number}",
            )
        yield number, values


def _csv_records(
    lines: Iterator[str], separator: str, name: str, first: int
) -> Iterator[tuple[int, list[str]]]:
    """Walk over the records with the line each begins on, ``first`` for the header; blank lines are none."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begin = first
    while True:
        number, place = begin, f"{name}, line {begin}"
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" in str(error):
                raise field_too_long(place) from error
            raise DataFileError(
                "row-not-csv",
                f"A record that cannot be read ({error})",
                expected="fields whose double quotes are closed, and doubled inside",
                fix="Look for a stray double quote from this line on",
                where=place,
            ) from error
        begin = reader.line_num + first
        if values:
            yield number, values


def read_jsonl(stream: BinaryIO, name: str, encoding: str | None = None) -> Table:
    """One JSON object a line, all with the same keys."""
    found = file_encoding(stream, name, encoding)
    lines = ((number, line) for number, line in numbered_lines(stream, name, found) if line.strip())
    raw = ((number, _json_record(line, f"{name}, line {number}")) for number, line in lines)
    first = list(itertools.islice(raw, _PEEKED_ROWS))
    if not first:
        raise DataFileError(
            "file-empty", "The file holds no line", fix="Give a file with sentences", where=name
        )
    keys = first[0][1].keys()
    columns = checked_columns(keys, name)
    names = dict(zip(columns, keys, strict=True))

    def beginning(column: str) -> list[Any]:
        return [record[names[column]] for _, record in first if names[column] in record]

    def records(wanted: tuple[str, ...], text_only: bool) -> Iterator[Record]:
        chosen = [names[column] for column in wanted]
        for number, record in itertools.chain(first, raw):
            place = f"{name}, line {number}"
            if record.keys() != keys:
                raise _keys_differ(record.keys() ^ keys, place)
            yield number, tuple([_json_value(record[key], key, place, text_only) for key in chosen])

    return Table(
        name,
        columns,
        tuple(column for column in columns if any(type(value) is str for value in beginning(column))),
        records,
        unreadable=tuple(
            (column, "objects or lists")
            for column in columns
            if any(not _is_plain(value) for value in beginning(column))
        ),
        encoding=found,
    )


def _keys_differ(odd: set[str], place: str) -> DataFileError:
    return DataFileError(
        "row-keys-differ",
        f"Keys that only this line or only the first has: {', '.join(map(repr, sorted(odd)[:5]))}",
        expected="the same keys in every line",
        where=place,
    )


def _is_plain(value: Any) -> bool:
    numbers = isinstance(value, list) and all(isinstance(one, _NumberText) for one in value)
    return value is None or numbers or isinstance(value, str | bool)


def _json_value(value: Any, key: str, place: str, text_only: bool) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return str(value)
    if text_only or not _is_plain(value):
        raise DataFileError(
            "value-not-text",
            f"A value of type {type(value).__name__} under {key!r}",
            expected="a text, a number or null",
            where=place,
        )
    return str(value) if isinstance(value, bool) else f"[{', '.join(value)}]"


def _json_record(line: str, place: str) -> dict[str, Any]:
    def refuse(problem: str, cause: Exception | None = None) -> DataFileError:
        error = DataFileError(
            "line-not-json",
            problem,
            expected='one JSON object, such as {"sentence": "…"}, on each line',
            where=place,
        )
        error.__cause__ = cause
        return error

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise refuse("A key occurs twice in one object")
        return found

    def no_constant(constant: str) -> Any:
        raise refuse(f"{constant} is not JSON")

    try:
        record = json.loads(
            line,
            object_pairs_hook=unique,
            parse_constant=no_constant,
            parse_int=_NumberText,
            parse_float=_NumberText,
        )
    except json.JSONDecodeError as error:
        raise refuse(f"Not JSON from character {error.pos + 1} on ({error.msg})", error) from error
    except RecursionError as error:
        raise refuse("Brackets nested too deeply", error) from error
    if not isinstance(record, dict):
        raise refuse("An array" if isinstance(record, list) else "A bare value")
    return record
