"""Checks of the raw values of controls: API callers may send anything."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import InvalidTypeError, InvalidValueError


def text_of(value: object, where: str, limit: int) -> str:
    """A text of at most ``limit`` characters; empty where nothing came.

    Raises:
        InvalidTypeError: ``not-text``.
        InvalidValueError: ``text-too-long``.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidTypeError("not-text", f"a {type(value).__name__}", expected="text", where=where)
    if len(value) > limit:
        raise InvalidValueError(
            "text-too-long", f"{len(value):,} characters", expected=f"at most {limit:,}", where=where
        )
    return value


def choice_of(value: object, known: Sequence[str], where: str) -> str:
    """One of the known values.

    Raises:
        InvalidValueError: ``unknown-choice``.
    """
    if not isinstance(value, str) or value not in known:
        raise InvalidValueError(
            "unknown-choice", f"{str(value)[:80]!r}", expected=f"one of {', '.join(known)}", where=where
        )
    return value


def number_of(value: object, where: str) -> float:
    """A number, or a text that is one.

    Raises:
        InvalidValueError: ``not-a-number``.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        return float(value)
    except ValueError:
        raise InvalidValueError(
            "not-a-number", f"{str(value)[:60]!r}", expected="a number, such as 2e-5", where=where
        ) from None


def whole_of(value: object, where: str) -> int:
    """A whole number.

    Raises:
        InvalidValueError: ``not-a-number``, ``not-whole``.
    """
    number = number_of(value, where)
    if not number.is_integer():
        raise InvalidValueError("not-whole", f"{value}", expected="a whole number", where=where)
    return int(number)


def maybe_whole_of(value: object, where: str) -> int | None:
    """A whole number, or None where the control is empty; raises as ``whole_of``."""
    return None if value is None or (isinstance(value, str) and not value.strip()) else whole_of(value, where)


def shown(value: int | None) -> str:
    """What the control of a number that may be missing shows."""
    return "" if value is None else str(value)
