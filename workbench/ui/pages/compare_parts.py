"""The components of the Compare page, laid out: nothing here listens to anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.ui.columns import (
    AUTO,
    BREAKS,
    CONTENDERS,
    DEFAULT_ACTIVE,
    DEFAULT_FORMS,
    FIELDS,
    MAX_COLUMNS,
    POOLINGS,
    PRECISIONS,
    control_value,
)
from workbench.ui.pages.compare_handlers import DEVICES
from workbench.ui.pages.compare_view import Look, Section, render
from workbench.ui.sentences import SOURCES
from workbench.ui.session import SESSIONS
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import LANGUAGES, Language, say, word
from workbench.ui.translate import Words
from workbench.ui.widgets.html import Safe, element, join

_HERE = Path(__file__).parent.parent
_BOARD_JS = (_HERE / "board.js").read_text(encoding="utf-8")
_LIST_JS = (_HERE / "sentences.js").read_text(encoding="utf-8")
_UPLOADS = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt"]


@dataclass(frozen=True)
class Slot:
    """One column in the sidebar: its frame, its controls in the order of ``FIELDS``, its remove button."""

    frame: Any
    controls: tuple[Any, ...]
    remove: Any


@dataclass(frozen=True)
class Parts:
    """Every component that an event reads or writes."""

    words: Words
    language: Any
    sidebar: Any
    token: Any
    opened: Any
    wanted_pair: Any
    active: Any
    columns: Any
    source: Any
    pasted: Any
    file: Any
    file_column: Any
    run: Any
    cancel: Any
    slots: tuple[Slot, ...]
    add: Any
    device: Any
    chip_title: Any
    chips: dict[str, Any]
    repair: Any
    notices: Any
    sections: dict[Section, Any]
    pair: Any
    time_it: Any
    memory: Any
    code_column: Any
    code: Any
    downloads: dict[str, Any]
    download_file: Any

    @property
    def controls(self) -> list[Any]:
        """The controls of all slots, flat."""
        return [control for slot in self.slots for control in slot.controls]


def lay_out() -> Parts:
    """Build the page inside an open ``gr.Blocks``."""
    words = Words()
    found: dict[str, Any] = {"words": words, "sections": {}}
    found["token"] = gr.State("", time_to_live=3600, delete_callback=SESSIONS.forget)
    # What the visitor chose himself; None while the page chooses the most telling.
    found["opened"] = gr.State(None)
    found["wanted_pair"] = gr.State(None)
    found["active"] = gr.State(list(DEFAULT_ACTIVE))
    # Columns of the uploaded file.
    found["columns"] = gr.State([])
    found["sidebar"] = gr.Sidebar(width=310, elem_classes="wb-side")
    with found["sidebar"]:
        _sidebar(words, found)
    with gr.Column(elem_classes="wb-page"):
        _head(words, found)
        _top(words, found)
        _panels(words, found)
    return Parts(**found)


def _heading(key: str) -> Any:
    return lambda language: element("h2", say(language, key))


def _html(words: Words, key: str) -> Any:
    return words.make(gr.HTML, {"value": _heading(key)}, container=False)


def _section(found: dict[str, Any], name: Section, **settings: Any) -> Any:
    value = render(Snapshot(), [name], Look())[name]
    found["sections"][name] = gr.HTML(value=value, **settings)
    return found["sections"][name]


def _head(words: Words, found: dict[str, Any]) -> None:
    def title(language: Language) -> Safe:
        name = element("h1", say(language, "app.title"))
        return element("div", join([name, element("p", say(language, "app.tagline"))]), id="wb-head")

    with gr.Row(elem_classes="wb-header"):
        words.make(gr.HTML, {"value": title}, container=False, scale=1)
        choices = [(name, key) for key, name in LANGUAGES.items()]
        found["language"] = words.make(
            gr.Radio,
            {"label": "side.language"},
            choices=choices,
            value="en",
            show_label=False,
            container=False,
            scale=0,
            min_width=170,
            elem_id="wb-language",
        )


def _sidebar(words: Words, found: dict[str, Any]) -> None:
    _html(words, "side.data")
    found["source"] = words.make(
        gr.Radio,
        {"label": "side.source", "choices": [(f"source.{name}", name) for name in SOURCES]},
        value="english",
        show_label=False,
        container=False,
        elem_id="wb-source",
    )
    found["pasted"] = words.make(
        gr.Textbox,
        {"label": "side.paste", "placeholder": "side.paste_hint"},
        lines=6,
        max_lines=12,
        visible=False,
        elem_id="wb-paste",
    )
    found["file"] = words.make(
        gr.File, {"label": "side.file"}, file_types=_UPLOADS, height=110, visible=False, elem_id="wb-file"
    )
    found["file_column"] = words.make(
        gr.Dropdown,
        {"label": "side.file_column"},
        choices=[(word("en", "side.file_auto"), "")],
        value="",
        visible=False,
        elem_id="wb-file-column",
    )
    with gr.Row():
        found["run"] = words.make(
            gr.Button, {"value": "side.run"}, variant="primary", size="md", elem_id="wb-run"
        )
        found["cancel"] = words.make(
            gr.Button, {"value": "side.cancel"}, variant="stop", size="md", visible=False, elem_id="wb-cancel"
        )
    _html(words, "side.columns")
    found["slots"] = tuple(_slot(words, place) for place in range(MAX_COLUMNS))
    found["add"] = words.make(gr.Button, {"value": "side.add"}, size="sm", elem_id="wb-add")
    _html(words, "side.device")
    found["device"] = words.make(
        gr.Radio,
        {"label": "side.device", "choices": [(f"device.{name}", name) for name in DEVICES]},
        value="cpu",
        show_label=False,
        container=False,
        elem_id="wb-device",
    )
    _section(found, "hardware", elem_id="wb-hardware")


def _slot(words: Words, place: int) -> Slot:
    form = DEFAULT_FORMS[place]
    frame = gr.Accordion(
        label=f"{place + 1} · {form.contender}",
        open=False,
        visible=DEFAULT_ACTIVE[place],
        elem_id=f"wb-column-{place}",
        elem_classes=["wb-column", f"c{place}"],
    )
    switch = [("choice.auto", AUTO), ("choice.yes", "yes"), ("choice.no", "no")]
    with frame:
        made = {
            "contender": words.make(
                gr.Dropdown,
                {"label": "form.contender", "choices": [(f"contender.{name}", name) for name in CONTENDERS]},
                value=form.contender,
            ),
            "model": words.make(
                gr.Textbox,
                {"label": "form.model", "placeholder": "form.model_hint"},
                value=form.model,
                max_length=300,
            ),
        }
        with gr.Row():
            pooling = [("choice.auto", AUTO), *((mode, mode) for mode in POOLINGS)]
            made["pooling"] = words.make(
                gr.Dropdown, {"label": "form.pooling", "choices": pooling}, value=form.pooling, min_width=120
            )
            # A text box: a number box sends 0 where nothing was typed.
            made["max_length"] = words.make(
                gr.Textbox,
                {"label": "form.max_length", "placeholder": "form.max_length_hint"},
                value=str(control_value(form, "max_length")),
                max_lines=1,
                min_width=100,
            )
        made["prompt"] = words.make(
            gr.Textbox,
            {"label": "form.prompt", "placeholder": "form.prompt_hint"},
            value=form.prompt,
            max_length=2000,
        )
        with gr.Row():
            for name in ("normalize", "lowercase"):
                made[name] = words.make(
                    gr.Dropdown,
                    {"label": f"form.{name}", "choices": switch},
                    value=getattr(form, name),
                    min_width=120,
                )
        with gr.Row():
            choices = [(name, name) for name in PRECISIONS]
            made["precision"] = words.make(
                gr.Dropdown, {"label": "form.precision"}, choices=choices, value=form.precision, min_width=120
            )
            made["use_mask"] = words.make(
                gr.Checkbox, {"label": "form.use_mask"}, value=form.use_mask, min_width=100
            )
        remove = words.make(gr.Button, {"value": "side.remove"}, size="sm", elem_id=f"wb-remove-{place}")
    return Slot(frame, tuple(made[name] for name in FIELDS), remove)


def _top(words: Words, found: dict[str, Any]) -> None:
    """Verdict, chips, coverage, progress: what a visitor reads first."""
    found["notices"] = gr.HTML(elem_id="wb-notices")
    _section(found, "failures", elem_id="wb-failures")
    _section(found, "verdict", elem_id="wb-verdict")
    with gr.Row(elem_classes="wb-chips"):
        found["chip_title"] = gr.HTML(chip_title("manual", "en"), elem_classes="wb-chip-title")
        found["chips"] = {
            name: words.make(
                gr.Button,
                {"value": f"chip.{name}"},
                size="sm",
                elem_classes="wb-chip",
                elem_id=f"wb-chip-{name}",
            )
            for name in BREAKS
        }
        found["repair"] = words.make(
            gr.Button,
            {"value": "chip.repair"},
            size="sm",
            elem_classes=["wb-chip", "repair"],
            elem_id="wb-chip-repair",
        )
    with gr.Row(elem_classes="wb-under"):
        _section(found, "coverage", elem_id="wb-coverage")
        _section(found, "progress", elem_id="wb-progress")


def chip_title(label: str, language: Language) -> Safe:
    """The words before the chips: which column they break."""
    return element("span", say(language, "chip.title", name=label))


def _panels(words: Words, found: dict[str, Any]) -> None:
    with gr.Column(elem_classes="wb-panel"):
        _section(found, "board", elem_id="wb-board", js_on_load=_BOARD_JS)
        with words.make(gr.Accordion, {"label": "pairs.title"}, open=False):
            _section(found, "pairs", elem_id="wb-pairs", elem_classes="wb-tall")
    with gr.Column(elem_classes="wb-panel"):
        _html(words, "agreement.title")
        _section(found, "agreement", elem_id="wb-agreement")
    with gr.Row(elem_classes="wb-two", equal_height=True):
        with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
            _difference(words, found)
        with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
            _map(words, found)
    with gr.Column(elem_classes="wb-panel"):
        _speed(words, found)
    with gr.Row(elem_classes="wb-two", equal_height=True):
        with gr.Column(elem_classes="wb-panel", scale=2, min_width=280):
            _html(words, "sentences.title")
            _section(found, "sentences", elem_id="wb-sentences", js_on_load=_LIST_JS)
        with gr.Column(elem_classes="wb-panel", scale=3, min_width=320):
            _section(found, "opened", elem_id="wb-opened", js_on_load=_LIST_JS)
    _outputs(words, found)


def _difference(words: Words, found: dict[str, Any]) -> None:
    with gr.Row(elem_classes="wb-titled"):
        _html(words, "diff.title")
        found["pair"] = words.make(
            gr.Dropdown, {"label": "diff.pair"}, choices=[], value=None, show_label=False, container=False,
            min_width=190, elem_id="wb-pair",
        )  # fmt: skip
    _section(found, "difference", elem_id="wb-difference", js_on_load=_BOARD_JS)


def _map(words: Words, found: dict[str, Any]) -> None:
    _html(words, "map.title")
    found["sections"]["map"] = gr.Plot(show_label=False, container=False, elem_id="wb-map")
    _section(found, "map_note", elem_id="wb-map-note")
    with words.make(gr.Accordion, {"label": "map.table"}, open=False):
        _section(found, "points", elem_id="wb-points", elem_classes="wb-tall")


def _speed(words: Words, found: dict[str, Any]) -> None:
    with gr.Row(elem_classes="wb-titled"):
        _html(words, "speed.title")
        found["time_it"] = words.make(
            gr.Button, {"value": "speed.measure"}, size="sm", elem_classes="wb-chip", elem_id="wb-time"
        )
        found["memory"] = words.make(
            gr.Button,
            {"value": "speed.measure_memory"},
            size="sm",
            elem_classes="wb-chip",
            elem_id="wb-memory",
        )
    _section(found, "speed", elem_id="wb-speed")


def _outputs(words: Words, found: dict[str, Any]) -> None:
    with gr.Column(elem_classes="wb-panel"):
        _html(words, "code.title")
        found["code_column"] = words.make(
            gr.Radio,
            {"label": "code.column"},
            choices=[],
            show_label=False,
            container=False,
            elem_id="wb-code-column",
        )
        found["code"] = gr.Code(
            language="python", show_label=False, interactive=False, lines=8, max_lines=24, elem_id="wb-code",
            buttons=["copy", "download"],
        )  # fmt: skip
        with gr.Row(elem_classes="wb-chips"):
            words.make(
                gr.HTML,
                {"value": lambda language: element("span", say(language, "download.title"))},
                elem_classes="wb-chip-title",
            )
            found["downloads"] = {
                kind: words.make(
                    gr.Button, {"value": f"download.{kind}"}, size="sm", elem_classes="wb-chip",
                    elem_id=f"wb-download-{kind}",
                )
                for kind in ("csv", "parquet", "json")
            }  # fmt: skip
        found["download_file"] = gr.DownloadButton(visible="hidden", elem_id="wb-download-file")
