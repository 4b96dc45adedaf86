"""The components of the Train page, laid out: nothing here listens to anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.ui.pages.train_form import (
    AUTO,
    DEFAULTS,
    FIELDS,
    MAX_SEEDS,
    OWN,
    ROLE_SLOTS,
    SOURCES,
    VIEWS,
)
from workbench.ui.runs_home import owner_state
from workbench.ui.shell import head
from workbench.ui.texts import Language, say
from workbench.ui.translate import Words, heading
from workbench.ui.widgets.curves import CURVES_JS
from workbench.ui.widgets.html import Safe, element
from workbench.ui.widgets.process_diagram import diagram_html

_UPLOADS = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"]
_DIAGRAM_JS = (Path(__file__).parent.parent / "process.js").read_text(encoding="utf-8")
_POOLINGS = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
_SCHEDULERS = (
    "WarmupLinear",
    "WarmupCosine",
    "WarmupCosineWithHardRestarts",
    "WarmupConstant",
    "ConstantLR",
)
_RESCALES = ("0-1", "0-5", "1-5", "0-10", "0-100", "percent", "-1-1")
POLL_SECONDS = 1.0


@dataclass
class Parts:
    """Every component that an event reads or writes."""

    words: Words
    language: Any = None
    fields: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    buttons: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def controls(self) -> list[Any]:
        """The controls of the form in the order of ``FIELDS``."""
        return [self.fields[name] for name in FIELDS]

    def named(self) -> dict[str, Any]:
        """Component name, as the events use it → component."""
        return {
            **{f"field.{name}": control for name, control in self.fields.items()},
            **self.shown,
            **{f"button.{name}": button for name, button in self.buttons.items()},
            **{f"state.{name}": state for name, state in self.state.items()},
        }


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
                _data(parts)
            with gr.Column(elem_classes="wb-panel", scale=1, min_width=300):
                _modules(parts)
                _settings(parts)
        _outputs(parts)
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


def _html(parts: Parts, name: str, value: str = "", **settings: Any) -> Any:
    parts.shown[name] = gr.HTML(value, elem_id=f"wb-train-{name.replace('_', '-')}", **settings)
    return parts.shown[name]


def _button(parts: Parts, name: str, **settings: Any) -> Any:
    settings = {"size": "sm", "elem_classes": "wb-chip", **settings}
    parts.buttons[name] = parts.words.make(
        gr.Button, {"value": f"train.button_{name}"}, elem_id=f"wb-train-{name.replace('_', '-')}", **settings
    )
    return parts.buttons[name]


def _control(parts: Parts, name: str, kind: Any, **settings: Any) -> Any:
    said: dict[str, Any] = {"label": f"train.field_{name}", **settings.pop("said", {})}
    settings.setdefault("value", DEFAULTS[name])
    parts.fields[name] = parts.words.make(
        kind, said, elem_id=f"wb-field-{name.replace('_', '-')}", **settings
    )
    return parts.fields[name]


def _note(key: str, language: Language) -> Safe:
    return element("p", say(language, key), class_="wb-note")


def _top(parts: Parts) -> None:
    """What the page does, the buttons that do it, and the classic process as a diagram."""
    with gr.Column(elem_classes="wb-panel"):
        parts.words.make(
            gr.HTML,
            {"value": lambda language: element("p", say(language, "train.lead"), class_="wb-lead")},
            elem_id="wb-train-lead",
        )
        with gr.Row(elem_classes="wb-chips"):
            _button(parts, "train", variant="primary", size="lg", elem_classes="wb-go")
            _button(parts, "ways", variant="secondary", size="lg", elem_classes="wb-go", visible=False)
            _button(parts, "measure")
            _button(parts, "article")
        _html(parts, "estimate")
        _html(parts, "error")
        _html(parts, "diagram", diagram_html("en", ""), js_on_load=_DIAGRAM_JS)
        with gr.Row(elem_classes=["wb-chips", "wb-step-row"]):
            parts.shown["plain"] = parts.words.make(
                gr.Checkbox, {"label": "train.plain"}, value=False, visible=False, container=False,
                elem_id="wb-train-plain",
            )  # fmt: skip
            _button(parts, "one_step", visible=False)
        _html(parts, "step")
        _html(parts, "article_steps", js_on_load=_DIAGRAM_JS)


def _run(parts: Parts) -> None:
    """The run: where it stands, its curves, its log, its proof."""
    with gr.Column(elem_classes="wb-panel", visible=False, elem_id="wb-train-run") as panel:
        parts.shown["run_panel"] = panel
        with gr.Row(elem_classes="wb-statusrow"):
            _html(parts, "status")
            _button(parts, "cancel", visible=False)
            _button(parts, "resume", visible=False)
        _html(parts, "proof")
        with gr.Row(elem_classes="wb-chips", visible=False, elem_id="wb-train-results") as results:
            parts.shown["results"] = results
            for name in ("compare", "zip", "html", "json", "code", "yaml_out"):
                _button(parts, name)
        _html(parts, "compare_link")
        parts.shown["run_code"] = gr.Code(
            language="python", show_label=False, lines=6, max_lines=24, interactive=False, visible=False,
            elem_id="wb-train-run-code", buttons=["copy", "download"],
        )  # fmt: skip
        _html(parts, "curves", js_on_load=CURVES_JS)
        with parts.words.make(gr.Accordion, {"label": "train.log"}, open=False):
            _html(parts, "log")
        parts.shown["file"] = gr.DownloadButton(visible="hidden", elem_id="wb-train-file")


def _data(parts: Parts) -> None:
    heading(parts.words, "train.data_title")
    _control(
        parts,
        "source",
        gr.Radio,
        said={"choices": [(f"train.source_{name.replace('-', '_')}", name) for name in SOURCES]},
        show_label=False,
        container=False,
    )
    with gr.Row(elem_classes="wb-fields"):
        _control(
            parts,
            "view",
            gr.Dropdown,
            said={"choices": [(f"train.view_{name}", name) for name in VIEWS]},
            min_width=160,
        )
        _control(
            parts,
            "desk_language",
            gr.Dropdown,
            choices=[("English", "en"), ("한국어", "ko")],
            min_width=110,
        )
    _control(
        parts, "pasted", gr.Textbox, said={"placeholder": "train.paste_hint"}, lines=6, max_lines=14,
        visible=False,
    )  # fmt: skip
    _control(parts, "file", gr.File, file_types=_UPLOADS, height=110, visible=False)
    with gr.Row(elem_classes="wb-fields", visible=False) as hub:
        parts.shown["hub_row"] = hub
        _control(parts, "hub_name", gr.Textbox, placeholder="sentence-transformers/stsb", min_width=180)
        _control(parts, "hub_subset", gr.Textbox, min_width=90)
        _control(parts, "hub_split", gr.Textbox, min_width=90)
        _button(parts, "fetch")
    _html(parts, "data_error")
    with gr.Row(elem_classes="wb-fields", visible=False) as reading:
        parts.shown["reading_row"] = reading
        _control(
            parts, "encoding", gr.Dropdown, choices=[("UTF-8", AUTO)], min_width=150,
        )  # fmt: skip
        _control(
            parts, "rescale", gr.Dropdown,
            said={"choices": [("train.as_it_is", AUTO), *((name, name) for name in _RESCALES)]},
            min_width=110,
        )  # fmt: skip
        _control(parts, "held_out_share", gr.Number, minimum=0.05, maximum=0.5, step=0.05, min_width=110)
    with gr.Row(elem_classes="wb-fields"):
        for slot in range(ROLE_SLOTS):
            name = f"role_{slot}"
            parts.fields[name] = gr.Dropdown(
                choices=[(AUTO, AUTO)], value=AUTO, visible=False, min_width=130,
                elem_id=f"wb-field-role-{slot}", label=f"{slot}",
            )  # fmt: skip
    _html(parts, "data")


def _modules(parts: Parts) -> None:
    heading(parts.words, "train.modules_title")
    with gr.Row(elem_classes="wb-fields"):
        _control(
            parts, "model", gr.Textbox, said={"placeholder": "form.model_hint"}, max_length=300, min_width=180
        )
        _control(
            parts, "max_seq_length", gr.Textbox, said={"placeholder": "form.max_length_hint"}, min_width=80
        )
    with gr.Row(elem_classes="wb-fields"):
        _control(
            parts, "pooling", gr.Dropdown,
            said={"choices": [("choice.auto", OWN), *((name, name) for name in _POOLINGS)]}, min_width=90,
            allow_custom_value=True,
        )  # fmt: skip
        _control(parts, "dense", gr.Textbox, said={"placeholder": "train.none"}, min_width=80)
        _control(
            parts, "normalize", gr.Dropdown,
            said={"choices": [("choice.auto", OWN), ("choice.yes", "yes"), ("choice.no", "no")]},
            min_width=80,
        )  # fmt: skip
        _button(parts, "print_model")
    _html(parts, "modules")
    with gr.Row(elem_classes="wb-fields"):
        _control(
            parts, "loss", gr.Dropdown, choices=[DEFAULTS["loss"]], allow_custom_value=True, min_width=220
        )
        _control(parts, "inner", gr.Dropdown, choices=[DEFAULTS["inner"]], allow_custom_value=True,
                 visible=False, min_width=180)  # fmt: skip
        _control(parts, "evaluator", gr.Dropdown,
                 said={"choices": [("train.evaluator_auto", AUTO), ("train.none", "none")]},
                 min_width=140)  # fmt: skip
    _html(parts, "loss_note")
    _control(parts, "loss_arguments", gr.Textbox, lines=1, max_lines=5)


def _settings(parts: Parts) -> None:
    heading(parts.words, "train.settings_title")
    with gr.Row(elem_classes="wb-fields"):
        _control(parts, "epochs", gr.Number, precision=0, minimum=1, maximum=1000, min_width=80)
        _control(parts, "batch_size", gr.Number, precision=0, minimum=1, maximum=65536, min_width=80)
        _control(parts, "learning_rate", gr.Textbox, min_width=80)
        _control(parts, "warmup", gr.Number, minimum=0, min_width=80)
        _control(parts, "seeds", gr.Number, precision=0, minimum=1, maximum=MAX_SEEDS, min_width=80)
        _control(parts, "seed", gr.Number, precision=0, minimum=0, min_width=80)
    with parts.words.make(gr.Accordion, {"label": "train.more"}, open=False):
        with gr.Row(elem_classes="wb-fields"):
            _control(parts, "scheduler", gr.Dropdown, choices=list(_SCHEDULERS), min_width=150)
            _control(parts, "precision", gr.Dropdown, choices=["fp32", "bf16", "fp16"], min_width=90)
            _control(
                parts, "threads", gr.Textbox, said={"placeholder": "train.all"}, max_lines=1, min_width=80
            )
            _control(parts, "dropout", gr.Checkbox, min_width=90)
        with gr.Row(elem_classes="wb-fields"):
            for name in ("weight_decay", "max_grad_norm"):
                _control(parts, name, gr.Number, minimum=0, min_width=100)
            for name in ("gradient_accumulation_steps", "max_steps", "evaluation_steps", "checkpoint_steps"):
                _control(parts, name, gr.Number, precision=0, minimum=0, min_width=100)
            _control(
                parts,
                "early_stopping_patience",
                gr.Textbox,
                said={"placeholder": "train.none"},
                min_width=100,
            )


def _outputs(parts: Parts) -> None:
    """The settings as YAML, out and in, and the script."""
    with gr.Column(elem_classes="wb-panel"):
        with gr.Row(elem_classes="wb-titled"):
            heading(parts.words, "train.yaml_title")
            _button(parts, "yaml")
            _button(parts, "apply_yaml")
            _button(parts, "script")
        parts.words.make(gr.HTML, {"value": partial(_note, "train.yaml_note")})
        parts.shown["yaml"] = gr.Code(
            language="yaml", show_label=False, lines=6, max_lines=24, interactive=True,
            elem_id="wb-train-yaml-text", buttons=["copy", "download"],
        )  # fmt: skip
        parts.shown["code"] = gr.Code(
            language="python", show_label=False, lines=6, max_lines=30, interactive=False, visible=False,
            elem_id="wb-train-code-text", buttons=["copy", "download"],
        )  # fmt: skip
