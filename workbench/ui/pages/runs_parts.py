"""The components of the Runs page, laid out: nothing here listens to anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from workbench.runs.states import STATES
from workbench.runs.submission import NAME_CHARACTERS, NOTE_CHARACTERS
from workbench.ui.pages.runs_handlers import ROWS
from workbench.ui.runs_home import owner_state
from workbench.ui.shell import head
from workbench.ui.translate import Words, heading
from workbench.ui.widgets.curves import CURVES_JS

_TABLE_JS = (Path(__file__).parent.parent / "runs.js").read_text(encoding="utf-8")
_LOOK_SECONDS = 1.0

# Component, as the events name it → the text on it.
_ACTIONS = ("cancel", "resume", "rerun", "delete")
_FILES = ("get_yaml", "get_python", "get_proof", "get_proof_json")


def lay_out() -> tuple[Words, dict[str, Any]]:
    """Build the page inside an open route.

    Returns:
        The translated components, and all that an event reads or writes, by name.
    """
    words = Words()
    found: dict[str, Any] = {
        "owner": owner_state(),
        "opened": gr.State(""),
        "chosen": gr.State([]),
        "rows": gr.State(ROWS),
        # What the browser has of each section, by hash.
        "seen": gr.State({}),
        # Under which a run is started once, however often the button is pressed.
        "key": gr.State(""),
        "timer": gr.Timer(_LOOK_SECONDS, active=False),
    }
    with gr.Column(elem_classes="wb-page"):
        found["language"] = head(words, "runs")
        found["notices"] = gr.HTML(elem_id="wb-notices")
        found["told"] = gr.HTML(elem_id="wb-run-told")
        with gr.Column(elem_classes="wb-panel"):
            _list(words, found)
        with gr.Column(elem_classes="wb-panel", visible=False) as found["panel"]:
            _one(words, found)
        with gr.Column(elem_classes="wb-panel", visible=False) as found["compared"]:
            heading(words, "compared.title")
            for name, more in (("differences", {}), ("overlaid", _GROWING), ("metrics", _GROWING)):
                found[name] = gr.HTML(elem_id=f"wb-{name}", **more)
    return words, found


# A table that the visitor opened stays open when the section is written anew.
_GROWING: dict[str, Any] = {"js_on_load": CURVES_JS}


def _list(words: Words, found: dict[str, Any]) -> None:
    heading(words, "runs.title")
    with gr.Row(elem_classes="wb-filter"):
        found["text"] = words.make(
            gr.Textbox, {"label": "runs.filter", "placeholder": "runs.filter_hint"}, max_lines=1,
            max_length=NAME_CHARACTERS, elem_id="wb-runs-text", scale=3, min_width=160,
        )  # fmt: skip
        states = [("runstate.any", ""), *((f"runstate.{state}", state) for state in STATES)]
        found["state"] = words.make(
            gr.Dropdown, {"label": "runs.state", "choices": states}, value="", filterable=False,
            elem_id="wb-runs-state", scale=1, min_width=130,
        )  # fmt: skip
    found["table"] = gr.HTML(elem_id="wb-runs-table", js_on_load=_TABLE_JS)
    found["more"] = _button(words, "more", "runs.more", visible=False)


def _one(words: Words, found: dict[str, Any]) -> None:
    found["facts"] = gr.HTML(elem_id="wb-run-facts", js_on_load=_TABLE_JS)
    with gr.Row(elem_classes="wb-chips"):
        for name in _ACTIONS:
            found[name] = _button(words, name, f"run_do.{name}")
        found["link"] = _button(words, "link", "run_do.link")
    with gr.Row(elem_classes="wb-chips", visible=False) as found["sure"]:
        words.make(gr.HTML, {"value": "run.sure"}, elem_classes="wb-chip-title")
        found["delete_sure"] = _button(words, "delete_sure", "run_do.delete_sure", more="on")
        found["keep"] = _button(words, "keep", "run_do.keep")
    found["curves"] = gr.HTML(elem_id="wb-run-curves", **_GROWING)
    found["result"] = gr.HTML(elem_id="wb-run-result")
    with gr.Row(elem_classes="wb-filter"):
        found["name"] = words.make(
            gr.Textbox, {"label": "run.name"}, max_lines=1, max_length=NAME_CHARACTERS,
            elem_id="wb-run-name", scale=1, min_width=180,
        )  # fmt: skip
        found["note"] = words.make(
            gr.Textbox, {"label": "run.note"}, lines=2, max_lines=8, max_length=NOTE_CHARACTERS,
            elem_id="wb-run-note", scale=2, min_width=220,
        )  # fmt: skip
    with gr.Row(elem_classes="wb-chips"):
        found["save"] = _button(words, "save", "run_do.save")
        for name in _FILES:
            found[name] = _button(words, name, f"run_do.{name}")
    found["file"] = gr.DownloadButton(visible="hidden", elem_id="wb-run-file")
    with words.make(gr.Accordion, {"label": "run.log"}, open=False):
        found["log"] = gr.HTML(elem_id="wb-run-log")


def _button(words: Words, name: str, key: str, *, visible: bool = True, more: str = "") -> Any:
    return words.make(
        gr.Button,
        {"value": key},
        size="sm",
        visible=visible,
        elem_classes=["wb-chip", *([more] if more else [])],
        elem_id=f"wb-run-{name.replace('_', '-')}",
    )
