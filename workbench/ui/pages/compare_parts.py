"""The components of the Compare page, laid out: nothing here listens to anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.ui.columns import (
    BREAKS,
    DEFAULT_ACTIVE,
)
from workbench.ui.pages.compare_sidebar import Slot, sidebar
from workbench.ui.pages.compare_view import Look, Section, render
from workbench.ui.session import SESSIONS
from workbench.ui.shell import head
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, say
from workbench.ui.translate import Words, heading
from workbench.ui.widgets.html import Safe, element

_HERE = Path(__file__).parent.parent
_BOARD_JS = (_HERE / "board.js").read_text(encoding="utf-8")
_LIST_JS = (_HERE / "sentences.js").read_text(encoding="utf-8")


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
        sidebar(words, found)
        _section(found, "hardware", elem_id="wb-hardware")
    with gr.Column(elem_classes="wb-page"):
        found["language"] = head(words, "")
        _top(words, found)
        _panels(words, found)
    return Parts(**found)


def _section(found: dict[str, Any], name: Section, **settings: Any) -> Any:
    value = render(Snapshot(), [name], Look())[name]
    found["sections"][name] = gr.HTML(value=value, **settings)
    return found["sections"][name]


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
        heading(words, "agreement.title")
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
            heading(words, "sentences.title")
            _section(found, "sentences", elem_id="wb-sentences", js_on_load=_LIST_JS)
        with gr.Column(elem_classes="wb-panel", scale=3, min_width=320):
            _section(found, "opened", elem_id="wb-opened", js_on_load=_LIST_JS)
    _outputs(words, found)


def _note(key: str, language: Language) -> Safe:
    return element("p", say(language, key), class_="wb-note")


def _difference(words: Words, found: dict[str, Any]) -> None:
    with gr.Row(elem_classes="wb-titled"):
        heading(words, "diff.title")
        found["pair"] = words.make(
            gr.Dropdown, {"label": "diff.pair"}, choices=[], value=None, show_label=False, container=False,
            min_width=190, elem_id="wb-pair",
        )  # fmt: skip
    _section(found, "difference", elem_id="wb-difference", js_on_load=_BOARD_JS)


def _map(words: Words, found: dict[str, Any]) -> None:
    heading(words, "map.title")
    found["sections"]["map"] = gr.Plot(show_label=False, container=False, elem_id="wb-map")
    _section(found, "map_note", elem_id="wb-map-note")
    with words.make(gr.Accordion, {"label": "map.table"}, open=False):
        _section(found, "points", elem_id="wb-points", elem_classes="wb-tall")


def _speed(words: Words, found: dict[str, Any]) -> None:
    with gr.Row(elem_classes="wb-titled"):
        heading(words, "speed.title")
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
        heading(words, "code.title")
        words.make(gr.HTML, {"value": partial(_note, "code.note")})
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
