"""Reading vectors that someone else made: npy, CSV, JSON or Parquet, bounded, without running anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataFileError

_BYTES = 256 * 2**20
_CELLS = 64 * 2**20


def read_vectors(path: Path, name: str = "") -> NDArray[np.float32]:
    """Read one vector a text.

    Args:
        path: The file.
        name: What it is called where ``path`` is a copy; its ending decides the format.

    Returns:
        Shape ``(texts, dim)``.

    Raises:
        DataFileError: ``vectors-*``: unknown ending, too big, broken, ragged, no numbers, or not finite.
    """
    label = name or path.name
    reader = _READERS.get(Path(label).suffix.lower())
    if reader is None:
        raise _refused("vectors-format", f"{label[-40:]!r}", f"a name ending in {', '.join(_READERS)}", label)
    if not path.is_file():
        raise _refused("vectors-missing", "the file is not there", "a file of vectors", label)
    if path.stat().st_size > _BYTES:
        raise _refused("vectors-too-big", f"{path.stat().st_size:,} bytes", f"at most {_BYTES:,}", label)
    try:
        table = np.asarray(reader(path), dtype=np.float32)
    except (ValueError, TypeError, KeyError, OSError, RecursionError, EOFError) as error:
        raise _refused("vectors-broken", str(error)[:200], "rows of as many numbers each", label) from error
    if table.ndim != 2 or not table.size:
        raise _refused("vectors-shape", f"shape {table.shape}", "one row of numbers a text", label)
    if not np.isfinite(table).all():
        bad = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0]) + 1
        raise _refused("vectors-not-finite", f"row {bad} holds NaN or infinity", "finite numbers", label)
    return table


def _npy(path: Path) -> Any:
    # The size is in the header: it is checked before anything is allocated.
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.size > _CELLS or not np.issubdtype(mapped.dtype, np.number):
        raise ValueError(f"an array of {mapped.dtype} with {mapped.size:,} numbers")
    return mapped


def _csv(path: Path) -> Any:
    with path.open(encoding="utf-8-sig") as file:
        lines = [line for line in file if line.strip()]
    separator = next((mark for mark in (",", ";", "\t") if mark in lines[0]), None) if lines else None
    rows = [line.strip().split(separator) for line in lines]
    if rows and not _is_number(rows[0][0]):
        # A header.
        rows = rows[1:]
    return [[float(cell) for cell in row] for row in rows]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        named = [content[key] for key in ("embeddings", "data", "vectors") if key in content]
        if not named:
            raise ValueError("an object without embeddings, data or vectors")
        content = named[0]
    return [row["embedding"] if isinstance(row, dict) else row for row in content]


def _jsonl(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    return [row["embedding"] if isinstance(row, dict) else row for row in rows]


def _parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        columns = [
            field.name
            for field in file.schema_arrow
            if pa.types.is_list(field.type)
            or pa.types.is_large_list(field.type)
            or pa.types.is_fixed_size_list(field.type)
        ]
        if not columns:
            raise ValueError("no column of lists")
        rows: list[Any] = []
        for batch in file.iter_batches(columns=columns[:1], batch_size=1024):
            rows += batch.column(0).to_pylist()
            if sum(len(row or ()) for row in rows[:1]) * len(rows) > _CELLS:
                raise ValueError(f"more than {_CELLS:,} numbers")
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return rows


_READERS: Mapping[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".csv": _csv,
    ".tsv": _csv,
    ".json": _json,
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}


def _refused(code: str, came: str, expected: str, where: str) -> DataFileError:
    return DataFileError(code, came, expected=expected, where=where)
