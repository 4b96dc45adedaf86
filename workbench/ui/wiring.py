"""From events that name the components they change to what Gradio takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr


def on_components(named: Mapping[str, Any], changes: Any) -> Any:
    """Changes by name as changes by component; no change is a skip, else Gradio would empty the outputs."""
    # Gradio's own "leave it as it is" is a dict too.
    if isinstance(changes, dict) and "__type__" not in changes:
        return {named[name]: value for name, value in changes.items()} if changes else gr.skip()
    return changes


def plain(named: Mapping[str, Any], event: Callable[..., Any]) -> Callable[..., Any]:
    """An event of values as Gradio calls it."""
    return lambda *values: on_components(named, event(*values))


def of_message(named: Mapping[str, Any], event: Callable[..., Any], key: str) -> Callable[..., Any]:
    """An event whose first value is what a widget in the browser sent along under ``key``."""

    def listen(message: gr.EventData, *values: Any) -> Any:
        data = message._data if isinstance(message._data, dict) else {}
        return on_components(named, event(data.get(key), *values))

    return listen
