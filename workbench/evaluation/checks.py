"""What evaluators ask of their data: texts, columns of one length, labels, gold scores."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.data.texts import check_texts
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, WorkbenchError

# Rows named in an error; more would bury the first.
_NAMED_ROWS = 5


def require_texts(texts: object, name: str) -> list[str]:
    """Texts as strings, lone surrogates replaced.

    Raises:
        InvalidTypeError: No list, or a row that is no string; names the column.
    """
    try:
        return check_texts(texts).texts
    except WorkbenchError as error:
        raise type(error)(
            error.code, error.came, expected=error.expected, fix=error.fix, where=name
        ) from None


def require_equal_lengths(**columns: Sequence[Any]) -> int:
    """The common length of columns.

    Raises:
        ShapeMismatchError: They differ; names each with its length.
        InvalidValueError: They are empty.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeMismatchError(
            "columns-differ-in-length",
            ", ".join(f"{count:,} {name}" for name, count in lengths.items()),
            expected="one row of each an example",
        )
    count = next(iter(lengths.values()))
    require_examples(count, 1, next(iter(lengths)))
    return count


def require_examples(count: int, least: int, name: str) -> None:
    """Refuse data on which no figure can be had.

    Raises:
        InvalidValueError: ``too-few-examples``.
    """
    if count < least:
        raise InvalidValueError(
            "too-few-examples",
            f"{count} came",
            expected=f"at least {least}, and some hundred for a figure that means something",
            where=name,
        )


def require_numbers(values: object, name: str) -> list[float]:
    """Finite numbers, such as gold scores.

    Raises:
        InvalidTypeError: A row that is no number, such as ``"1"``; rows are named.
        InvalidValueError: NaN or infinity; rows are named.
    """
    numbers = [_number(value) for value in _rows(values, name)]
    _refuse(
        InvalidTypeError,
        "label-not-a-number",
        [(row, value) for row, (value, number) in enumerate(numbers) if number is None],
        expected="numbers",
        fix="Turn the column into numbers, and drop rows without one",
        name=name,
    )
    found = [number for _, number in numbers if number is not None]
    _refuse(
        InvalidValueError,
        "label-not-finite",
        [(row, number) for row, number in enumerate(found) if not math.isfinite(number)],
        expected="finite numbers",
        fix="Drop the rows without a score",
        name=name,
    )
    return found


def require_binary(values: object, name: str) -> list[int]:
    """Labels that are 0 or 1.

    Raises:
        InvalidTypeError, InvalidValueError: Another label; rows are named.
    """
    numbers = require_numbers(values, name)
    _refuse(
        InvalidValueError,
        "label-not-binary",
        [(row, number) for row, number in enumerate(numbers) if number not in (0.0, 1.0)],
        expected="1 for related, 0 for unrelated",
        fix="For graded scores take EmbeddingSimilarityEvaluator, or cut them at a threshold",
        name=name,
    )
    return [int(number) for number in numbers]


def _rows(values: object, name: str) -> list[Any]:
    if isinstance(values, str | bytes | dict | set) or not isinstance(values, Iterable):
        raise InvalidTypeError(
            "labels-not-a-list", f"a {type(values).__name__} came", expected="a list of numbers", where=name
        )
    return list(values)


def _number(value: Any) -> tuple[Any, float | None]:
    """The value as it came, and as a number where it is one: Python's, numpy's or a tensor of one."""
    if isinstance(value, str | bytes) or value is None:
        return value, None
    try:
        return value, float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return value, None


def _refuse(
    kind: type[WorkbenchError],
    code: str,
    bad: list[tuple[int, Any]],
    *,
    expected: str,
    fix: str,
    name: str,
) -> None:
    if bad:
        named = ", ".join(f"row {row}: {repr(value)[:40]}" for row, value in bad[:_NAMED_ROWS])
        more = f" and {len(bad) - _NAMED_ROWS:,} more" if len(bad) > _NAMED_ROWS else ""
        raise kind(code, named + more, expected=expected, fix=fix, where=name)
