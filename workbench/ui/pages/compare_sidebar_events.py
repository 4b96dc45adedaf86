"""The events of the sidebar and the chips: from the values of controls to changes by component name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from workbench.ui.columns import (
    BREAKS,
    FIELDS,
    MAX_COLUMNS,
    ColumnForm,
    break_column,
    broken_slot,
    control_value,
    labels_of,
    present_break,
    stated_settings,
)
from workbench.ui.errors import guarded
from workbench.ui.pages.compare_handlers import forms_of
from workbench.ui.sentences import file_columns, stored_upload
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.widgets.html import element
from workbench.ui.widgets.progress_line import idle_html, stage_html

# Name of a component → its new value or a ``gr.update``.
Changes = dict[str, Any]


def control_names() -> list[str]:
    """Names of all controls of all columns, in the order of their values."""
    return [f"control.{slot}.{field}" for slot in range(MAX_COLUMNS) for field in FIELDS]


def waiting(language: object) -> Changes:
    """Say at once that the wish was heard: another visitor's comparison may come first."""
    return {"progress": stage_html(say(as_language(language), "progress.queued"), 0, 1)}


@guarded
def apply_chip(language: Language, name: str | None, active: object, *values: object) -> Changes:
    """Put one fault into the manual column's form, or take all out; the comparison follows."""
    forms, used = forms_of(values, active)
    slot = broken_slot(forms, used)
    form = break_column(forms, used, name)
    changed = tuple(form if place == slot else one for place, one in enumerate(forms))
    controls = {f"control.{slot}.{field}": control_value(form, field) for field in BREAKS}
    described = {**chip_changes(changed, used, language), **frame_changes(changed, used, language)}
    return {**controls, **described, **waiting(language)}


@guarded
def describe(language: Language, active: object, *values: object) -> Changes:
    """Name each column's frame by what it does, after any change in the sidebar."""
    forms, used = forms_of(values, active)
    told = element("span", say(language, "side.changed"))
    return {
        **frame_changes(forms, used, language),
        **chip_changes(forms, used, language),
        "progress": idle_html(told),
    }


@guarded
def set_active(language: Language, slot: int | None, active: object, *values: object) -> Changes:
    """Take the next free column into use (``slot`` None), or one out of use."""
    used = list(active) if isinstance(active, list) else []
    free = next((place for place, on in enumerate(used) if not on), None)
    if slot is None and free is not None:
        used[free] = True
    elif slot is not None and sum(used) > 1:
        used[slot] = False
    forms, flags = forms_of(values, used)
    frames = frame_changes(forms, flags, language)
    told = element("span", say(language, "side.changed"))
    return {
        **frames,
        **chip_changes(forms, flags, language),
        "active": used,
        "add": gr.update(visible=not all(used)),
        "progress": idle_html(told),
    }


def frame_changes(forms: tuple[ColumnForm, ...], active: tuple[bool, ...], language: Language) -> Changes:
    """The frame of each column: whether it is there, and its name with what sets it apart."""
    labels = iter(labels_of([form for form, on in zip(forms, active, strict=True) if on], ("cpu",)))
    changes: Changes = {}
    for slot, (form, on) in enumerate(zip(forms, active, strict=True)):
        label = _described(next(labels), form, language) if on else form.contender
        changes[f"frame.{slot}"] = gr.update(label=label, visible=on)
    return changes


def _described(label: str, form: ColumnForm, language: Language) -> str:
    parts = [f"{word(language, f'setting.{name}')} {value}" for name, value in _apart(form, language).items()]
    model = form.model.rstrip("/").rsplit("/", 1)[-1]
    return " · ".join([label, *([model] if model else []), *parts])


def _apart(form: ColumnForm, language: Language) -> dict[str, str]:
    shown = {"yes": word(language, "choice.yes"), "no": word(language, "choice.no")}
    apart: dict[str, str] = {}
    for name, value in stated_settings(form).items():
        if name == "use_mask":
            value = word(language, "choice.no")
        apart[name] = shown.get(str(value), str(value))[:24]
    return apart


def chip_changes(forms: tuple[ColumnForm, ...], active: tuple[bool, ...], language: Language) -> Changes:
    """Which chip is lit, and the name of the column they break."""
    lit = present_break(forms, active)
    used = [slot for slot, on in enumerate(active) if on]
    labels = labels_of([forms[slot] for slot in used], ("cpu",))
    broken = labels[used.index(broken_slot(forms, active))] if used else ""
    changes: Changes = {
        f"chip.{name}": gr.update(elem_classes=["wb-chip", *(["on"] if name == lit else [])])
        for name in BREAKS
    }
    return {**changes, "chip_title": element("span", say(language, "chip.title", name=broken))}


@guarded
def show_source(_language: Language, source: object, columns: object) -> Changes:
    """Show the controls of the chosen source."""
    return {
        "pasted": gr.update(visible=source == "paste"),
        "file": gr.update(visible=source == "file"),
        "file_column": gr.update(visible=source == "file" and bool(columns)),
    }


@guarded
def read_upload(language: Language, file: object) -> Changes:
    """Offer the columns of an uploaded table."""
    path = stored_upload(file)
    names = file_columns(Path(path)) if path else ()
    choices = [(word(language, "side.file_auto"), ""), *((name, name) for name in names)]
    return {
        "file_column": gr.update(choices=choices, value="", visible=len(names) > 1),
        "columns": list(names),
    }
