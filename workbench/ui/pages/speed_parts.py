"""The components of the Speed page, laid out: nothing here listens to anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from workbench.compare.bench_corpora import CORPORA, OWN_TEXTS
from workbench.compare.bench_plan import PRECISIONS
from workbench.contenders.registry import CONTENDERS
from workbench.ui.pages.speed_form import DEFAULTS, DEVICES
from workbench.ui.runs_home import owner_state
from workbench.ui.shell import head
from workbench.ui.texts import TEXTS, say
from workbench.ui.translate import Words, heading
from workbench.ui.widgets.bench_figures import AXES
from workbench.ui.widgets.html import element

POLL_SECONDS = 1.0
_BATCH_SIZES = (1, 8, 16, 32, 64, 128)
_FILES = [".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"]


@dataclass
class Parts:
    """Every component that an event reads or writes, by the name that the events use."""

    words: Words = field(default_factory=Words)
    named: dict[str, Any] = field(default_factory=dict)


def lay_out() -> Parts:
    """Build the page inside an open route."""
    parts = Parts()
    parts.named |= {
        "state.owner": owner_state(),
        # One press of the button counts once: both clicks of a double click bring the same key.
        "state.key": gr.State(""),
        # In the browser, whose address is to name it; whose run it is, is asked at every call.
        "state.run": gr.Textbox(visible="hidden", elem_id="wb-speed-run-id", label="run id"),
        "state.seen": gr.State(""),
        "timer": gr.Timer(POLL_SECONDS, active=False),
    }
    with gr.Column(elem_classes=["wb-page", "wb-lab"]):
        parts.named["language"] = head(parts.words, "speed")
        _wanted(parts)
        with gr.Column(elem_classes="wb-panel", visible=False) as panel:
            parts.named["run_panel"] = panel
            with gr.Row(elem_classes="wb-statusrow"):
                _show(parts, "status")
                _button(parts, "cancel", visible=False)
        with gr.Column(visible=False, elem_id="wb-speed-result") as result:
            parts.named["result_panel"] = result
            _result(parts)
    return parts


def _wanted(parts: Parts) -> None:
    """What is measured, and the button that measures it."""
    with gr.Column(elem_classes="wb-panel"):
        parts.words.make(
            gr.HTML,
            {"value": lambda language: element("p", say(language, "lab.lead"), class_="wb-lab-lead")},
        )
        with gr.Row(elem_classes="wb-lab-choices"):
            _choices(parts, "contenders", _contenders())
            _choices(parts, "precisions", [(name, name) for name in PRECISIONS])
            _choices(parts, "corpora", [(f"lab.corpus_{name}", name) for name in (*CORPORA, OWN_TEXTS)])
        with gr.Row(elem_classes="wb-chips"):
            _button(parts, "measure", variant="primary", size="lg", elem_classes="wb-lab-go")
            parts.words.make(
                gr.HTML, {"value": lambda language: say(language, "lab.measure_hint")},
                elem_classes="wb-chip-title",
            )  # fmt: skip
        _show(parts, "error")
        own = parts.words.make(gr.Accordion, {"label": "lab.own_texts"}, open=False)
        with own, gr.Row(elem_classes="wb-lab-fields"):
            _control(
                parts, "pasted", gr.Textbox, lines=4, max_lines=12, scale=2, min_width=240,
                said={"placeholder": "lab.pasted_hint"},
            )  # fmt: skip
            _control(parts, "file", gr.File, file_types=_FILES, height=110, scale=1, min_width=200)
        with parts.words.make(gr.Accordion, {"label": "lab.more"}, open=False):
            _more(parts)


def _more(parts: Parts) -> None:
    with gr.Row(elem_classes="wb-lab-choices"):
        _choices(parts, "batch_sizes", [(str(size), str(size)) for size in _BATCH_SIZES])
        _control(
            parts, "device", gr.Radio, said={"choices": [(f"device.{name}", name) for name in DEVICES]},
            min_width=160,
        )  # fmt: skip
        for name in ("memory", "tradeoff"):
            _control(parts, name, gr.Checkbox, min_width=160)
    with gr.Row(elem_classes="wb-lab-fields"):
        _control(parts, "model", gr.Textbox, max_lines=1, max_length=300, min_width=180, scale=2)
        _control(
            parts, "baseline", gr.Dropdown, choices=list(CONTENDERS), min_width=130,
        )  # fmt: skip
        for name in ("rounds", "budget_seconds", "words", "threads", "max_length"):
            _control(parts, name, gr.Number, min_width=110, precision=None if name == "budget_seconds" else 0)


def _result(parts: Parts) -> None:
    _show(parts, "verdict")
    with gr.Column(elem_classes="wb-panel"):
        heading(parts.words, "lab.speed_title")
        _plot(parts, "ratio_plot")
        _show(parts, "figures")
        _note(parts, "lab.figures_note")
        _show(parts, "not_run")
        with gr.Row(elem_classes="wb-chips"):
            for name in ("json", "csv"):
                _button(parts, name)
        parts.named["file_out"] = gr.DownloadButton(visible="hidden", elem_id="wb-speed-file")
    with gr.Row(elem_classes="wb-two"):
        with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
            heading(parts.words, "lab.shares_title")
            _plot(parts, "shares_plot")
            _show(parts, "shares_table")
        with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
            heading(parts.words, "lab.memory_title")
            _show(parts, "memory")
    with gr.Column(elem_classes="wb-panel") as panel:
        parts.named["tradeoff_panel"] = panel
        heading(parts.words, "lab.tradeoff_title")
        parts.named["axis"] = parts.words.make(
            gr.Radio,
            {"label": "lab.axis", "choices": [(f"lab.axis_{name}", name) for name in AXES]},
            value=next(iter(AXES)),
            elem_id="wb-speed-axis",
        )
        _plot(parts, "tradeoff_plot")
        _show(parts, "tradeoff_table")
    with gr.Column(elem_classes="wb-panel"):
        heading(parts.words, "lab.earlier_title")
        parts.named["earlier_choice"] = parts.words.make(
            gr.Dropdown,
            {"label": "lab.earlier_choice"},
            choices=[],
            visible=False,
            elem_id="wb-speed-earlier-choice",
        )
        _show(parts, "earlier")
        _show(parts, "around")
    with parts.words.make(gr.Accordion, {"label": "lab.code"}, open=False):
        for name, kind in (("command", "shell"), ("program", "python")):
            parts.named[name] = gr.Code(
                language=kind, show_label=False, lines=2 if kind == "shell" else 8, max_lines=24,
                interactive=False, elem_id=f"wb-speed-{name}", buttons=["copy", "download"],
            )  # fmt: skip


def _contenders() -> list[tuple[str, str]]:
    """What each contender is called: its words, or its title where the words do not know it."""
    return [
        (f"contender.{name}" if f"contender.{name}" in TEXTS["en"] else kind.title, name)
        for name, kind in CONTENDERS.items()
    ]


def _show(parts: Parts, name: str) -> None:
    """An HTML component that an event fills."""
    parts.named[name] = gr.HTML(elem_id=f"wb-speed-{name.replace('_', '-')}")


def _plot(parts: Parts, name: str) -> None:
    parts.named[name] = gr.Plot(
        show_label=False, container=False, elem_id=f"wb-speed-{name.replace('_', '-')}",
        elem_classes="wb-lab-plot",
    )  # fmt: skip


def _note(parts: Parts, key: str) -> None:
    parts.words.make(gr.HTML, {"value": lambda language: element("p", say(language, key), class_="wb-note")})


def _button(parts: Parts, name: str, **settings: Any) -> None:
    settings = {"size": "sm", "elem_classes": "wb-chip", **settings}
    parts.named[f"button.{name}"] = parts.words.make(
        gr.Button, {"value": f"lab.button_{name}"}, elem_id=f"wb-speed-{name}", **settings
    )


def _choices(parts: Parts, name: str, choices: list[tuple[str, str]]) -> None:
    _control(parts, name, gr.CheckboxGroup, said={"choices": choices}, min_width=220)


def _control(parts: Parts, name: str, kind: Any, **settings: Any) -> None:
    """A control of the form, with its default."""
    said: dict[str, Any] = {"label": f"lab.field_{name}", **settings.pop("said", {})}
    parts.named[f"field.{name}"] = parts.words.make(
        kind, said, value=DEFAULTS[name], elem_id=f"wb-speed-field-{name.replace('_', '-')}", **settings
    )
