"""Labelled data that is in memory already: pandas frames and lists of dicts."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.data.labelled_table import MAX_TABLE_BYTES, LabelledTable, TableSource, keep_rows
from workbench.data.tables import Record, checked_columns
from workbench.errors import DataFileError, InvalidTypeError


def table_from_records(
    records: Iterable[Mapping[str, Any]], name: str = "records", *, max_bytes: int = MAX_TABLE_BYTES
) -> LabelledTable:
    """Read a list of dicts that all have the same keys.

    Args:
        records: Values are texts, numbers, booleans, lists of numbers, or None for none.
        name: For errors.
        max_bytes: Memory that the rows may take.

    Raises:
        InvalidTypeError: Something other than dicts came.
        DataFileError: Keys differ, a value cannot be read, too much, or no row.
    """
    if isinstance(records, str | bytes | Mapping) or not isinstance(records, Iterable):
        raise InvalidTypeError(
            "records-not-a-list", f"A {type(records).__name__}", expected="a list of dicts", where=name
        )
    walk = enumerate(records, 1)
    first = next(walk, None)
    if first is None:
        raise DataFileError("table-without-rows", "No row", expected="at least one row of data", where=name)
    keys = _checked_record(first, name).keys()
    columns = checked_columns([str(key) for key in keys], name)

    def rows() -> Iterator[Record]:
        yield first[0], _values(first[1], keys, name, first[0])
        for number, record in walk:
            if _checked_record((number, record), name).keys() != keys:
                odd = sorted(map(str, record.keys() ^ keys))
                raise DataFileError(
                    "row-keys-differ",
                    f"Keys that only this row or only the first has: {', '.join(map(repr, odd[:5]))}",
                    expected="the same keys in every row",
                    where=f"{name}, row {number}",
                )
            yield number, _values(record, keys, name, number)

    return keep_rows(rows(), columns, TableSource(name), max_bytes=max_bytes)


def _checked_record(numbered: tuple[int, object], name: str) -> Mapping[str, Any]:
    number, record = numbered
    if not isinstance(record, Mapping):
        raise InvalidTypeError(
            "record-not-a-dict",
            f"A {type(record).__name__}",
            expected="a dict from column to value",
            where=f"{name}, row {number}",
        )
    return record


def _values(record: Mapping[str, Any], keys: Iterable[str], name: str, number: int) -> tuple[str | None, ...]:
    return tuple([cell_text(record[key], str(key), f"{name}, row {number}") for key in keys])


def table_from_pandas(
    frame: Any, name: str = "data frame", *, max_bytes: int = MAX_TABLE_BYTES
) -> LabelledTable:
    """Read a pandas frame; its index is left alone, and what pandas counts as missing is missing.

    Args:
        frame: A ``pandas.DataFrame`` with one level of columns.
        name: For errors.
        max_bytes: Memory that the rows may take.

    Raises:
        InvalidTypeError: No frame came, or its columns have several levels.
        DataFileError: Two columns of one name, a value that cannot be read, too much, or no row.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame) or frame.columns.nlevels != 1:
        raise InvalidTypeError(
            "frame-not-flat",
            f"A {type(frame).__name__}",
            expected="a pandas.DataFrame with one level of columns",
            where=name,
        )
    columns = checked_columns([str(column) for column in frame.columns], name)
    dated = [pd.api.types.is_datetime64_any_dtype(kind) for kind in frame.dtypes]
    kept = [index for index, is_date in enumerate(dated) if not is_date]
    if not kept:
        raise DataFileError(
            "columns-none", "No column holds texts or numbers", expected="at least one", where=name
        )
    # Column by column: row by row, pandas would make floats of a frame's whole numbers.
    lists = [frame.iloc[:, index].tolist() for index in kept]

    def rows() -> Iterator[Record]:
        for number, values in enumerate(zip(*lists, strict=True), 1):
            place = f"{name}, row {number}"
            yield (
                number,
                tuple(
                    [
                        cell_text(value, columns[index], place)
                        for index, value in zip(kept, values, strict=True)
                    ]
                ),
            )

    notices = [
        f"Left out column {columns[index]!r}: it holds {frame.dtypes.iloc[index]}."
        for index, is_date in enumerate(dated)
        if is_date
    ]
    chosen = tuple(columns[index] for index in kept)
    return keep_rows(rows(), chosen, TableSource(name), notices=notices, max_bytes=max_bytes)


def cell_text(value: Any, column: str, place: str) -> str | None:
    """Write a value as text: a number as Python writes it, a list of numbers as JSON does.

    Raises:
        DataFileError: ``value-not-text``.
    """
    if value is None or isinstance(value, str):
        # A subclass, such as numpy's, would keep its own repr.
        return None if value is None else str(value)
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return str(bool(value))
    if isinstance(value, numbers.Real):
        # NaN is how tables of numbers mark a missing value.
        if math.isnan(float(value)):
            return None
        return str(int(value)) if isinstance(value, numbers.Integral) else str(value)
    # pandas' missing values: asking them whether they are true raises.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    listed = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(listed, Sequence) and not isinstance(listed, str | bytes):
        parts = list(listed)
        if all(isinstance(one, numbers.Real) and not isinstance(one, bool) for one in parts):
            return f"[{', '.join(str(one) for one in parts)}]"
    raise DataFileError(
        "value-not-text",
        f"A value of type {type(value).__name__} in column {column!r}",
        expected="a text, a number, a list of numbers, or nothing",
        fix="Leave the column out, or turn its values into texts",
        where=place,
    )
