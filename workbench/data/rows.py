"""What a row of a data set holds, whatever its form: its texts and its label."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from workbench.errors import InvalidTypeError, InvalidValueError

LABEL_COLUMNS = ("label", "labels", "class")
"""Columns that hold the class of a row, the first that stands there counts."""


def row_texts(row: object) -> tuple[str, ...]:
    """The texts of a row: an ``InputExample``, one text, a sequence, or a mapping from column to value.

    What is no text (a label, a number) is left out; lists of texts count as so many texts.

    Raises:
        InvalidTypeError: No text is there.
    """
    values: Iterable[Any]
    if isinstance(row, str):
        return (row,)
    if hasattr(row, "texts"):
        values = row.texts
    elif isinstance(row, Mapping):
        values = row.values()
    elif isinstance(row, Sequence):
        values = row
    else:
        values = ()
    texts: list[str] = []
    for value in values:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list | tuple):
            texts.extend(part for part in value if isinstance(part, str))
    if not texts:
        raise InvalidTypeError(
            "row-without-texts",
            f"a {type(row).__name__} without a text: {repr(row)[:60]}",
            expected="an InputExample, a text, a sequence of texts, or a dict with columns of text",
        )
    return tuple(texts)


def row_label(row: object, columns: Sequence[str] = LABEL_COLUMNS) -> Hashable:
    """The class of a row: ``label`` of an ``InputExample``, a column of a mapping, the end of a sequence.

    Raises:
        InvalidTypeError: No label is there, or one that is no single value.
    """
    label: Any = None
    if hasattr(row, "label"):
        label = row.label
    elif isinstance(row, Mapping):
        label = next((row[column] for column in columns if column in row), None)
    elif isinstance(row, list | tuple) and len(row) > 1:
        label = row[-1]
    # A tensor or an array of one number is not equal, as a key, to the next one of the same number.
    if hasattr(label, "item") and getattr(label, "size", None) is not None:
        label = label.item() if getattr(label, "ndim", 0) == 0 else None
    if label is None or not isinstance(label, Hashable):
        raise InvalidTypeError(
            "row-without-label",
            f"a {type(row).__name__} without a single label: {repr(row)[:60]}",
            expected=f"an InputExample, or a dict with one of the columns {', '.join(columns)}",
            fix="Name the column that holds the class",
        )
    return label


def folded(text: str) -> str:
    """White space at the ends and case aside: what upstream's loader without duplicates compares."""
    return text.strip().lower()


def require_rows(dataset: Any, where: str) -> int:
    """How many rows a data set has.

    Raises:
        InvalidTypeError: It has no length: an iterable data set cannot be drawn from by number.
        InvalidValueError: It is empty.
    """
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise InvalidTypeError(
            "dataset-without-rows",
            f"a {type(dataset).__name__} came, whose rows cannot be counted and drawn by number",
            expected="a list of InputExample, or a data set with a length",
            fix="Wrap it in list(...)",
            where=where,
        )
    rows = len(dataset)
    if rows == 0:
        raise InvalidValueError("dataset-empty", "no row came", expected="at least one", where=where)
    return rows


def each_row(dataset: Any) -> Iterator[Any]:
    """The rows of a data set in their order.

    By number where it cannot be walked over: Python would go on until an ``IndexError`` that may never come.
    """
    return iter(dataset) if hasattr(dataset, "__iter__") else (dataset[row] for row in range(len(dataset)))
