"""Checking a list of texts once, where it enters: what is refused, what was changed and counted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.errors import InvalidTypeError, InvalidValueError

# Rows named in an error; more would bury the first.
_NAMED_ROWS = 5


@dataclass(frozen=True)
class CheckedTexts:
    """Texts that may be tokenised.

    Attributes:
        texts: The texts in the order given.
        empty: How many have no visible character.
        replaced_surrogates: How many held a lone surrogate, now U+FFFD. A tokenizer cannot read one.
    """

    texts: list[str]
    empty: int
    replaced_surrogates: int


def check_texts(texts: object, *, limit: int | None = None, strict: bool = False) -> CheckedTexts:
    """Admit a sequence of strings, or say which rows are none.

    Args:
        texts: A list, a tuple, or a one-dimensional array, Series or column of strings.
        limit: Largest number of texts; None for no limit.
        strict: Refuse lone surrogates instead of replacing them.

    Raises:
        InvalidTypeError: Not a sequence, or a row that is no string (None, a number, bytes, a pair, …).
        InvalidValueError: More rows than ``limit``, or a lone surrogate under ``strict``.
    """
    rows = _rows(texts)
    if limit is not None and len(rows) > limit:
        raise InvalidValueError(
            "too-many-texts",
            f"{len(rows):,} texts came",
            expected=f"at most {limit:,}",
            fix="Send fewer, or encode them in parts from Python",
        )
    bad = [index for index, row in enumerate(rows) if not isinstance(row, str)]
    if bad:
        raise _not_text(rows, bad)
    return _clean(rows, strict)


def replace_surrogates(text: str) -> str:
    """Put U+FFFD where a lone surrogate stands: such a string has no UTF-8 form."""
    return "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)


def is_blank(text: str) -> bool:
    """Whether a text has no visible character: empty, white space, control and format characters only."""
    return all(char.isspace() or unicodedata.category(char) in ("Cc", "Cf") for char in text)


def _rows(texts: object) -> Sequence[object]:
    if isinstance(texts, list | tuple):
        return texts
    if isinstance(texts, str | bytes | dict | set | frozenset):
        raise InvalidTypeError(
            "texts-not-a-list",
            f"A {type(texts).__name__} came",
            expected="a list of strings",
            fix="Put the texts into a list; a set has no order to give the embeddings back in",
        )
    # numpy arrays, pandas Series (whatever their index), torch-free columns.
    shape = getattr(texts, "shape", None)
    if shape is not None and len(shape) != 1:
        raise InvalidTypeError(
            "texts-not-one-dimensional",
            f"An array of shape {tuple(shape)} came",
            expected="a one-dimensional sequence of strings",
            fix="Select one column, or flatten it",
        )
    to_list = getattr(texts, "tolist", None)
    if shape is not None and callable(to_list):
        return list(to_list())
    if isinstance(texts, Sequence):
        return texts
    if isinstance(texts, Iterable):
        raise InvalidTypeError(
            "texts-not-a-list",
            f"A {type(texts).__name__} came, which can be read only once",
            expected="a list of strings",
            fix="Wrap it in list(...)",
        )
    raise InvalidTypeError(
        "texts-not-a-list",
        f"A {type(texts).__name__} came",
        expected="a list of strings",
        fix="Put the texts into a list",
    )


def _not_text(rows: Sequence[object], bad: list[int]) -> InvalidTypeError:
    named = ", ".join(f"row {index}: {_describe(rows[index])}" for index in bad[:_NAMED_ROWS])
    more = f" and {len(bad) - _NAMED_ROWS:,} more" if len(bad) > _NAMED_ROWS else ""
    pairs = any(isinstance(rows[index], list | tuple) for index in bad)
    fix = (
        "Encode the two sides of a pair as two lists"
        if pairs
        else "Drop missing rows, and turn other values into text with str(...)"
    )
    return InvalidTypeError(
        "text-not-a-string",
        f"{len(bad):,} of {len(rows):,} rows are no text: {named}{more}",
        expected="strings",
        fix=fix,
    )


def _describe(value: object) -> str:
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 40 else shown[:37] + '...'}"


def _clean(rows: Sequence[object], strict: bool) -> CheckedTexts:
    texts: list[str] = []
    replaced = 0
    empty = 0
    for index, row in enumerate(rows):
        text = str(row)
        # Encoding is the cheap test for a lone surrogate: it runs in C.
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            if strict:
                raise InvalidValueError(
                    "lone-surrogate",
                    f"Row {index} holds a lone surrogate at character {error.start}",
                    expected="valid Unicode text",
                    fix="Repair the decoding of the file it came from",
                ) from None
            text = replace_surrogates(text)
            replaced += 1
        if is_blank(text):
            empty += 1
        texts.append(text)
    return CheckedTexts(texts, empty, replaced)
