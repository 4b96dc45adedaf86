"""The components of the Trace page, laid out: nothing here listens to anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from workbench.contenders.registry import traced_contenders
from workbench.trace.probe import PROBE
from workbench.ui.columns import AUTO, FIELDS, POOLINGS, PRECISIONS, ColumnForm, control_value
from workbench.ui.pages.trace_events import first_line
from workbench.ui.pages.trace_handlers import FAULTS, LEFT, MAX_FAULTS, RIGHT, SOURCES
from workbench.ui.pages.trace_view import Look, render
from workbench.ui.shell import head
from workbench.ui.texts import Language, say, word
from workbench.ui.trace_shown import TRACES
from workbench.ui.translate import Words, heading
from workbench.ui.widgets.html import element

_PAGE_JS = (Path(__file__).parent.parent / "trace_page.js").read_text(encoding="utf-8")
_TEXT_FILES = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt"]
_VECTOR_FILES = [".npy", ".csv", ".tsv", ".json", ".jsonl", ".parquet"]
_TRACE_FILES = [".json", ".safetensors"]


def lay_out() -> tuple[Words, dict[str, Any]]:
    """Build the page inside an open route.

    Returns:
        The translated components, and all that an event reads or writes, by name; ``controls`` is the list
        of the form's controls in the order of ``trace_handlers.wanted_of``.
    """
    words = Words()
    found: dict[str, Any] = {
        "token": gr.State("", time_to_live=3600, delete_callback=TRACES.forget),
        # The text whose tokens the visitor chose himself; None while the page chooses.
        "chosen": gr.State(None),
    }
    sections = render(None, Look())
    with gr.Column(elem_classes="wb-page"):
        found["language"] = head(words, "trace")
        found["notices"] = gr.HTML(elem_id="wb-notices")
        with gr.Row(elem_classes="wb-two"):
            with gr.Column(scale=3, min_width=320, elem_classes="wb-stack"):
                with gr.Column(elem_classes="wb-panel"):
                    _story(words, found)
                found["verdict"] = gr.HTML(sections["verdict"], elem_id="wb-trace-verdict")
            with gr.Column(elem_classes="wb-panel", scale=2, min_width=300):
                _black_box(words, found)
        with gr.Column(visible=False, elem_classes="wb-results") as found["results"]:
            _results(words, found)
        with gr.Column(elem_classes="wb-panel"):
            heading(words, "cards.title")
            found["cards"] = gr.HTML(sections["cards"], elem_id="wb-trace-cards", js_on_load=_PAGE_JS)
        with gr.Row(elem_classes="wb-two"):
            with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
                _lint(words, found)
            with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
                _files(words, found)
        found["file"] = gr.DownloadButton(visible="hidden", elem_id="wb-trace-file")
    return words, found


def _told(words: Words, key: str) -> Any:
    def said(language: Language) -> str:
        return element("p", say(language, key), class_="wb-tr-lead")

    return words.make(gr.HTML, {"value": said}, container=False)


def _button(words: Words, key: str, name: str, *, visible: bool = True, **settings: Any) -> Any:
    settings = {"size": "sm", "elem_classes": "wb-chip", **settings}
    return words.make(gr.Button, {"value": key}, visible=visible, elem_id=f"wb-trace-{name}", **settings)


def _story(words: Words, found: dict[str, Any]) -> None:
    heading(words, "trace.title")
    _told(words, "trace.intro")
    found["against"] = gr.HTML(first_line("en"), elem_id="wb-trace-against", elem_classes="wb-chip-title")
    with gr.Row(elem_classes="wb-chips"):
        found["find"] = _button(words, "trace.find", "find", variant="primary", size="lg", elem_classes="")
        found["cancel"] = _button(
            words, "trace.cancel", "cancel", visible=False, variant="stop", size="lg", elem_classes=""
        )
        found["progress"] = gr.HTML(elem_id="wb-trace-progress")
    with words.make(gr.Accordion, {"label": "trace.setup"}, open=False, elem_id="wb-trace-setup"):
        with gr.Row(elem_classes="wb-two"):
            left = _side(words, "trace.left", LEFT, 0)
            right = _side(words, "trace.right", RIGHT, 1)
        found["faults"] = words.make(
            gr.Dropdown,
            {"label": "trace.faults", "choices": [(f"fault.{key}", key) for key in FAULTS]},
            value=[],
            multiselect=True,
            max_choices=MAX_FAULTS,
            elem_id="wb-trace-faults",
        )
        found["source"] = words.make(
            gr.Radio,
            {"label": "trace.source", "choices": _sources},
            value="example",
            elem_id="wb-trace-source",
        )
        found["pasted"] = words.make(
            gr.Textbox,
            {"label": "trace.paste", "placeholder": "trace.paste_hint"},
            lines=4,
            max_lines=10,
            visible=False,
            elem_id="wb-trace-paste",
        )
    found["controls"] = [*left, *right, found["faults"], found["source"], found["pasted"]]


def _sources(language: Language) -> list[tuple[str, str]]:
    told = {name: word(language, f"tracesource.{name}", **_counts(name)) for name in SOURCES}
    return [(label, name) for name, label in told.items()]


def _counts(source: str) -> dict[str, Any]:
    return {"count": len(PROBE)} if source == "probe" else {}


def _side(words: Words, title: str, form: ColumnForm, place: int) -> list[Any]:
    """The controls of one pipeline, in the order of ``FIELDS``."""
    switch = [("choice.auto", AUTO), ("choice.yes", "yes"), ("choice.no", "no")]
    choices: dict[str, list[tuple[str, Any]]] = {
        "contender": [(f"contender.{name}", name) for name in traced_contenders()],
        "pooling": [("choice.auto", AUTO), *((mode, mode) for mode in POOLINGS)],
        "normalize": switch,
        "lowercase": switch,
        "precision": [(name, name) for name in PRECISIONS if name != "int8"],
    }
    hints = {"model": "form.model_hint", "max_length": "form.max_length_hint", "prompt": "form.prompt_hint"}
    made: dict[str, Any] = {}
    with gr.Column(elem_classes=["wb-column", f"c{place}"], min_width=220, elem_id=f"wb-trace-side-{place}"):
        heading(words, title)
        for names in (("contender",), ("model",), ("pooling", "max_length"), ("prompt",),
                      ("normalize", "lowercase"), ("precision", "use_mask")):  # fmt: skip
            with gr.Row():
                for name in names:
                    label: dict[str, Any] = {"label": f"form.{name}"}
                    value = control_value(form, name)
                    if name in choices:
                        said = {**label, "choices": choices[name]}
                        made[name] = words.make(gr.Dropdown, said, value=value, min_width=80)
                    elif name == "use_mask":
                        made[name] = words.make(gr.Checkbox, label, value=value, min_width=80)
                    else:
                        said = {**label, "placeholder": hints[name]}
                        made[name] = words.make(
                            gr.Textbox, said, value=value, max_lines=1, max_length=2000, min_width=80
                        )
    return [made[name] for name in FIELDS]


def _black_box(words: Words, found: dict[str, Any]) -> None:
    heading(words, "blackbox.title")
    _told(words, "blackbox.intro")
    with gr.Row(elem_classes="wb-drops"):
        for name, kinds in (("texts", _TEXT_FILES), ("vectors", _VECTOR_FILES)):
            found[f"box_{name}"] = words.make(
                gr.File,
                {"label": f"blackbox.{name}"},
                file_types=kinds,
                min_width=120,
                elem_id=f"wb-box-{name}",
            )
    with gr.Row(elem_classes="wb-tr-fields"):
        for name, hint in (("model", "form.model_hint"), ("prompt", "form.prompt_hint")):
            found[f"box_{name}"] = words.make(
                gr.Textbox,
                {"label": f"blackbox.{name}", "placeholder": hint},
                max_lines=1,
                max_length=2000,
                min_width=120,
                elem_id=f"wb-box-{name}",
            )
    with gr.Row(elem_classes="wb-chips"):
        found["box_run"] = _button(words, "blackbox.run", "box-run")
        found["box_example"] = _button(words, "blackbox.example", "box-example")
        found["box_cancel"] = _button(words, "trace.cancel", "box-cancel", visible=False)
        found["box_progress"] = gr.HTML(elem_id="wb-box-progress")
    found["box_result"] = gr.HTML(elem_id="wb-box-result")


def _results(words: Words, found: dict[str, Any]) -> None:
    with gr.Row(elem_classes="wb-two"):
        with gr.Column(elem_classes="wb-panel", scale=3, min_width=320):
            heading(words, "ladder.title")
            found["ladder"] = gr.HTML(elem_id="wb-trace-ladder")
        with gr.Column(scale=2, min_width=320, elem_classes="wb-stack"):
            with gr.Column(elem_classes="wb-panel"):
                heading(words, "fix.title")
                found["fix"] = gr.Code(
                    language="python",
                    lines=1,
                    interactive=False,
                    show_label=False,
                    buttons=["copy"],
                    wrap_lines=True,
                    elem_id="wb-trace-fix",
                )
            with gr.Column(elem_classes="wb-panel"):
                heading(words, "cosines.title")
                found["cosines"] = gr.HTML(elem_id="wb-trace-cosines")
    with gr.Column(elem_classes="wb-panel"):
        heading(words, "swap.title")
        found["swaps"] = gr.HTML(elem_id="wb-trace-swaps")
        with gr.Row(elem_classes="wb-chips"):
            found["get_json"] = _button(words, "traceget.json", "get-json")
            found["get_traces"] = _button(words, "traceget.traces", "get-traces")
        found["traces"] = words.make(
            gr.File,
            {"label": "traceget.files"},
            file_count="multiple",
            interactive=False,
            visible=False,
            elem_id="wb-trace-traces",
        )
    with gr.Column(elem_classes="wb-panel"):
        with gr.Row(elem_classes="wb-titled"):
            heading(words, "tokenview.title")
            found["text"] = words.make(
                gr.Dropdown,
                {"label": "tokenview.choose"},
                choices=[],
                show_label=False,
                container=False,
                min_width=160,
                elem_id="wb-trace-text",
            )
        found["tokens"] = gr.HTML(elem_id="wb-trace-tokens")


def _lint(words: Words, found: dict[str, Any]) -> None:
    heading(words, "lint.title")
    _told(words, "lint.intro")
    with gr.Row(elem_classes="wb-tr-fields"):
        found["lint_model"] = words.make(
            gr.Textbox,
            {"label": "lint.model", "placeholder": "form.model_hint"},
            max_lines=1,
            max_length=300,
            elem_id="wb-lint-model",
        )
    with gr.Row(elem_classes="wb-chips"):
        found["lint_run"] = _button(words, "lint.run", "lint-run")
        found["get_contract"] = _button(words, "lint.contract", "get-contract", visible=False)
    found["lint_result"] = gr.HTML(elem_id="wb-lint-result")


def _files(words: Words, found: dict[str, Any]) -> None:
    heading(words, "tracefiles.title")
    _told(words, "tracefiles.intro")
    with gr.Row(elem_classes="wb-drops"):
        for side in ("left", "right"):
            found[f"files_{side}"] = words.make(
                gr.File,
                {"label": f"tracefiles.{side}"},
                file_count="multiple",
                file_types=_TRACE_FILES,
                min_width=120,
                elem_id=f"wb-files-{side}",
            )
    with gr.Row(elem_classes="wb-chips"):
        found["files_run"] = _button(words, "tracefiles.run", "files-run")
