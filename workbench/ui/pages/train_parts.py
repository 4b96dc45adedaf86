"""The components of the Train page, laid out: nothing here listens to anything."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import gradio as gr

from workbench.runs.environment import on_zero_gpu
from workbench.ui.pages.train_form_parts import (
    lay_out_data,
    lay_out_modules,
    lay_out_outputs,
    lay_out_settings,
)
from workbench.ui.pages.train_pieces import Parts, button, note, show
from workbench.ui.pages.train_push import lay_out_push
from workbench.ui.runs_home import owner_state
from workbench.ui.shell import head
from workbench.ui.texts import say
from workbench.ui.translate import Words
from workbench.ui.widgets.curves import CURVES_JS
from workbench.ui.widgets.html import element
from workbench.ui.widgets.process_diagram import diagram_html

_DIAGRAM_JS = (Path(__file__).parent.parent / "process.js").read_text(encoding="utf-8")
POLL_SECONDS = 1.0


def lay_out() -> Parts:
    """Build the page inside an open route."""
    parts = Parts(Words())
    _states(parts)
    with gr.Column(elem_classes=["wb-page", "wb-train"]):
        parts.language = head(parts.words, "train")
        _top(parts)
        _run(parts)
        with gr.Row(elem_classes="wb-two"):
            with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
                lay_out_data(parts)
            with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
                lay_out_modules(parts)
                lay_out_settings(parts)
        lay_out_outputs(parts)
    return parts


def _states(parts: Parts) -> None:
    parts.state = {
        "owner": owner_state(),
        # One press of a button counts once: both clicks of a double click bring the same key.
        "key": gr.State(""),
        # In the browser, whose address is to name it; whose run it is, is asked at every call.
        "run": gr.Textbox(visible="hidden", elem_id="wb-train-run-id", label="run id"),
        "measure": gr.State(""),
        "columns": gr.State([]),
        "seen": gr.State(""),
        "box": gr.State(""),
        "opened": gr.State(None),
        "article": gr.State(False),
    }
    parts.shown["timer"] = gr.Timer(POLL_SECONDS, active=False)


def _top(parts: Parts) -> None:
    """What the page does, the buttons that do it, and the classic process as a diagram."""
    with gr.Column(elem_classes="wb-panel"):
        parts.words.make(
            gr.HTML,
            {"value": lambda language: element("p", say(language, "train.lead"), class_="wb-lead")},
            elem_id="wb-train-lead",
        )
        if on_zero_gpu(os.environ):
            parts.words.make(gr.HTML, {"value": partial(note, "train.zero_gpu")}, elem_id="wb-train-zero-gpu")
        with gr.Row(elem_classes="wb-chips"):
            button(parts, "train", variant="primary", size="lg", elem_classes="wb-go")
            button(parts, "ways", variant="secondary", size="lg", elem_classes="wb-go", visible=False)
            button(parts, "measure")
            button(parts, "article")
        show(parts, "estimate")
        show(parts, "error")
        show(parts, "diagram", diagram_html("en", ""), js_on_load=_DIAGRAM_JS)
        with gr.Row(elem_classes=["wb-chips", "wb-step-row"]):
            parts.shown["plain"] = parts.words.make(
                gr.Checkbox, {"label": "train.plain"}, value=False, visible=False, container=False,
                elem_id="wb-train-plain",
            )  # fmt: skip
            button(parts, "one_step", visible=False)
        show(parts, "step")
        show(parts, "article_steps", js_on_load=_DIAGRAM_JS)


def _run(parts: Parts) -> None:
    """The run: where it stands, its curves, its log, its proof."""
    with gr.Column(elem_classes="wb-panel", visible=False, elem_id="wb-train-run") as panel:
        parts.shown["run_panel"] = panel
        with gr.Row(elem_classes="wb-statusrow"):
            show(parts, "status")
            button(parts, "cancel", visible=False)
            button(parts, "resume", visible=False)
        show(parts, "proof")
        with gr.Column(visible=False, elem_id="wb-train-results") as results:
            parts.shown["results"] = results
            with gr.Row(elem_classes="wb-chips"):
                for name in ("compare", "zip", "html", "json", "code", "yaml_out"):
                    button(parts, name)
            lay_out_push(parts)
        show(parts, "compare_link")
        parts.shown["run_code"] = gr.Code(
            language="python", show_label=False, lines=6, max_lines=24, interactive=False, visible=False,
            elem_id="wb-train-run-code", buttons=["copy", "download"],
        )  # fmt: skip
        show(parts, "curves", js_on_load=CURVES_JS)
        with parts.words.make(gr.Accordion, {"label": "train.log"}, open=False):
            show(parts, "log")
        parts.shown["file"] = gr.DownloadButton(visible="hidden", elem_id="wb-train-file")
