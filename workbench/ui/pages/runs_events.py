"""The events of the Runs page as functions: from the values of controls to changes by component name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from workbench.errors import InvalidTypeError
from workbench.ui import runs_home
from workbench.ui.errors import box_html, boxed, error_box
from workbench.ui.pages.runs_handlers import ACTIONS, ROWS, View, Wish, annotate, ids_of, look, wish_of
from workbench.ui.run_files import run_file
from workbench.ui.session import new_token
from workbench.ui.shell import asked_run
from workbench.ui.texts import as_language, say
from workbench.ui.widgets.html import NOTHING

Changes = dict[str, Any]
# Where an action's message stands, good or bad.
_told = boxed("told")


def arrive(language: object, owner: object, request: gr.Request) -> Changes:
    """The visitor comes or reloads: his secret, his runs, the run of the link."""
    try:
        wish = wish_of(language, owner, opened=asked_run(request))
        return {"owner": wish.owner, **_opened(wish, {})}
    except Exception as error:
        return {"notices": error_box(error, as_language(language))}


def tick(language: object, *values: object) -> Changes:
    """Look again while something goes on; what has not changed is not sent."""
    try:
        *wished, seen = values
        return _changed(wish_of(language, *wished), seen)
    except Exception as error:
        # Told once, not every second.
        told = error_box(error, as_language(language))
        return {"notices": told, "timer": gr.Timer(active=False), "seen": {}}


@_told
def speak(language: object, *values: object) -> Changes:
    """Say everything on show in another language."""
    *wished, _ = values
    return _changed(wish_of(language, *wished), {})


@_told
def filtered(language: object, *values: object) -> Changes:
    """Another filter; the table begins anew."""
    *wished, seen = values
    return {"rows": ROWS, **_changed(replace(wish_of(language, *wished), rows=ROWS), seen)}


@_told
def more(language: object, *values: object) -> Changes:
    """More rows of the table."""
    *wished, seen = values
    wish = wish_of(language, *wished)
    wish = replace(wish, rows=wish.rows + ROWS)
    return {"rows": wish.rows, **_changed(wish, seen)}


@_told
def open_run(language: object, run_id: object, *values: object) -> Changes:
    """Show one run's details."""
    *wished, seen = values
    wish = wish_of(language, *wished)
    return _opened(replace(wish, opened=wish_of(language, wish.owner, opened=run_id).opened), seen)


@_told
def choose_runs(language: object, ids: object, *values: object) -> Changes:
    """Lay other runs side by side."""
    *wished, seen = values
    wish = replace(wish_of(language, *wished), chosen=ids_of(ids))
    return {"chosen": list(wish.chosen), **_changed(wish, seen)}


@_told
def act(language: object, action: str, key: object, *values: object) -> Changes:
    """Cancel, resume, run again or delete the opened run."""
    *wished, seen = values
    before = wish_of(language, *wished)
    after = ACTIONS[action](runs_home.runs(), before, key if isinstance(key, str) else "")
    changes = {"chosen": list(after.chosen), "sure": gr.update(visible=False)}
    if after.opened != before.opened:
        return {**changes, **_opened(after, seen)}
    return {**changes, **_changed(after, seen)}


@_told
def ask(language: object, wanted: bool) -> Changes:
    """Ask once more before a run is deleted, or let it be."""
    return {"sure": gr.update(visible=wanted)}


@_told
def save(language: object, name: object, note: object, *values: object) -> Changes:
    """Keep a run's name and note."""
    *wished, seen = values
    wish = wish_of(language, *wished)
    run = annotate(runs_home.runs(), wish, name, note)
    told = box_html(say(wish.language, "run.saved"), "info")
    return {"told": told, "name": run.name, "note": run.note, **_changed(wish, seen)}


@_told
def take(language: object, kind: object, *values: object) -> Changes:
    """Write a file of the opened run for the visitor."""
    wish = wish_of(language, *values[:-1])
    return {"file": str(run_file(runs_home.runs(), wish.owner, wish.opened, kind))}


@_told
def copied(language: object) -> Changes:
    """Say that the link was copied."""
    return {"told": box_html(say(as_language(language), "run.copied"), "info")}


def _opened(wish: Wish, seen: object) -> Changes:
    """The page with another run opened: name and note are written, which no other look does."""
    view = _look(wish)
    run = view.run
    return {
        "opened": run.id if run else "",
        "name": run.name if run else "",
        "note": run.note if run else "",
        "key": new_token(),
        "sure": gr.update(visible=False),
        **_differing(view, seen),
    }


def _changed(wish: Wish, seen: object) -> Changes:
    return _differing(_look(wish), seen)


def _look(wish: Wish) -> View:
    view = look(runs_home.runs(), wish)
    return replace(view, markup={**view.markup, "notices": runs_home.notices_html(wish.language)})


def _differing(view: View, seen: object) -> Changes:
    """Only what differs from what the browser has: a table is large, and a change moves the focus."""
    if not isinstance(seen, Mapping):
        raise InvalidTypeError("not-a-look", f"A {type(seen).__name__} came", expected="the last look")
    now = {
        **{name: hashlib.sha256(markup.encode()).hexdigest()[:16] for name, markup in view.markup.items()},
        **{f"visible.{name}": str(shown) for name, shown in view.visible.items()},
        "timer": str(view.active),
    }
    changes: Changes = {"seen": now}
    for name, markup in view.markup.items():
        if seen.get(name) != now[name]:
            changes[name] = markup or NOTHING
    for name, shown in view.visible.items():
        if seen.get(f"visible.{name}") != now[f"visible.{name}"]:
            changes[name] = gr.update(visible=shown)
    if seen.get("timer") != now["timer"]:
        changes["timer"] = gr.Timer(active=view.active)
    return changes
