"""Files for the visitor: the shown comparison as CSV, Parquet or JSON, and where downloads wait."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from workbench.compare.report import comparison_dict, embeddings_csv, embeddings_parquet
from workbench.compare.results import Comparison
from workbench.errors import InvalidValueError

# The browser takes the file at once, and Gradio takes a copy of its own.
_KEPT_SECONDS = 600.0
_NAME = "workbench-comparison"


def _json(comparison: Comparison) -> bytes:
    data = comparison_dict(comparison, embeddings=True)
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def _csv(comparison: Comparison) -> bytes:
    # A byte order mark: without it spreadsheets read Korean as Latin-1.
    return embeddings_csv(comparison).encode("utf-8-sig", "replace")


# Ending → the bytes of a comparison in that format.
FORMATS: dict[str, Callable[[Comparison], bytes]] = {
    "csv": _csv,
    "parquet": embeddings_parquet,
    "json": _json,
}


def write_download(comparison: Comparison, kind: object) -> Path:
    """Write a comparison into a folder of its own and return the file.

    Raises:
        InvalidValueError: No such format.
    """
    if not isinstance(kind, str) or kind not in FORMATS:
        raise InvalidValueError(
            "unknown-format", f"{str(kind)[:40]!r} came", expected=f"one of {', '.join(FORMATS)}"
        )
    return kept_file(f"{_NAME}.{kind}", FORMATS[kind](comparison))


def kept_file(name: str, data: bytes) -> Path:
    """Write a file into a folder of its own and return it; it goes after some minutes.

    Args:
        name: A name of ours, never a visitor's text.
        data: Its bytes.
    """
    path = Path(tempfile.mkdtemp(dir=_fresh_folder())) / name
    path.write_bytes(data)
    return path


def new_folder() -> Path:
    """An empty folder for one download; it goes when its time is over."""
    return Path(tempfile.mkdtemp(dir=_fresh_folder()))


_LOCK = threading.Lock()
_FOLDERS: list[Path] = []


def _fresh_folder() -> Path:
    """The folder of this process's downloads, without those that are old; gone when the process ends."""
    with _LOCK:
        if not _FOLDERS or not _FOLDERS[0].is_dir():
            _FOLDERS[:] = [Path(tempfile.mkdtemp(prefix="workbench-downloads-"))]
            atexit.register(shutil.rmtree, _FOLDERS[0], ignore_errors=True)
        for old in _FOLDERS[0].iterdir():
            if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
        return _FOLDERS[0]
