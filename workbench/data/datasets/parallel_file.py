"""Reading lines of tab-separated translations, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from workbench.errors import DataFileError

_MAX_LINE_BYTES = 4_000_000
# How a compressed file begins.
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")


def parallel_lines(path: Path) -> Iterator[list[str]]:
    """The sentences of each line of a UTF-8 file: the first is the source, the others its translations.

    Empty lines and fields are passed over; a line without a first sentence too.

    Raises:
        DataFileError: It cannot be opened, is compressed or no UTF-8, or a line is longer than 4 MB.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataFileError(
            "file-not-readable", f"It cannot be opened ({type(error).__name__})", where=path.name
        ) from error
    with stream:
        head = stream.read(8)
        if head.startswith(_COMPRESSED):
            raise DataFileError(
                "file-compressed",
                "The content is compressed: its size cannot be told before it is unpacked",
                expected="text with tabs between the sentences",
                fix="Unpack it first, for example with gunzip",
                where=path.name,
            )
        stream.seek(3 if head.startswith(b"\xef\xbb\xbf") else 0)
        for number, line in enumerate(_lines(stream, path.name), 1):
            sentences = [part.strip() for part in _decoded(line, path.name, number).split("\t")]
            if sentences[0]:
                yield [sentence for sentence in sentences if sentence]


def _lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(_MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > _MAX_LINE_BYTES:
            raise DataFileError(
                "line-too-long",
                f"More than {_MAX_LINE_BYTES:,} bytes",
                expected="one sentence and its translations a line",
                where=f"{name}, line {number}",
            )
        yield line


def _decoded(line: bytes, name: str, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(
            "file-not-utf8",
            f"Byte {error.start} is no UTF-8",
            expected="UTF-8",
            fix="Save it as UTF-8",
            where=f"{name}, line {number}",
        ) from error
