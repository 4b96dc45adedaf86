"""The CSV file of an evaluator: one row a call, whole at every moment."""

from __future__ import annotations

import csv
import io
import logging
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from workbench.persistence.atomic import writing

logger = logging.getLogger(__name__)

# What some file system, or a path, reads as more than a letter.
_NOT_IN_A_FILE_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*\ud800-\udfff]')


def file_name_part(name: str) -> str:
    """``name`` as part of a file name: separators and control characters become ``_``, 100 letters kept."""
    return _NOT_IN_A_FILE_NAME.sub("_", name)[:100]


def append_row(path: Path, header: Sequence[str], row: Sequence[float | int | None]) -> None:
    """Add one row to a CSV file, with the header where the file is new.

    The file is written beside and renamed into place: a kill or a full disk leaves it as it was. A file with
    other columns is kept under the next free ``.1``, ``.2``, … and a new one begun, since its rows would
    otherwise stand under the wrong names.

    Args:
        path: The file; missing folders are made.
        header: Names of the columns.
        row: One value a column; None, an undefined value, is an empty cell.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before and next(csv.reader(io.StringIO(before))) != list(header):
            aside = _free_name(path)
            path.rename(aside)
            logger.warning("%s has other columns and was kept as %s", path.name, aside.name)
            before = ""
        written = io.StringIO(newline="")
        lines = csv.writer(written, lineterminator="\n")
        if not before:
            lines.writerow(header)
        elif not before.endswith("\n"):
            before += "\n"
        lines.writerow(["" if value is None else value for value in row])
        replace_text(path, before + written.getvalue())


def replace_text(path: Path, text: str) -> None:
    """Write a text file beside, synced, and rename it into place.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    with writing(path):
        try:
            with temporary.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    return aside
