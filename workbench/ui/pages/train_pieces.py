"""The components of the Train page and how each is made and named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from workbench.ui.pages.train_form import DEFAULTS, FIELDS
from workbench.ui.texts import Language, say
from workbench.ui.translate import Words
from workbench.ui.widgets.html import Safe, element


@dataclass
class Parts:
    """Every component that an event reads or writes."""

    words: Words
    language: Any = None
    fields: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    buttons: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def controls(self) -> list[Any]:
        """The controls of the form in the order of ``FIELDS``."""
        return [self.fields[name] for name in FIELDS]

    def named(self) -> dict[str, Any]:
        """Component name, as the events use it → component."""
        return {
            **{f"field.{name}": control for name, control in self.fields.items()},
            **self.shown,
            **{f"button.{name}": button for name, button in self.buttons.items()},
            **{f"state.{name}": state for name, state in self.state.items()},
        }


def show(parts: Parts, name: str, value: str = "", **settings: Any) -> Any:
    """An HTML component that an event fills."""
    parts.shown[name] = gr.HTML(value, elem_id=f"wb-train-{name.replace('_', '-')}", **settings)
    return parts.shown[name]


def button(parts: Parts, name: str, **settings: Any) -> Any:
    """A button."""
    settings = {"size": "sm", "elem_classes": "wb-chip", **settings}
    parts.buttons[name] = parts.words.make(
        gr.Button, {"value": f"train.button_{name}"}, elem_id=f"wb-train-{name.replace('_', '-')}", **settings
    )
    return parts.buttons[name]


def control(parts: Parts, name: str, kind: Any, **settings: Any) -> Any:
    """A control of the form, with its default."""
    said: dict[str, Any] = {"label": f"train.field_{name}", **settings.pop("said", {})}
    settings.setdefault("value", DEFAULTS[name])
    parts.fields[name] = parts.words.make(
        kind, said, elem_id=f"wb-field-{name.replace('_', '-')}", **settings
    )
    return parts.fields[name]


def note(key: str, language: Language) -> Safe:
    """A quiet sentence."""
    return element("p", say(language, key), class_="wb-note")
