"""The one place where an error becomes words on the page."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from typing import Any

import gradio as gr

from workbench.errors import Cancelled, WorkbenchError
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.widgets.html import Safe, element, join

log = logging.getLogger(__name__)


def message_of(error: Exception, language: Language) -> str:
    """What a visitor is told, as plain text.

    A ``WorkbenchError`` says itself what came, what was expected and the cure. Anything else is a fault of
    ours: the visitor gets a number, the log gets the number and the traceback.
    """
    if isinstance(error, Cancelled):
        return word(language, "error.cancelled")
    if isinstance(error, WorkbenchError):
        return error.message
    number = secrets.token_hex(4)
    log.error("internal error %s", number, exc_info=error)
    return word(language, "error.internal", id=number)


def box_html(text: object, tone: str = "bad", title: object = "") -> Safe:
    """A framed message."""
    head = join([element("b", title), " "]) if title else Safe("")
    return element(
        "div", join([head, text]), class_=f"wb-box {tone}", role="alert" if tone == "bad" else "status"
    )


def error_box(error: Exception, language: Language) -> Safe:
    """An error as a framed message."""
    return box_html(message_of(error, language), title=say(language, "error.title"))


def guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler whose errors are shown as a warning while the page stays as it is.

    The handler's first argument is the language.
    """

    @functools.wraps(handler)
    def run(language: object, *values: object) -> Any:
        try:
            return handler(as_language(language), *values)
        except Exception as error:
            gr.Warning(
                message_of(error, as_language(language)), title=word(as_language(language), "error.title")
            )
            return gr.skip()

    return run


def boxed(section: str) -> Callable[[Callable[..., dict[str, Any]]], Callable[..., dict[str, Any]]]:
    """A decorator for handlers of events outside the queue, whose warnings would reach nobody.

    An error becomes a framed message in a section of the page, and everything else stays as it is; what goes
    well empties the section. The handler's first argument is the language; it returns changes by name.

    Args:
        section: Name of the component that shows the message.
    """

    def decorate(handler: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        @functools.wraps(handler)
        def run(language: object, *values: object) -> dict[str, Any]:
            try:
                return {section: Safe(""), **handler(as_language(language), *values)}
            except Exception as error:
                return {section: error_box(error, as_language(language))}

        return run

    return decorate
