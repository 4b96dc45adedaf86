"""The sidebar of the Compare page, laid out: where the sentences come from, the columns, the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from workbench.contenders.registry import installed_contenders
from workbench.ui.columns import (
    AUTO,
    DEFAULT_ACTIVE,
    DEFAULT_FORMS,
    FIELDS,
    MAX_COLUMNS,
    POOLINGS,
    PRECISIONS,
    control_value,
)
from workbench.ui.pages.compare_handlers import DEVICES
from workbench.ui.sentences import SOURCES
from workbench.ui.texts import word
from workbench.ui.translate import Words, heading

_UPLOADS = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".txt"]


@dataclass(frozen=True)
class Slot:
    """One column in the sidebar: its frame, its controls in the order of ``FIELDS``, its remove button."""

    frame: Any
    controls: tuple[Any, ...]
    remove: Any


def sidebar(words: Words, found: dict[str, Any]) -> None:
    """Build the sidebar's components into ``found``."""
    heading(words, "side.data")
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
    heading(words, "side.columns")
    found["slots"] = tuple(_slot(words, place) for place in range(MAX_COLUMNS))
    found["add"] = words.make(gr.Button, {"value": "side.add"}, size="sm", elem_id="wb-add")
    heading(words, "side.device")
    found["device"] = words.make(
        gr.Radio,
        {"label": "side.device", "choices": [(f"device.{name}", name) for name in DEVICES]},
        value="cpu",
        show_label=False,
        container=False,
        elem_id="wb-device",
    )


def _slot(words: Words, place: int) -> Slot:
    form = DEFAULT_FORMS[place]
    frame = gr.Accordion(
        label=form.contender,
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
                {
                    "label": "form.contender",
                    "choices": [(f"contender.{name}", name) for name in installed_contenders()],
                },
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
                gr.Dropdown, {"label": "form.pooling", "choices": pooling}, value=form.pooling, min_width=80
            )
            # A text box: a number box sends 0 where nothing was typed.
            made["max_length"] = words.make(
                gr.Textbox,
                {"label": "form.max_length", "placeholder": "form.max_length_hint"},
                value=str(control_value(form, "max_length")),
                max_lines=1,
                min_width=80,
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
                    min_width=80,
                )
        with gr.Row():
            choices = [(name, name) for name in PRECISIONS]
            made["precision"] = words.make(
                gr.Dropdown, {"label": "form.precision"}, choices=choices, value=form.precision, min_width=80
            )
            made["use_mask"] = words.make(
                gr.Checkbox, {"label": "form.use_mask"}, value=form.use_mask, min_width=80
            )
        remove = words.make(gr.Button, {"value": "side.remove"}, size="sm", elem_id=f"wb-remove-{place}")
    return Slot(frame, tuple(made[name] for name in FIELDS), remove)
