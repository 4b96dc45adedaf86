"""The events of the diagram on the Train page: a box opened on a real batch, one step taken, the article."""

from __future__ import annotations

from typing import Any

import gradio as gr

from workbench.errors import InvalidValueError
from workbench.ui.errors import guarded
from workbench.ui.pages.train_events import cleared, refused
from workbench.ui.pages.train_form import wish_of
from workbench.ui.pages.train_live import Changes
from workbench.ui.texts import Language, as_language
from workbench.ui.widgets.article import article_html
from workbench.ui.widgets.html import NOTHING
from workbench.ui.widgets.process_diagram import BOXES


def open_box(box: object, language: object, shown: object, opened: object, plain: object,
             columns: object, *values: object) -> Changes:  # fmt: skip
    """Open the step of a box on a real batch; the open one closes."""
    spoken = as_language(language)
    if not isinstance(box, str) or box not in BOXES:
        return refused(
            InvalidValueError("unknown-box", f"{str(box)[:40]!r}", expected=f"one of {', '.join(BOXES)}"),
            spoken,
        )
    if box == shown:
        return {
            "step": NOTHING,
            "state.box": "",
            "plain": gr.update(visible=False),
            "button.one_step": gr.update(visible=False),
        }
    try:
        wish = wish_of(values, columns)
    except Exception as error:
        return refused(error, spoken)
    return {**cleared(), "state.box": box, "step": NOTHING, "state.opened": wish.seeds and None}


@guarded
def show_plain(language: Language, box: object, opened: object, plain: object) -> Changes:
    """Lay the plain loop beside, or take it away."""
    return {}


def take_step(
    language: object, box: object, opened: object, plain: object, columns: object, *values: object
) -> Changes:
    """Take one step and show the same pair's new similarity."""
    return {}


@guarded
def follow_article(language: Language, shown: object) -> Changes:
    """The article in five steps, or away with it."""
    now = not shown
    return {"article_steps": article_html(language) if now else NOTHING, "state.article": now}


@guarded
def spoken_again(language: Language, box: object, opened: Any, plain: object, article: object) -> Changes:
    """What the server wrote of the step, in another language."""
    return {"article_steps": article_html(language) if article else NOTHING}
