"""Reader of Parquet files that trusts neither their footer nor their size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from workbench.data.tables import Record, Table, checked_columns
from workbench.errors import DataFileError

# Rows decoded at once: with values of at most 1 MB a batch stays within 64 MB.
_BATCH_ROWS = 64
_MAX_GROUP_BYTES = 256_000_000


def read_parquet(stream: BinaryIO, name: str, encoding: str | None = None) -> Table:
    """Text columns as they are, numbers as text; only the chosen columns are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if encoding is not None:
        raise DataFileError(
            "encoding-without-use",
            f"encoding={encoding!r} for a Parquet file, whose texts are always UTF-8",
            fix="Leave the argument encoding out",
            where=name,
        )
    try:
        file = pq.ParquetFile(
            stream, thrift_string_size_limit=10_000_000, thrift_container_size_limit=100_000
        )
        schema = file.schema_arrow
        metadata = file.metadata
        names = list(schema.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _parquet_broken(name, error) from error
    columns = checked_columns(names, name)
    text = tuple(
        column for column, field in zip(columns, schema, strict=True) if _is_string(pa.types, field.type)
    )

    unreadable = tuple(
        (column, str(field.type))
        for column, field in zip(columns, schema, strict=True)
        if column not in text and not _is_number(pa.types, field.type)
    )
    numbers = {
        column for column, field in zip(columns, schema, strict=True) if _is_numbers(pa.types, field.type)
    }

    def records(wanted: tuple[str, ...], text_only: bool) -> Iterator[Record]:
        fields = [schema.field(columns.index(column)) for column in wanted]
        for column, field in zip(wanted, fields, strict=True):
            if column in dict(unreadable) and (text_only or column not in numbers):
                raise _not_text(column, str(field.type), text, name)
        chosen = [field.name for field in fields]
        _check_parquet_size(metadata, name)
        # Kept as a dictionary, a value that stands in 10^8 rows takes its memory once.
        words = [field.name for column, field in zip(wanted, fields, strict=True) if column in text]
        number = 0
        try:
            again = pq.ParquetFile(stream, read_dictionary=words)
            for batch in again.iter_batches(batch_size=_BATCH_ROWS, columns=chosen, use_threads=False):
                # Asked for by name: a nested column may answer to the same path.
                found = [batch.column(batch.schema.get_field_index(field)) for field in chosen]
                for values in zip(*found, strict=True):
                    number += 1
                    yield number, tuple(_as_text(value.as_py()) for value in values)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _parquet_broken(name, error) from error

    return Table(
        name,
        columns,
        text,
        records,
        unit="row",
        unreadable=tuple(entry for entry in unreadable if entry[0] not in numbers),
        known_rows=metadata.num_rows,
    )


def _as_text(value: Any) -> str | None:
    # The texts of a list's numbers, as JSON writes them; a plain list's repr is just that.
    return None if value is None else str(value)


def _not_text(column: str, kind: str, text: tuple[str, ...], name: str) -> DataFileError:
    return DataFileError(
        "column-not-text",
        f"Column {column!r} holds {kind}",
        expected="texts or numbers",
        fix=f"Choose one of {', '.join(map(repr, text))}" if text else "Store the sentences as strings",
        where=name,
    )


def _check_parquet_size(metadata: Any, name: str) -> None:
    """Refuse a row group that says it is huge; one that lies is stopped by the budget of kept text.

    Only the sum over all columns is asked for: pyarrow ends the whole process where the entry of a single
    column is malformed (`RowGroupMetaData.column`: a C++ exception that nothing catches).
    """
    sizes = [metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)]
    largest = max(sizes, default=0)
    if largest > _MAX_GROUP_BYTES:
        raise DataFileError(
            "column-too-large",
            f"Its columns take {largest // 1_000_000:,} MB unpacked in one row group",
            expected=f"at most {_MAX_GROUP_BYTES // 1_000_000} MB",
            fix="Write a file with fewer rows a group, or with the needed columns alone",
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


def _is_numbers(types: Any, kind: Any) -> bool:
    """A list of numbers: a teacher's scores, or an embedding."""
    lists = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(lists and (types.is_integer(kind.value_type) or types.is_floating(kind.value_type)))
