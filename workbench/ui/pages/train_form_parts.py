"""The form of the Train page, laid out: data, modules and loss, settings, and the settings as text."""

from __future__ import annotations

from functools import partial

import gradio as gr

from workbench.persistence.source import BUNDLED
from workbench.ui.pages.train_form import (
    AUTO,
    DEFAULTS,
    MAX_OTHERS,
    MAX_SEEDS,
    OWN,
    ROLE_SLOTS,
    SOURCES,
    VIEWS,
)
from workbench.ui.pages.train_pieces import Parts, button, control, note, show
from workbench.ui.translate import heading

_UPLOADS = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"]
_POOLINGS = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
_SCHEDULERS = (
    "WarmupLinear",
    "WarmupCosine",
    "WarmupCosineWithHardRestarts",
    "WarmupConstant",
    "ConstantLR",
)
_RESCALES = ("0-1", "0-5", "1-5", "0-10", "0-100", "percent", "-1-1")


def lay_out_data(parts: Parts) -> None:
    """Where the rows come from, how they are read, and what is seen of them."""
    heading(parts.words, "train.data_title")
    control(
        parts,
        "source",
        gr.Radio,
        said={"choices": [(f"train.source_{name.replace('-', '_')}", name) for name in SOURCES]},
        show_label=False,
        container=False,
    )
    with gr.Row(elem_classes="wb-fields"):
        control(
            parts,
            "view",
            gr.Dropdown,
            said={"choices": [(f"train.view_{name}", name) for name in VIEWS]},
            min_width=160,
        )
        control(
            parts,
            "desk_language",
            gr.Dropdown,
            choices=[("English", "en"), ("한국어", "ko")],
            min_width=110,
        )
    control(
        parts, "pasted", gr.Textbox, said={"placeholder": "train.paste_hint"}, lines=6, max_lines=14,
        visible=False,
    )  # fmt: skip
    control(parts, "file", gr.File, file_types=_UPLOADS, height=110, visible=False)
    with gr.Row(elem_classes="wb-fields", visible=False) as hub:
        parts.shown["hub_row"] = hub
        control(parts, "hub_name", gr.Textbox, placeholder="sentence-transformers/stsb", min_width=180)
        control(parts, "hub_subset", gr.Textbox, min_width=90)
        control(parts, "hub_split", gr.Textbox, min_width=90)
        button(parts, "fetch")
    show(parts, "data_error")
    with gr.Row(elem_classes="wb-fields", visible=False) as reading:
        parts.shown["reading_row"] = reading
        control(
            parts, "encoding", gr.Dropdown, choices=[("UTF-8", AUTO)], min_width=150,
        )  # fmt: skip
        control(
            parts, "rescale", gr.Dropdown,
            said={"choices": [("train.as_it_is", AUTO), *((name, name) for name in _RESCALES)]},
            min_width=110,
        )  # fmt: skip
        control(parts, "held_out_share", gr.Number, minimum=0.05, maximum=0.5, step=0.05, min_width=110)
    with gr.Row(elem_classes="wb-fields"):
        for slot in range(ROLE_SLOTS):
            name = f"role_{slot}"
            parts.fields[name] = gr.Dropdown(
                choices=[(AUTO, AUTO)], value=AUTO, visible=False, min_width=130,
                elem_id=f"wb-field-role-{slot}", label=f"{slot}",
            )  # fmt: skip
    show(parts, "data")


def lay_out_modules(parts: Parts) -> None:
    """The model, the loss, the evaluator."""
    heading(parts.words, "train.modules_title")
    with gr.Row(elem_classes="wb-fields"):
        control(
            parts, "model", gr.Textbox, said={"placeholder": "form.model_hint"}, max_length=300, min_width=180
        )
        control(
            parts, "max_seq_length", gr.Textbox, said={"placeholder": "form.max_length_hint"}, min_width=80
        )
    with gr.Row(elem_classes="wb-fields"):
        control(
            parts, "pooling", gr.Dropdown,
            said={"choices": [("choice.auto", OWN), *((name, name) for name in _POOLINGS)]}, min_width=90,
            allow_custom_value=True,
        )  # fmt: skip
        control(parts, "dense", gr.Textbox, said={"placeholder": "train.none"}, min_width=80)
        control(
            parts, "normalize", gr.Dropdown,
            said={"choices": [("choice.auto", OWN), ("choice.yes", "yes"), ("choice.no", "no")]},
            min_width=80,
        )  # fmt: skip
        button(parts, "print_model")
    show(parts, "modules")
    with gr.Row(elem_classes="wb-fields"):
        control(
            parts, "loss", gr.Dropdown, choices=[DEFAULTS["loss"]], allow_custom_value=True, min_width=220
        )
        control(parts, "inner", gr.Dropdown, choices=[DEFAULTS["inner"]], allow_custom_value=True,
                 visible=False, min_width=180)  # fmt: skip
        control(parts, "evaluator", gr.Dropdown,
                 said={"choices": [("train.evaluator_auto", AUTO), ("train.none", "none")]},
                 min_width=140)  # fmt: skip
    show(parts, "loss_note")
    control(parts, "loss_arguments", gr.Textbox, lines=1, max_lines=5)
    control(
        parts, "others", gr.Dropdown, choices=[BUNDLED], multiselect=True, allow_custom_value=True,
        max_choices=MAX_OTHERS, value=list(DEFAULTS["others"]),
    )  # fmt: skip
    parts.words.make(gr.HTML, {"value": partial(note, "train.others_note")})


def lay_out_settings(parts: Parts) -> None:
    """Six settings in sight, the rest folded."""
    heading(parts.words, "train.settings_title")
    with gr.Row(elem_classes="wb-fields"):
        control(parts, "epochs", gr.Number, precision=0, minimum=1, maximum=1000, min_width=80)
        control(parts, "batch_size", gr.Number, precision=0, minimum=1, maximum=65536, min_width=80)
        control(parts, "learning_rate", gr.Textbox, min_width=80)
        control(parts, "warmup", gr.Number, minimum=0, min_width=80)
        control(parts, "seeds", gr.Number, precision=0, minimum=1, maximum=MAX_SEEDS, min_width=80)
        control(parts, "seed", gr.Number, precision=0, minimum=0, min_width=80)
    with parts.words.make(gr.Accordion, {"label": "train.more"}, open=False):
        with gr.Row(elem_classes="wb-fields"):
            control(parts, "scheduler", gr.Dropdown, choices=list(_SCHEDULERS), min_width=150)
            control(parts, "precision", gr.Dropdown, choices=["fp32", "bf16", "fp16"], min_width=90)
            control(
                parts, "threads", gr.Textbox, said={"placeholder": "train.all"}, max_lines=1, min_width=80
            )
            control(parts, "dropout", gr.Checkbox, min_width=90)
        with gr.Row(elem_classes="wb-fields"):
            for name in ("weight_decay", "max_grad_norm"):
                control(parts, name, gr.Number, minimum=0, min_width=100)
            for name in ("gradient_accumulation_steps", "max_steps", "evaluation_steps", "checkpoint_steps"):
                control(parts, name, gr.Number, precision=0, minimum=0, min_width=100)
            control(
                parts,
                "early_stopping_patience",
                gr.Textbox,
                said={"placeholder": "train.none"},
                min_width=100,
            )


def lay_out_outputs(parts: Parts) -> None:
    """The settings as YAML, out and in, and the script."""
    with gr.Column(elem_classes="wb-panel"):
        with gr.Row(elem_classes="wb-titled"):
            heading(parts.words, "train.yaml_title")
            button(parts, "yaml")
            button(parts, "apply_yaml")
            button(parts, "script")
        parts.words.make(gr.HTML, {"value": partial(note, "train.yaml_note")})
        parts.shown["yaml"] = gr.Code(
            language="yaml", show_label=False, lines=6, max_lines=24, interactive=True,
            elem_id="wb-train-yaml-text", buttons=["copy", "download"],
        )  # fmt: skip
        parts.shown["code"] = gr.Code(
            language="python", show_label=False, lines=6, max_lines=30, interactive=False, visible=False,
            elem_id="wb-train-code-text", buttons=["copy", "download"],
        )  # fmt: skip
