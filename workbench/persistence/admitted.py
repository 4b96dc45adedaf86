"""What an admitted model folder is: an unchanged byte copy of the files that passed, with their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class FileRecord:
    """Size in bytes and sha256 of one admitted file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class AdmittedFolder:
    """A model folder after the file-level checks.

    Attributes:
        name: What the user asked for.
        kind: Where it came from.
        revision: Commit on the Hub; empty otherwise.
        path: The private byte copy; every contender loads from here and from nowhere else.
        files: Relative POSIX path → size and hash.
        sha256: Hash over all names and hashes: two folders with equal files have an equal one.
        notices: What the user should be told, such as files that were left out.
    """

    name: str
    kind: Literal["bundled", "folder", "hub"]
    revision: str
    path: Path
    files: Mapping[str, FileRecord]
    sha256: str
    notices: tuple[str, ...] = ()
