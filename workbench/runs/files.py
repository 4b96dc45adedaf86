"""Small JSON files that are whole or not there, and bounded reading of what a child wrote."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_JSON_BYTES = 16 << 20


@contextmanager
def coded(path: Path) -> Iterator[None]:
    """Turn a refused write inside the block into a `FolderWriteError`.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    try:
        yield
    except OSError:
        # Imported only here: a worker starts in a fraction of the time without numpy.
        from workbench.persistence.atomic import writing

        with writing(path):
            raise


def put_json(path: Path, value: object, *, sync: bool = True) -> None:
    """Write a JSON file beside its place and rename it there.

    Args:
        path: The file.
        value: Finite JSON values.
        sync: Whether it must survive a loss of power. What the store holds too need not.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``.
        ValueError: A number is not finite.
    """
    data = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1).encode()
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}.tmp")
    with coded(path):
        try:
            with temporary.open("xb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
            if sync:
                _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def get_json(path: Path) -> Any:
    """Read a JSON file of ours; None where it is missing, too big, no regular file or not JSON."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            data = file.read(MAX_JSON_BYTES + 1)
        return json.loads(data) if len(data) <= MAX_JSON_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None


def last_bytes(path: Path, limit: int) -> bytes:
    """The end of a file; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit))
            return file.read(limit)
    except OSError:
        return b""


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
