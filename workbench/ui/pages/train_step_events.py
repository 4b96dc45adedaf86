"""The events of the diagram on the Train page: a box opened on a real batch, one step taken, the article."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.errors import InvalidValueError
from workbench.ui.errors import guarded
from workbench.ui.pages.train_events import cleared, refused
from workbench.ui.pages.train_form import Wish, wish_of
from workbench.ui.pages.train_live import Changes
from workbench.ui.texts import Language, as_language
from workbench.ui.widgets.article import article_html
from workbench.ui.widgets.html import NOTHING
from workbench.ui.widgets.process_diagram import BOXES
from workbench.ui.widgets.step_view import step_html


@dataclass(frozen=True)
class Opened:
    """The step that the page has opened.

    Attributes:
        key: Of the settings that it was made with; others need another step.
        step: What came by in it; None where this package cannot open one.
        taken: Whether its effect is shown.
    """

    key: str
    step: Any
    taken: bool = False


def open_box(box: object, language: object, shown: object, opened: object, plain: object,
             columns: object, *values: object) -> Changes:  # fmt: skip
    """Open the step of a box on a real batch; the open one closes."""
    spoken = as_language(language)
    if not isinstance(box, str) or box not in BOXES:
        known = f"one of {', '.join(BOXES)}"
        return refused(InvalidValueError("unknown-box", f"{str(box)[:40]!r}", expected=known), spoken)
    if box == shown:
        hidden = gr.update(visible=False)
        return {"step": NOTHING, "state.box": "", "plain": hidden, "button.one_step": hidden}
    try:
        found = _opened(opened, columns, values)
    except Exception as error:
        return refused(error, spoken)
    return {**cleared(), **_shown(found, box, plain, spoken)}


def _opened(opened: object, columns: object, values: Any) -> Opened:
    """The step of these settings: the one that is open already, or a new one."""
    wish = wish_of(values, columns)
    key = wish.config.model_dump_json() + repr(wish.data)
    if isinstance(opened, Opened) and opened.key == key:
        return opened
    return Opened(key, _step(wish))


def _step(wish: Wish) -> Any:
    """One real step of ``fit``, watched."""
    from workbench.recipe.opened_step import open_step
    from workbench.ui.pages.train_data import with_files

    with with_files(wish.config, wish.data) as config:
        return open_step(config)


def _shown(opened: Opened, box: str, plain: object, language: Language) -> Changes:
    return {
        "step": step_html(opened.step, box, language, plain=plain is True, taken=opened.taken),
        "state.box": box,
        "state.opened": opened,
        "plain": gr.update(visible=opened.step is not None),
        "button.one_step": gr.update(visible=opened.step is not None and not opened.taken),
    }


@guarded
def show_plain(language: Language, box: object, opened: object, plain: object) -> Changes:
    """Lay the plain loop beside, or take it away."""
    if not isinstance(opened, Opened) or box not in BOXES:
        return {}
    return _shown(opened, str(box), plain, language)


def take_step(language: object, box: object, opened: object, plain: object,
              columns: object, *values: object) -> Changes:  # fmt: skip
    """Take the step and show the same pairs' new similarities, in the box of ``fit``."""
    spoken = as_language(language)
    try:
        found = _opened(opened, columns, values)
    except Exception as error:
        return refused(error, spoken)
    return {**cleared(), **_shown(Opened(found.key, found.step, taken=True), "fit", plain, spoken)}


@guarded
def follow_article(language: Language, shown: object) -> Changes:
    """The article in five steps, or away with it."""
    return {"article_steps": NOTHING if shown else article_html(language), "state.article": not shown}


@guarded
def spoken_again(language: Language, box: object, opened: object, plain: object, article: object) -> Changes:
    """What the server wrote of the step, in another language."""
    changes: Changes = {"article_steps": article_html(language) if article else NOTHING}
    if isinstance(opened, Opened) and box in BOXES:
        changes |= _shown(opened, str(box), plain, language)
    return changes
