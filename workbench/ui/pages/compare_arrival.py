"""The Compare page's load: the visitor's language, and a trained model that its owner brings along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from workbench.persistence.source import is_handed_over
from workbench.ui.shell import greeting
from workbench.ui.translate import Words


def arrival(words: Words, named: Mapping[str, Any]) -> Callable[[gr.Request], list[Any]]:
    """The event of the load. Outputs: the language switch, then ``words.components``.

    Args:
        words: Of the page.
        named: Name of a control → its component; all of them follow the language.
    """
    greet = greeting(words)
    places = {id(component): place for place, component in enumerate(words.components, start=1)}

    def arrive(request: gr.Request) -> list[Any]:
        changes = greet(request)
        for name, value in asked_controls(request.query_params.get("model")).items():
            place = places[id(named[name])]
            changes[place] = {**gr.update(value=value), **_kept(changes[place]), "value": value}
        return changes

    return arrive


def asked_controls(model: object) -> dict[str, Any]:
    """What the controls hold where a link brings a trained model: it in two pipelines, beside its base.

    Any other name in a link is left alone: a link must not make the app fetch something.
    """
    if not isinstance(model, str) or not is_handed_over(model):
        return {}
    return {
        "control.0.model": model,
        "control.1.model": model,
        "control.2.contender": "own",
        "control.2.model": "",
    }


def _kept(update: Any) -> dict[str, Any]:
    """What the language has changed already."""
    return dict(update) if isinstance(update, dict) and len(update) > 1 else {}
