"""The checks that losses make of their columns and labels, each where the value is used."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, UnknownNameError
from workbench.losses.needs import DataNeeds


def check_columns(embeddings: Sequence[Tensor], needs: DataNeeds, where: str) -> int:
    """Hold the columns of a batch to what a loss needs.

    Args:
        embeddings: One tensor a column. Shape ``(batch, dim)`` each.
        needs: What the loss needs.
        where: Name of the loss, for the message.

    Returns:
        Rows of the batch.

    Raises:
        ShapeMismatchError: Too few or too many columns, columns of different shapes, or no rows.
    """
    check_count(len(embeddings), needs, where)
    shapes = {tuple(column.shape) for column in embeddings}
    if len(shapes) > 1 or embeddings[0].ndim != 2:
        came = ", ".join(str(tuple(column.shape)) for column in embeddings)
        raise ShapeMismatchError(
            "loss-shapes",
            f"embeddings of shapes {came}",
            expected="one shape (batch, dim) for all columns",
            where=where,
        )
    if not len(embeddings[0]):
        raise ShapeMismatchError("loss-empty-batch", "a batch without rows", expected="a row", where=where)
    return len(embeddings[0])


def check_count(columns: int, needs: DataNeeds, where: str) -> None:
    """Hold the number of text columns to what a loss needs.

    Raises:
        ShapeMismatchError: Too few or too many.
    """
    most = needs.most_columns
    if columns < needs.least_columns or (most is not None and columns > most):
        raise ShapeMismatchError(
            "loss-columns",
            f"{columns} text columns",
            expected=f"the columns {', '.join(needs.columns)}",
            fix="Give the columns by their roles, or choose a loss for the columns there are",
            where=where,
        )


def given_labels(labels: Tensor | None, where: str) -> Tensor:
    """The labels, which this loss cannot do without.

    Raises:
        InvalidValueError: There are none.
        InvalidTypeError: They are no tensor.
    """
    if labels is None:
        raise InvalidValueError(
            "labels-missing", "No labels came", expected="one label a row", where=f"{where}, labels"
        )
    if not isinstance(labels, Tensor):
        raise InvalidTypeError(
            "labels-type", f"a {type(labels).__name__}", expected="a tensor", where=f"{where}, labels"
        )
    return labels


def row_labels(labels: Tensor | None, rows: int, where: str) -> Tensor:
    """One label a row. Shape ``(batch,)``, type kept.

    Raises:
        InvalidValueError: There are no labels.
        ShapeMismatchError: Another number of them than of rows.
    """
    given = given_labels(labels, where)
    if given.numel() != rows:
        raise ShapeMismatchError(
            "labels-count",
            f"{given.numel()} labels of shape {tuple(given.shape)}",
            expected=f"{rows}, one a row",
            where=f"{where}, labels",
        )
    return given.reshape(-1)


def binary_labels(labels: Tensor | None, rows: int, where: str) -> Tensor:
    """One label a row, each 0 or 1. Shape ``(batch,)``, int64.

    Raises:
        InvalidValueError: A label that is neither.
        ShapeMismatchError: Another number of labels than of rows.
    """
    flat = row_labels(labels, rows, where)
    _refuse_rows(flat, (flat != 0) & (flat != 1), "label-not-binary", "0 or 1", where)
    return flat.long()


def class_labels(labels: Tensor | None, rows: int, where: str, classes: int | None = None) -> Tensor:
    """One class a row. Shape ``(batch,)``, int64.

    Args:
        labels: What came.
        rows: Rows of the batch.
        where: Name of the loss, for the message.
        classes: How many there are; None for any whole number.

    Raises:
        InvalidTypeError: Labels that are no whole numbers by type.
        InvalidValueError: A label below 0 or not below ``classes``.
        ShapeMismatchError: Another number of labels than of rows.
    """
    flat = row_labels(labels, rows, where)
    if flat.is_floating_point() or flat.is_complex():
        raise InvalidTypeError(
            "label-not-a-class",
            f"labels of type {str(flat.dtype).removeprefix('torch.')}",
            expected="whole numbers that name a class",
            fix="Convert them with .long() where each is a class; for scores choose a loss that takes scores",
            where=f"{where}, labels",
        )
    if classes is not None:
        # On a GPU an index out of range would end the whole process's use of the device.
        expected = f"a class from 0 to {classes - 1}"
        _refuse_rows(flat, (flat < 0) | (flat >= classes), "label-out-of-range", expected, where)
    return flat.long()


def positive(value: float, name: str, where: str) -> float:
    """A finite number above zero.

    Raises:
        InvalidValueError: Anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidValueError(
            "argument-not-positive",
            f"{name} is {value!r}",
            expected="a finite number above 0",
            where=f"{where}, {name}",
        )
    return value


def one_of(value: object, known: Collection[object], name: str, where: str) -> None:
    """Refuse a name that is not in a list.

    Raises:
        UnknownNameError: The message lists the known ones.
    """
    if value not in known:
        listed = ", ".join(map(repr, known))
        raise UnknownNameError(
            "unknown-name", f"{name} is {value!r}", expected=f"one of {listed}", where=where
        )


def _refuse_rows(labels: Tensor, bad: Tensor, code: str, expected: str, where: str) -> None:
    if bool(bad.any()):
        rows = torch.nonzero(bad).flatten().tolist()
        shown = ", ".join(f"row {row}: {labels[row].item()}" for row in rows[:3])
        raise InvalidValueError(
            code,
            f"{len(rows)} of {len(labels)} labels ({shown})",
            expected=expected,
            fix="Correct these labels, or choose a loss that takes them",
            where=f"{where}, labels",
        )
