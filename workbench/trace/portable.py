"""Writing and reading traces: one JSON file for everything plain, one safetensors file for the arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.contenders.trace_contract import STAGES, StageRecord, Trace
from workbench.errors import DataFileError
from workbench.persistence.atomic import write_json, writing
from workbench.trace.ladder import ends

FORMAT = "embedding-trace"
VERSION = 1
# Token vectors kept of a text in a file: its first and last ones. A longer text would fill the file alone.
TOKEN_ROWS = 16
_JSON_BYTES = 64 * 2**20
_ARRAY_BYTES = 512 * 2**20
_MOST_TEXTS = 100_000
_TOKEN_STAGES = ("embeddings", "layers")


class _Stage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facts: dict[str, Any] = {}
    plain: dict[str, list[Any]] = {}
    # Name → rows of each text in the array "stage/name"; -1 for a vector.
    arrays: dict[str, list[int]] = {}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["embedding-trace"]
    version: Literal[1]
    name: str = Field(max_length=200)
    texts: list[str] = Field(min_length=1, max_length=_MOST_TEXTS)
    settings: dict[str, Any] = {}
    token_rows: int | None = Field(default=None, ge=2)
    floors: dict[str, float] = {}
    stages: dict[str, _Stage]


def save_trace(trace: Trace, path: Path, token_rows: int | None = TOKEN_ROWS) -> tuple[Path, Path]:
    """Write a trace as ``<path>.json`` and ``<path>.safetensors``.

    Args:
        trace: What to write.
        path: With or without one of the two endings.
        token_rows: Token vectors to keep of each text at each layer, half from its beginning and half from
            its end; None keeps all, so that the file can be put into a proof.

    Returns:
        The two files.

    Raises:
        FolderWriteError: ``disk-full`` or ``not-writable``.
    """
    from safetensors.numpy import save

    path = _bare(path)
    tensors: dict[str, NDArray[Any]] = {}
    stages: dict[str, Any] = {}
    for key, record in trace.stages.items():
        rows: dict[str, list[int]] = {}
        for name, arrays in record.arrays.items():
            cut = token_rows is not None and key in _TOKEN_STAGES
            kept = [ends(array, token_rows or 0) if cut else array for array in arrays]
            rows[name] = [-1 if array.ndim == 1 else len(array) for array in kept]
            tensors[f"{key}/{name}"] = np.concatenate(
                [np.atleast_2d(np.asarray(array, dtype=np.float32)) for array in kept]
            )
        plain = {name: list(values) for name, values in record.plain.items()}
        stages[key] = {"facts": dict(record.facts), "plain": plain, "arrays": rows}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "name": trace.name,
        "texts": list(trace.texts),
        "settings": dict(trace.settings),
        "token_rows": token_rows,
        "floors": dict(trace.floors),
        "stages": stages,
    }
    files = path.with_name(f"{path.name}.json"), path.with_name(f"{path.name}.safetensors")
    with writing(files[1]):
        files[1].write_bytes(save(tensors, metadata={"format": FORMAT}))
    write_json(files[0], content)
    return files


def load_trace(path: Path, arrays_path: Path | None = None) -> Trace:
    """Read a trace back, whoever wrote it: every length and shape is checked.

    Args:
        path: Its JSON file, or the common name of both.
        arrays_path: Its safetensors file, where it is called otherwise.

    Raises:
        DataFileError: A file is missing, too big, or does not follow docs/trace-format.md.
    """
    bare = _bare(path)
    source = bare.with_name(f"{bare.name}.json") if arrays_path is None else path
    content = _read_json(source)
    arrays = _read_arrays(arrays_path or bare.with_name(f"{bare.name}.safetensors"))
    count = len(content.texts)
    stages = {}
    for key, stage in content.stages.items():
        if key not in STAGES:
            raise _broken(source, f"the stage {key[:40]!r}", f"one of {', '.join(STAGES)}")
        for name, values in stage.plain.items():
            if len(values) != count:
                raise _broken(source, f"{len(values)} values of {key}/{name}", f"{count}, one a text")
        stages[key] = StageRecord(
            facts=stage.facts,
            plain={name: tuple(values) for name, values in stage.plain.items()},
            arrays={
                name: _split(arrays.get(f"{key}/{name}"), rows, count, f"{key}/{name}", source)
                for name, rows in stage.arrays.items()
            },
        )
    ordered = {key: stages[key] for key in STAGES if key in stages}
    return Trace(content.name, tuple(content.texts), content.settings, ordered, content.floors)


def _bare(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in (".json", ".safetensors") else path


def _read_json(path: Path) -> _File:
    if not path.is_file():
        raise _broken(path, "the file is not there", "the JSON file of a trace")
    if path.stat().st_size > _JSON_BYTES:
        raise _broken(path, f"{path.stat().st_size:,} bytes", f"at most {_JSON_BYTES:,}")
    try:
        return _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        raise _broken(path, f"{place}: {first['msg']}", "the format of docs/trace-format.md") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"no JSON: {str(error)[:120]}", "the JSON file of a trace") from error


def _read_arrays(path: Path) -> Mapping[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not path.is_file():
        raise _broken(path, "the file is not there", "the arrays beside the JSON file")
    if path.stat().st_size > _ARRAY_BYTES:
        raise _broken(path, f"{path.stat().st_size:,} bytes", f"at most {_ARRAY_BYTES:,}")
    try:
        found: dict[str, NDArray[Any]] = load(path.read_bytes())
    except (SafetensorError, ValueError, KeyError) as error:
        raise _broken(path, f"no safetensors: {str(error)[:120]}", "safetensors") from error
    return found


def _split(
    table: NDArray[Any] | None, rows: Sequence[int], count: int, name: str, path: Path
) -> tuple[NDArray[Any], ...]:
    sizes = [abs(size) for size in rows]
    if table is None or table.ndim != 2 or len(rows) != count or sum(sizes) != len(table):
        came = "no array" if table is None else f"an array of shape {table.shape}"
        raise _broken(path, f"{came} for {name}", f"two dimensions with {sum(sizes)} rows of {count} texts")
    if not np.issubdtype(table.dtype, np.floating):
        raise _broken(path, f"{name} holds {table.dtype}", "floating-point numbers")
    parts, start = [], 0
    for size in rows:
        part = table[start : start + abs(size)]
        parts.append(part[0] if size < 0 else part)
        start += abs(size)
    return tuple(parts)


def _broken(path: Path, came: str, expected: str) -> DataFileError:
    return DataFileError(
        "trace-file",
        came,
        expected=expected,
        fix="Record the trace again, or write it as docs/trace-format.md says",
        where=path.name,
    )
