"""Labels of a table: text turned into the numbers that a loss expects, or refused with its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.data.column_contents import NUMBER, whole_number
from workbench.data.label_reading import NOT_FINITE, Reading, read_numbers, refuse_rows
from workbench.data.label_scales import Scale, find_scale, scale_bounds
from workbench.data.labelled_table import LabelledTable
from workbench.errors import InvalidValueError, UnknownNameError

_BINARY = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1}


@dataclass(frozen=True)
class Labels:
    """One label a row.

    Attributes:
        values: Floats for scores, whole numbers for classes, lists of floats for a teacher's.
        kind: What they were read as: a key of ``LABEL_KINDS``.
        scale: The scale that the scores came on; None for other kinds.
        classes: Name → number, where classes came by name; keep it for the next table.
        notices: What the user should be told.
    """

    values: tuple[Any, ...]
    kind: str
    scale: Scale | None = None
    classes: Mapping[str, int] | None = None
    notices: tuple[str, ...] = ()


def read_labels(
    table: LabelledTable,
    column: str,
    kind: str,
    *,
    label_range: tuple[float, float] | None = None,
    rescale: str | tuple[float, float] | None = None,
    decimal: str = ".",
    classes: Mapping[str, int] | None = None,
) -> Labels:
    """Read a column as the labels that a loss expects.

    Args:
        table: The data.
        column: The column of labels.
        kind: ``needs.labels`` of the loss: ``score``, ``binary``, ``class``, ``margins``, ``scores`` or
            ``vector``.
        label_range: ``needs.label_range`` of the loss: smallest and largest label.
        rescale: The scale that the scores are on, by name (``"0-5"``) or as two numbers; they become 0 to 1.
        decimal: ``","`` where numbers are written ``0,5``.
        classes: Name → number, as an earlier table gave it. Without it, names are numbered in sorted order,
            so that the order of rows makes no difference; whole numbers stay as they are.

    Raises:
        DataFileError: A label is missing, not finite, not of its kind, or out of range, with its rows.
        UnknownNameError: No such column, kind or scale.
        InvalidValueError: ``decimal`` is neither, or ``rescale`` came for labels that are no scores.
    """
    if kind not in LABEL_KINDS:
        raise UnknownNameError(
            "label-kind-unknown", f"{kind!r}", expected="one of " + ", ".join(LABEL_KINDS), where="kind"
        )
    if decimal not in (".", ","):
        raise InvalidValueError("decimal-unknown", f"{decimal!r}", expected="'.' or ','", where="decimal")
    if rescale is not None and kind != "score":
        raise InvalidValueError(
            "rescale-without-scores", f"Labels of kind {kind}", expected="scores", where="rescale"
        )
    reading = Reading(table, column, decimal, rescale, classes)
    values = table.column(column)
    refuse_rows(
        reading,
        [index for index, value in enumerate(values) if value is None or not value.strip()],
        "label-missing",
        "have no label",
        expected="a label in every row",
        fix="Fill them in or leave these rows out",
    )
    labels = LABEL_KINDS[kind](reading, [value or "" for value in values])
    if label_range is not None:
        _check_range(reading, labels, label_range)
    return labels


def _scores(reading: Reading, values: list[str]) -> Labels:
    numbers, percent = read_numbers(reading, values)
    scale = find_scale(numbers, percent)
    notices = [scale.reason]
    if reading.rescale is not None:
        low, high = scale_bounds(reading.rescale)
        refuse_rows(
            reading,
            [index for index, number in enumerate(numbers) if not low <= number <= high],
            "label-outside-scale",
            f"lie outside {low:g} to {high:g}",
            expected="scores on the scale that rescale names",
            fix=f'Use rescale="{scale.name}"' if scale.name else "Give the smallest and largest score",
        )
        numbers = [(number - low) / (high - low) for number in numbers]
        notices.append(f"Rescaled from {low:g} to {high:g} to 0 to 1.")
    return Labels(tuple(numbers), "score", scale, notices=tuple(notices))


def _binary(reading: Reading, values: list[str]) -> Labels:
    if reading.classes is not None:
        return _by_mapping(reading, values, reading.classes, "binary")
    found = [_BINARY.get(_whole_text(value).lower()) for value in values]
    refuse_rows(
        reading,
        [index for index, label in enumerate(found) if label is None],
        "label-not-binary",
        "are neither 0 nor 1",
        expected="0 or 1, false or true, no or yes",
        fix='Name them with classes, such as {"different": 0, "same": 1}, or take a loss for scores',
    )
    return Labels(tuple(found), "binary")


def _whole_text(value: str) -> str:
    """Write ``1.0`` as ``1``, as tables of floats hold whole numbers."""
    number = whole_number(value)
    return value.strip() if number is None else str(number)


def _classes(reading: Reading, values: list[str]) -> Labels:
    if reading.classes is not None:
        return _by_mapping(reading, values, reading.classes, "class")
    found = [whole_number(value) for value in values]
    other = [index for index, number in enumerate(found) if number is None]
    numeric = sum(bool(NUMBER.fullmatch(value)) or value.strip().lower() in NOT_FINITE for value in values)
    # Mostly numbers: the odd ones are mistakes. Mostly words: a class may well be called "7".
    if numeric * 2 > len(values):
        refuse_rows(
            reading,
            other,
            "label-not-a-class",
            "are no whole numbers",
            expected="whole numbers, or a name for every class",
            fix="Correct these rows, take a loss for scores, or number the classes with classes={…}",
        )
        return Labels(tuple(found), "class")
    names = {name: number for number, name in enumerate(sorted({value.strip() for value in values}))}
    labels = _by_mapping(reading, values, names, "class")
    told = f"Numbered {len(names):,} classes in sorted order, from {next(iter(names))!r} = 0 on."
    return Labels(labels.values, "class", classes=names, notices=(told,))


def _by_mapping(reading: Reading, values: list[str], classes: Mapping[str, int], kind: str) -> Labels:
    names = [value.strip() if value.strip() in classes else _whole_text(value) for value in values]
    shown = ", ".join(map(repr, list(classes)[:8])) + (", …" if len(classes) > 8 else "")
    refuse_rows(
        reading,
        [index for index, name in enumerate(names) if name not in classes],
        "label-class-unknown",
        "name a class that is not known",
        expected=f"one of {shown}",
        fix="Add the class, or leave these rows out",
    )
    return Labels(tuple(int(classes[name]) for name in names), kind, classes=dict(classes))


def _lists(kind: str, bare_numbers: bool) -> Callable[[Reading, list[str]], Labels]:
    """A reader of one list of numbers a row, all of one length; a bare number where that is one, too."""

    def read(reading: Reading, values: list[str]) -> Labels:
        if bare_numbers and not any(value.lstrip().startswith("[") for value in values):
            numbers, _ = read_numbers(reading, values)
            return Labels(tuple(numbers), kind)
        found = [_number_list(value) for value in values]
        refuse_rows(
            reading,
            [index for index, numbers in enumerate(found) if numbers is None],
            "label-not-a-list",
            "are no list of finite numbers",
            expected="lists such as [0.9, 0.1]",
            fix="Correct these rows or leave them out",
        )
        width = len(found[0] or ())
        refuse_rows(
            reading,
            [index for index, numbers in enumerate(found) if len(numbers or ()) != width],
            "label-lengths-differ",
            f"have another number of values than the first, which has {width}",
            expected="lists of one length",
            fix="Correct these rows or leave them out",
        )
        return Labels(tuple(found), kind)

    return read


def _number_list(value: str) -> list[float] | None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not found:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in found):
        return None
    numbers = [float(one) for one in found]
    return numbers if all(map(math.isfinite, numbers)) else None


LABEL_KINDS: dict[str, Callable[[Reading, list[str]], Labels]] = {
    "score": _scores,
    "binary": _binary,
    "class": _classes,
    "margins": _lists("margins", bare_numbers=True),
    "scores": _lists("scores", bare_numbers=False),
    "vector": _lists("vector", bare_numbers=False),
}


def _check_range(reading: Reading, labels: Labels, label_range: tuple[float, float]) -> None:
    low, high = label_range
    scale = labels.scale.name if labels.scale else None
    fix = "Correct these rows, or take another loss"
    if labels.kind == "score" and reading.rescale is None and scale is not None:
        fix = f'Rescale them with rescale="{scale}"'
    elif labels.kind == "class":
        fix = "Number the classes from 0 on with classes={…}, or raise the loss's number of labels"
    bad = [index for index, label in enumerate(labels.values) if not _within(label, low, high)]
    came = f"lie outside {low:g} to {high:g}"
    refuse_rows(reading, bad, "label-out-of-range", came, expected="labels that the loss can take", fix=fix)


def _within(label: Any, low: float, high: float) -> bool:
    return all(low <= one <= high for one in (label if isinstance(label, list) else [label]))
