"""What the values of a column look like: numbers, texts, or the names of a few classes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["empty", "whole numbers", "numbers", "lists of numbers", "classes", "texts"]

_LOOKED_AT = 2000
_MOSTLY = 0.9
_CLASS_CHARS = 40
# The last group is the percent sign: "87%".
NUMBER = re.compile(r"\s*([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class Contents:
    """A column at a glance.

    Attributes:
        kind: What most of its values are.
        distinct: How many different values the rows looked at hold.
        rows: How many rows were looked at, those without a value left out.
        mean_length: Characters a value.
    """

    kind: Kind
    distinct: int
    rows: int
    mean_length: float


def look_at(values: Sequence[str | None]) -> Contents:
    """Judge a column by its first 2,000 rows."""
    seen = [value for value in values[:_LOOKED_AT] if value is not None and value.strip()]
    if not seen:
        return Contents("empty", 0, 0, 0.0)
    distinct = len(set(seen))
    mean_length = sum(map(len, seen)) / len(seen)
    return Contents(_kind(seen, distinct, mean_length), distinct, len(seen), mean_length)


def _kind(seen: list[str], distinct: int, mean_length: float) -> Kind:
    whole = sum(whole_number(value) is not None for value in seen)
    numeric = sum(bool(NUMBER.fullmatch(value)) for value in seen)
    if numeric >= _MOSTLY * len(seen):
        return "whole numbers" if whole >= _MOSTLY * len(seen) else "numbers"
    if sum(
        value.lstrip().startswith("[") and value.rstrip().endswith("]") for value in seen
    ) >= _MOSTLY * len(seen):
        return "lists of numbers"
    repeated = distinct <= len(seen) / 2 or (distinct < len(seen) and len(seen) <= 20)
    return "classes" if repeated and mean_length <= _CLASS_CHARS else "texts"


def whole_number(value: str) -> int | None:
    """The whole number that a value is, be it written ``3``, ``3.0`` or ``-1``; None for any other."""
    match = NUMBER.fullmatch(value)
    if match is None or match[2]:
        return None
    try:
        return int(match[1])
    except ValueError:
        # Only now by way of float: an id of 19 digits would change.
        number = math.nan if "," in match[1] else float(match[1])
    return int(number) if math.isfinite(number) and number.is_integer() else None
