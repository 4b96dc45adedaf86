"""One training or evaluation example: texts, their label, and an id."""

from __future__ import annotations

from typing import Any

from workbench.errors import InvalidTypeError, InvalidValueError


class InputExample:
    """Texts that belong together, as the classic training takes them.

    Args:
        guid: Id of the example; nothing here reads it.
        texts: One text, a pair, a triplet, …; at least one string.
        label: What the loss expects: a score, a class, or a list of numbers. Checked against the loss.

    Raises:
        InvalidTypeError: ``texts`` is no list, or one of them is no string.
        InvalidValueError: ``texts`` is empty.

    Source: sentence-transformers' ``InputExample``, which lets every value pass.
    """

    def __init__(self, guid: str = "", texts: list[str] | None = None, label: Any = 0) -> None:
        self.guid = guid
        self.texts = _checked(texts)
        self.label = label

    def __str__(self) -> str:
        return f"<InputExample> label: {self.label}, texts: {'; '.join(self.texts)}"

    def __repr__(self) -> str:
        return f"InputExample(guid={self.guid!r}, texts={self.texts!r}, label={self.label!r})"


def _checked(texts: object) -> list[str]:
    if not isinstance(texts, list | tuple):
        raise InvalidTypeError(
            "example-texts-not-a-list",
            f"texts is {'missing' if texts is None else f'a {type(texts).__name__}'}",
            expected="a list of strings, such as ['a sentence', 'another one']",
            fix="Put the texts into a list" if texts is not None else "Give texts=[...]",
            where="InputExample",
        )
    if not texts:
        raise InvalidValueError(
            "example-without-texts",
            "texts is an empty list",
            expected="at least one string",
            where="InputExample",
        )
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InvalidTypeError(
                "example-text-not-a-string",
                f"a {type(text).__name__}: {repr(text)[:40]}",
                expected="a string",
                fix="Drop rows with missing texts, and turn other values into text with str(...)",
                where=f"InputExample, texts[{position}]",
            )
    return list(texts)
