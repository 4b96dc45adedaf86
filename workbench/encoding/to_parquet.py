"""Embeddings of more texts than fit into memory: a chunk at a time, straight into a Parquet file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InvalidValueError
from workbench.persistence.atomic import writing

# Sorting by length pays within a chunk; 384 numbers for each of so many texts take 25 MB.
CHUNK_TEXTS = 16_384


def embed_into_parquet(
    texts: Iterable[str],
    path: Path,
    embed: Callable[[list[str]], NDArray[Any]],
    *,
    dim: int,
    facts: Mapping[str, str],
    chunk_texts: int = CHUNK_TEXTS,
) -> int:
    """Embed texts as they come and write them with their vectors, in the order given.

    The file is written beside ``path`` and renamed into place: a broken write leaves what was there.

    Args:
        texts: Read once, never held as a whole.
        path: The file, ending in ``.parquet``. Columns ``text`` and ``embedding``, a row group a chunk.
        embed: Some texts → their rows, shape ``(texts, dim)``.
        dim: Length of a row; asked for where there are no texts.
        facts: Metadata of the file.
        chunk_texts: Texts held at a time.

    Returns:
        How many texts there were.

    Raises:
        InvalidValueError: ``out-not-parquet``, ``chunk-size-out-of-range``.
        FolderWriteError: ``disk-full`` or ``not-writable``.
    """
    import pyarrow.parquet as pq

    if path.suffix.lower() != ".parquet":
        raise InvalidValueError("out-not-parquet", f"{path.name!r}", expected="a name ending in .parquet")
    if isinstance(chunk_texts, bool) or not isinstance(chunk_texts, int) or chunk_texts < 1:
        raise InvalidValueError(
            "chunk-size-out-of-range", f"{chunk_texts!r}", expected="a whole number from 1"
        )
    written = 0
    with writing(path):
        parent = path.resolve().parent
        with tempfile.NamedTemporaryFile(dir=parent, prefix=".", suffix=".tmp", delete=False) as sink:
            temporary = Path(sink.name)
        writer: pq.ParquetWriter | None = None
        try:
            for chunk in _chunks(texts, chunk_texts):
                table = _table(chunk, embed(chunk), facts)
                writer = writer or pq.ParquetWriter(temporary, table.schema)
                writer.write_table(table)
                written += len(chunk)
            if writer is None:
                table = _table([], np.empty((0, dim), dtype=np.float32), facts)
                writer = pq.ParquetWriter(temporary, table.schema)
            writer.close()
            temporary.replace(path)
        finally:
            if writer is not None:
                writer.close()
            temporary.unlink(missing_ok=True)
    return written


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    source = iter(texts)
    while chunk := list(islice(source, size)):
        yield chunk


def _table(texts: Sequence[str], rows: NDArray[Any], facts: Mapping[str, str]) -> Any:
    import pyarrow as pa

    count, dim = rows.shape
    offsets = pa.array(np.arange(0, count * dim + 1, dim or 1, dtype=np.int32)[: count + 1])
    vectors = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(rows).reshape(-1)))
    table = pa.table({"text": pa.array(texts, pa.string()), "embedding": vectors})
    return table.replace_schema_metadata(dict(facts))
