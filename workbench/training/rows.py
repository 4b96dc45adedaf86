"""Holding rows to what a loss needs of them: texts, labels, and something to learn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.losses.checks import check_count
from workbench.losses.needs import DataNeeds, LabelKind

# Rows named in an error; more would bury the first.
_NAMED = 3
# Losses see float32: a number that is finite in Python may be infinite there.
_LARGEST = float(np.finfo(np.float32).max)


def check_alike(rows: Sequence[InputExample], where: str = "batch") -> int:
    """Refuse rows with different numbers of texts, which a loss would read in the wrong columns.

    Returns:
        Texts a row.

    Raises:
        InvalidValueError: No rows.
        InvalidTypeError: A row that is no example.
        ShapeMismatchError: ``texts-differ``.
    """
    if not len(rows):
        raise InvalidValueError("training-set-empty", "no rows came", expected="at least one", where=where)
    for place, row in enumerate(rows):
        if not hasattr(row, "texts"):
            raise InvalidTypeError(
                "row-not-an-example",
                f"row {place} is a {type(row).__name__}",
                expected="InputExample(texts=[...], label=...)",
                where=where,
            )
    usual = len(rows[0].texts)
    other = [place for place, row in enumerate(rows) if len(row.texts) != usual]
    if other:
        named = ", ".join(f"row {place}: {len(rows[place].texts)}" for place in other[:_NAMED])
        raise ShapeMismatchError(
            "texts-differ",
            f"row 0 has {usual} texts, and {len(other)} rows have another number ({named})",
            expected="the same number in every row",
            fix="Complete or drop these rows, or train on them as an objective of their own",
            where=where,
        )
    return usual


def check_rows(rows: Sequence[InputExample], needs: DataNeeds, where: str) -> None:
    """Hold rows to a loss: number of texts, and every label's kind and range.

    Args:
        rows: A batch, or the whole set.
        needs: What the loss needs.
        where: Name of the loss, and what the row numbers count in.

    Raises:
        InvalidValueError: ``label-missing``, ``label-not-finite``, ``label-out-of-range``,
            ``label-not-binary``.
        InvalidTypeError: ``label-not-a-number``, ``label-not-a-class``.
        ShapeMismatchError: ``texts-differ``, ``loss-columns``.
    """
    check_count(check_alike(rows, where), needs, where)
    check_labels([row.label for row in rows], needs, where)


def check_labels(labels: Sequence[Any], needs: DataNeeds, where: str) -> None:
    """Hold labels to a loss; errors as `check_rows`."""
    if needs.labels == "none":
        return
    _refuse(labels, lambda label: label is None, "label-missing", needs, where)
    _refuse(labels, _not_numbers, "label-not-a-number", needs, where)
    _refuse(labels, _not_finite, "label-not-finite", needs, where)
    if needs.labels == "binary":
        _refuse(labels, _not_binary, "label-not-binary", needs, where)
    if any(np.shape(label) for label in labels):
        # A list under a loss of classes is a distribution over them, which the loss itself checks.
        return
    if needs.labels == "class":
        _refuse(labels, _not_whole, "label-not-a-class", needs, where)
    if needs.label_range is not None:
        low, high = needs.label_range
        _refuse(labels, lambda label: not low <= float(label) <= high, "label-out-of-range", needs, where)


def rescaling(labels: Sequence[Any], label_range: tuple[float, float]) -> str:
    """How to bring scores into a range, as an instruction."""
    values = [float(label) for label in labels if not np.shape(label)]
    low, high = min(values), max(values)
    # A scale is known by its ends: 4.8 is the top of a sample of scores from 0 to 5.
    top = next((end for end in (5, 10, 100) if high <= end), math.ceil(high))
    if low >= 0:
        return f"Rescale them to 0 to 1, such as label / {top} where the scale goes from 0 to {top}"
    return f"Rescale them to {label_range[0]:g} to {label_range[1]:g}"


_EXPECTED: dict[LabelKind, str] = {
    "none": "no label",
    "score": "one number a row",
    "binary": "0 or 1",
    "class": "a whole number that names a class",
    "margins": "a number, or a list with one a negative",
    "scores": "a list of numbers, one a candidate",
    "vector": "the numbers of an embedding",
}
_TYPE_ERRORS = frozenset({"label-not-a-number", "label-not-a-class"})


def _refuse(
    labels: Sequence[Any], bad: Callable[[Any], bool], code: str, needs: DataNeeds, where: str
) -> None:
    rows = [row for row, label in enumerate(labels) if bad(label)]
    if not rows:
        return
    named = ", ".join(f"row {row}: {repr(labels[row])[:40]}" for row in rows[:_NAMED])
    expected = _EXPECTED[needs.labels]
    fix = "Correct or drop these rows, or choose a loss that takes such labels"
    if needs.label_range is not None:
        low, high = needs.label_range
        expected += f", from {low:g} to {high:g}"
        if code == "label-out-of-range" and needs.labels == "score":
            fix = rescaling(labels, needs.label_range)
    kind = InvalidTypeError if code in _TYPE_ERRORS else InvalidValueError
    raise kind(
        code,
        f"{len(rows)} of {len(labels)} labels ({named})",
        expected=expected,
        fix=fix,
        where=f"{where}, labels",
    )


def _array(label: Any) -> Any:
    return label.detach().cpu().numpy() if isinstance(label, Tensor) else np.asarray(label)


def _not_numbers(label: Any) -> bool:
    if isinstance(label, int | float):
        return False
    try:
        return _array(label).dtype.kind not in "biuf"
    except (ValueError, TypeError):
        return True


def _not_finite(label: Any) -> bool:
    if isinstance(label, int | float):
        return not -_LARGEST <= label <= _LARGEST
    return not bool(np.isfinite(_array(label)).all())


def _not_binary(label: Any) -> bool:
    if isinstance(label, int | float):
        return label not in (0, 1)
    values = _array(label)
    return bool(values.shape) or values.item() not in (0, 1)


def _not_whole(label: Any) -> bool:
    if isinstance(label, int | float):
        return isinstance(label, float)
    return _array(label).dtype.kind not in "biu"
