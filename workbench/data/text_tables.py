"""Readers of text files: TXT with one sentence a line, CSV and TSV, JSONL."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from workbench.data.tables import MAX_FIELD_CHARS, Table, checked_columns, field_too_long
from workbench.errors import DataFileError

# A line holds a whole record except where a quoted field runs over several.
_MAX_LINE_CHARS = 4 * MAX_FIELD_CHARS
_PEEKED_ROWS = 20
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NUMBER = re.compile(
    r"\s*([+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?|nan|[+-]?inf|true|false)?\s*", re.IGNORECASE
)
# The 4-byte mark comes first: it begins with the 2-byte one.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class _NumberText(str):
    """A number of a JSON file, kept as it was typed: ``1e5`` stays ``1e5``."""


def numbered_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    r"""Walk over the lines with their numbers from 1 on; their end, \n or \r, stays.

    Raises:
        DataFileError: Bytes that are not UTF-8 (or UTF-16 with its mark), a NUL, or an endless line.
    """
    encoding = _encoding(stream)
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
                raise DataFileError(
                    "file-has-nul",
                    "A NUL character",
                    expected="plain text",
                    fix="Save the file as UTF-8; UTF-16 needs its byte order mark",
                    where=place,
                )
            yield number, line
    except UnicodeDecodeError as error:
        offset = _offset_of_bad_byte(stream, encoding)
        raise DataFileError(
            "text-encoding",
            f"Bytes from offset {offset:,} on are not {encoding.removesuffix('-sig').upper()}",
            expected="UTF-8, or UTF-16 with its byte order mark",
            fix="Save the file as UTF-8",
            where=name,
        ) from error


def _encoding(stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(4)
    stream.seek(0)
    return next((name for mark, name in _BYTE_ORDER_MARKS.items() if head.startswith(mark)), "utf-8")


def _offset_of_bad_byte(stream: BinaryIO, encoding: str) -> int:
    """Decode once more in blocks: the wrapper's error counts from its own buffer's beginning."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))("strict")
    consumed = 0
    while True:
        block = stream.read(1 << 16)
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return consumed - waiting + error.start
        if not block:
            return consumed
        consumed += len(block)


def read_txt(stream: BinaryIO, name: str) -> Table:
    """One sentence a line."""

    def rows(_: str | None) -> Iterator[tuple[str, str | None]]:
        for number, line in numbered_lines(stream, name):
            yield f"{name}, line {number}", line.rstrip("\r\n")

    return Table((), (), rows)


def read_csv(stream: BinaryIO, name: str) -> Table:
    """Fields between commas, semicolons, tabs or bars, as the first line tells; RFC 4180 quotes."""
    return _read_separated(stream, name, tuple(_SEPARATORS))


def read_tsv(stream: BinaryIO, name: str) -> Table:
    """Fields between tabs, RFC 4180 quotes."""
    return _read_separated(stream, name, ("\t",))


def _read_separated(stream: BinaryIO, name: str, separators: tuple[str, ...]) -> Table:
    numbered = numbered_lines(stream, name)
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
    records = _csv_records(lines, separator, name, begin)
    columns = checked_columns(next(records)[1], name)

    def checked() -> Iterator[tuple[str, list[str]]]:
        for place, values in records:
            if len(values) != len(columns):
                raise DataFileError(
                    "row-ragged",
                    f"{len(values)} fields",
                    expected=f"{len(columns)}, as in the first line",
                    fix="Put fields that hold a separator or a line break between double quotes",
                    where=place,
                )
            yield place, values

    whole = checked()
    first = list(itertools.islice(whole, _PEEKED_ROWS))
    text_columns = tuple(
        column
        for index, column in enumerate(columns)
        if any(not _NUMBER.fullmatch(values[index]) for _, values in first)
    )

    def rows(column: str | None) -> Iterator[tuple[str, str | None]]:
        index = columns.index(column or "")
        for place, values in itertools.chain(first, whole):
            yield place, values[index]

    notices = (
        []
        if separator == "," or len(separators) == 1
        else [f"Fields are separated by {_SEPARATORS[separator]}."]
    )
    return Table(columns, text_columns, rows, tuple(notices))


def _csv_records(
    lines: Iterator[str], separator: str, name: str, first: int
) -> Iterator[tuple[str, list[str]]]:
    """Walk over the records with the line each begins on, ``first`` for the header; blank lines are none."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    begin = first
    while True:
        place = f"{name}, line {begin}"
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
            yield place, values


def read_jsonl(stream: BinaryIO, name: str) -> Table:
    """One JSON object a line, all with the same keys."""
    lines = (
        (f"{name}, line {number}", line) for number, line in numbered_lines(stream, name) if line.strip()
    )
    records = ((place, _json_record(line, place)) for place, line in lines)
    first = list(itertools.islice(records, _PEEKED_ROWS))
    if not first:
        raise DataFileError(
            "file-empty", "The file holds no line", fix="Give a file with sentences", where=name
        )
    columns = checked_columns(first[0][1], name)
    names = dict(zip(columns, first[0][1], strict=True))
    text_columns = tuple(
        column for column, key in names.items() if any(type(record.get(key)) is str for _, record in first)
    )

    def rows(column: str | None) -> Iterator[tuple[str, str | None]]:
        key = names[column or ""]
        for place, record in itertools.chain(first, records):
            if record.keys() != first[0][1].keys():
                odd = sorted(record.keys() ^ first[0][1].keys())
                raise DataFileError(
                    "row-keys-differ",
                    f"Keys that only this line or only the first has: {', '.join(map(repr, odd[:5]))}",
                    expected="the same keys in every line",
                    where=place,
                )
            value = record[key]
            if value is not None and not isinstance(value, str):
                raise DataFileError(
                    "value-not-text",
                    f"A value of type {type(value).__name__} under {key!r}",
                    expected="a text, a number or null",
                    where=place,
                )
            yield place, None if value is None else str(value)

    return Table(columns, text_columns, rows)


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
