"""Components whose words follow the language: each is made once and registered with the keys of its texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.html import element

# A key; choices as (key, value) pairs, where a key without a text stands for itself; or a function.
Said = str | Sequence[tuple[str, Any]] | Callable[[Language], Any]


class Words:
    """The translated components of a page, in the order in which they were made."""

    def __init__(self) -> None:
        self._entries: list[tuple[Any, Mapping[str, Said]]] = []

    def make(self, kind: Callable[..., Any], said: Mapping[str, Said], **settings: Any) -> Any:
        """A component in English that will follow the language.

        Args:
            kind: Class of the component.
            said: Property (``label``, ``value``, ``placeholder``, ``choices`` …) → what it says.
            settings: Its other arguments.
        """
        component = kind(**_resolved(said, "en"), **settings)
        self._entries.append((component, said))
        return component

    @property
    def components(self) -> list[Any]:
        """The outputs of a change of language."""
        return [component for component, _ in self._entries]

    def updates(self, language: Language) -> list[Any]:
        """The new words of every component, in the order of ``components``."""
        return [gr.update(**_resolved(said, language)) for _, said in self._entries]


def _resolved(said: Mapping[str, Said], language: Language) -> dict[str, Any]:
    return {name: _one(what, language) for name, what in said.items()}


def _one(what: Said, language: Language) -> Any:
    if callable(what):
        return what(language)
    if isinstance(what, str):
        return word(language, what)
    return [(word(language, key) if "." in key else key, value) for key, value in what]


def heading(words: Words, key: str) -> Any:
    """A heading of a panel that follows the language."""

    def said(language: Language) -> str:
        return element("h2", say(language, key))

    return words.make(gr.HTML, {"value": said}, container=False)
