"""Reader of Parquet files that trusts neither their footer nor their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from workbench.data.tables import Table, checked_columns
from workbench.errors import DataFileError

# Rows decoded at once: with values of at most 1 MB a batch stays within 64 MB.
_BATCH_ROWS = 64
_MAX_COLUMN_BYTES = 256_000_000


def read_parquet(stream: BinaryIO, name: str) -> Table:
    """Text columns as they are, numbers as text; only the chosen column is read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(
            stream, thrift_string_size_limit=10_000_000, thrift_container_size_limit=100_000
        )
        schema = file.schema_arrow
        metadata = file.metadata
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _parquet_broken(name, error) from error
    columns = checked_columns(schema.names, name)
    text = tuple(
        column for column, field in zip(columns, schema, strict=True) if _is_string(pa.types, field.type)
    )

    def rows(column: str | None) -> Iterator[tuple[str, str | None]]:
        index = columns.index(column or "")
        field = schema.field(index)
        if column not in text and not _is_number(pa.types, field.type):
            raise DataFileError(
                "column-not-text",
                f"Column {column!r} holds {field.type}",
                expected="texts or numbers",
                fix=f"Choose one of {', '.join(map(repr, text))}"
                if text
                else "Store the sentences as strings",
                where=name,
            )
        _check_parquet_size(metadata, field.name, name)
        # Kept as a dictionary, a value that stands in 10^8 rows takes its memory once.
        again = pq.ParquetFile(stream, read_dictionary=[field.name] if column in text else None)
        number = 0
        try:
            for batch in again.iter_batches(batch_size=_BATCH_ROWS, columns=[field.name], use_threads=False):
                # Asked for by name: a nested column may answer to the same path.
                for value in batch.column(batch.schema.get_field_index(field.name)):
                    number += 1
                    plain = value.as_py()
                    yield f"{name}, row {number}", None if plain is None else str(plain)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _parquet_broken(name, error) from error

    return Table(columns, text, rows, known_rows=metadata.num_rows)


def _check_parquet_size(metadata: Any, column: str, name: str) -> None:
    """Refuse a column that says it is huge; one that lies is stopped by the budget of kept text."""
    size = 0
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            size += chunk.total_uncompressed_size if chunk.path_in_schema == column else 0
    if size > _MAX_COLUMN_BYTES:
        raise DataFileError(
            "column-too-large",
            f"Column {column!r} takes {size // 1_000_000:,} MB unpacked",
            expected=f"at most {_MAX_COLUMN_BYTES // 1_000_000} MB",
            fix="Write a file with fewer rows",
            where=name,
        )


def _parquet_broken(name: str, error: Exception) -> DataFileError:
    return DataFileError(
        "parquet-broken",
        f"It cannot be read as Parquet ({type(error).__name__})",
        expected="a whole Parquet file",
        fix="Write or copy it again",
        where=name,
    )


def _is_string(types: Any, kind: Any) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_number(types: Any, kind: Any) -> bool:
    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind)
    )
