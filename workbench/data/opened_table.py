"""Opening a data file: a regular one, whose content is what its name says, with the reader that fits."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from workbench.data.parquet_table import read_parquet
from workbench.data.tables import Table
from workbench.data.text_tables import read_csv, read_jsonl, read_tsv, read_txt
from workbench.errors import DataFileError, InvalidTypeError

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

_READERS: dict[str, Callable[[BinaryIO, str, str | None], Table]] = {
    ".txt": read_txt,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}


def open_data(path: Path, original_name: str) -> BinaryIO:
    """Open a file whose format follows from the name it had where it came from, and look at its beginning.

    Args:
        path: Where the file lies now: a regular file on this machine, not a link and not an address.
        original_name: The name its owner gave it.

    Raises:
        DataFileError: It cannot be opened, or is not what its name says.
        InvalidTypeError: ``path`` is not a ``Path``.
    """
    if not isinstance(path, Path):
        raise InvalidTypeError(
            "path-not-a-path", f"A {type(path).__name__}", expected="a pathlib.Path", where="path"
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
    stream = open_regular(path, original_name)
    try:
        _check_magic(stream, original_name, suffix)
    except DataFileError:
        stream.close()
        raise
    return stream


def table_of(stream: BinaryIO, original_name: str, encoding: str | None = None) -> Table:
    """Hand an opened file to the reader of its format.

    Args:
        stream: What ``open_data`` gave; the table reads from it.
        original_name: The name that ``open_data`` was given.
        encoding: One of ``encodings.ENCODINGS``, for a text file that is not UTF-8.

    Raises:
        DataFileError: Its beginning cannot be read.
        UnknownNameError: ``encoding-unknown``.
    """
    return _READERS[Path(original_name).suffix.lower()](stream, original_name, encoding)


def open_regular(path: Path, name: str) -> BinaryIO:
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


def sha256_of(stream: BinaryIO) -> str:
    """Hash a file from its beginning, and go back there."""
    digest = hashlib.sha256()
    stream.seek(0)
    while block := stream.read(1 << 20):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()


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
