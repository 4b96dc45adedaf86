"""The events of the form of the Train page: data looked at, the losses that fit, the modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from workbench.data.roles import ROLES
from workbench.errors import WorkbenchError
from workbench.persistence.source import BUNDLED
from workbench.ui.errors import box_html, error_box, guarded
from workbench.ui.pages.train_data import (
    BUNDLED_DATA,
    COMMON_LOSSES,
    Look,
    encoding_choices,
    look_at,
)
from workbench.ui.pages.train_events import cleared, refused
from workbench.ui.pages.train_form import (
    AUTO,
    ROLE_SLOTS,
    WRAPPERS,
    Wish,
    by_name,
    wish_of,
)
from workbench.ui.pages.train_live import Changes
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.widgets.data_preview import look_html
from workbench.ui.widgets.html import NOTHING, Safe, element, join
from workbench.ui.widgets.process_diagram import diagram_html

if TYPE_CHECKING:
    from workbench.losses.needs import DataNeeds

_SHOWN_CHARACTERS = 20_000


def show_source(language: object, source: object) -> Changes:
    """The controls of the chosen source alone."""
    return {
        "field.view": gr.update(visible=source == BUNDLED_DATA),
        "field.desk_language": gr.update(visible=source == BUNDLED_DATA),
        "field.pasted": gr.update(visible=source == "paste"),
        "field.file": gr.update(visible=source == "file"),
        "hub_row": gr.update(visible=source == "hub"),
        "reading_row": gr.update(visible=source != BUNDLED_DATA),
        "field.encoding": gr.update(visible=source == "file", value=AUTO),
        "state.columns": [],
        "data": element("p", say(as_language(language), "train.fetch_first")) if source == "hub" else NOTHING,
        "data_error": NOTHING,
        **role_controls((), {}, as_language(language)),
    }


def look(language: object, opened: object, columns: object, *values: object) -> Changes:
    """Read the data, and show its roles, its first rows, one batch, and the losses that fit."""
    spoken = as_language(language)
    try:
        given = by_name(values)
        if _is_empty(given):
            return {"data": NOTHING, "data_error": NOTHING}
        wish = wish_of(values, columns)
        found = look_at(wish.data, wish.config)
    except Exception as error:
        return {**refused(error, spoken), **_failed(error, spoken)}
    return {**cleared(), **_looked(found, wish, given, opened, spoken)}


def first_look(language: object, opened: object, columns: object, *values: object) -> Changes:
    """The look at the page's load, which leaves alone what the load has had to say."""
    changes = look(language, opened, columns, *values)
    return {name: value for name, value in changes.items() if name != "error"}


def _failed(error: Exception, language: Language) -> Changes:
    """A file that cannot be read stands under Data; it is not yet a reason to say so beside the buttons."""
    return (
        {"data_error": error_box(error, language), "error": NOTHING}
        if isinstance(error, WorkbenchError)
        else {"error": NOTHING}
    )


def _is_empty(given: Mapping[str, Any]) -> bool:
    """Whether the visitor has not yet brought what the chosen source needs."""
    needed = {"paste": "pasted", "file": "file", "hub": "hub_name"}.get(str(given["source"]))
    return needed is not None and not given[needed]


def _looked(found: Look, wish: Wish, given: Mapping[str, Any], opened: object, language: Language) -> Changes:
    table = wish.data.source != BUNDLED_DATA
    changes: Changes = {
        "data": look_html(found, language),
        "state.columns": [name for name, _, _ in found.columns] if table else [],
        "loss_note": _loss_note(found, wish, language),
        "field.loss": gr.update(choices=loss_choices(found.fits, language)),
        "field.inner": gr.update(
            visible=wish.config.loss.name in WRAPPERS,
            choices=[name for name, why in found.fits.items() if not why],
        ),
        "diagram": _diagram(found, wish, str(opened or ""), language),
        **role_controls(found.columns if table else (), wish.data.roles, language),
    }
    if wish.data.source == "file":
        choices = [("UTF-8", AUTO), *encoding_choices(found)]
        changes["field.encoding"] = gr.update(choices=choices, value=given["encoding"] or AUTO)
    return changes


def role_controls(columns: Any, chosen: Mapping[str, str], language: Language) -> Changes:
    """A menu a column: what was found, every role, and leaving it out."""
    changes: Changes = {}
    for slot in range(ROLE_SLOTS):
        if slot >= len(columns):
            changes[f"field.role_{slot}"] = gr.update(visible=False, value=AUTO)
            continue
        name, role, _ = columns[slot]
        found = word(language, "train.role_found", role=role or word(language, "train.ignored"))
        changes[f"field.role_{slot}"] = gr.update(
            visible=True,
            label=name[:40],
            choices=[
                (found, AUTO),
                *((one, one) for one in ROLES),
                (word(language, "train.ignore"), "ignore"),
            ],
            value=chosen.get(name, AUTO),
        )
    return changes


def loss_choices(fits: Mapping[str, str], language: Language) -> list[tuple[str, str]]:
    """The three common losses, marked where they do not fit, then those that fit, then the wrappers."""
    common = [
        (word(language, "train.loss_mark", name=name) if fits.get(name) else name, name)
        for name in COMMON_LOSSES
    ]
    others = [name for name, why in fits.items() if not why and name not in COMMON_LOSSES]
    return [*common, *((name, name) for name in (*others, *WRAPPERS))]


def _loss_note(found: Look, wish: Wish, language: Language) -> Safe:
    """Whether the chosen loss fits, why, and which arguments it takes."""
    from workbench.recipe.build_loss import loss_arguments
    from workbench.recipe.prepare import loss_needs

    config = wish.config.loss
    inner = config.inner.name if config.inner else config.name
    try:
        needs, known = loss_needs(config), loss_arguments(config.name)
    except WorkbenchError as error:
        return error_box(error, language)
    why = found.fits.get(inner, "")
    if not found.fits:
        # Nothing is known of the data yet.
        parts = []
    elif why:
        fitting = ", ".join(name for name, reason in found.fits.items() if not reason)
        told = say(language, "train.loss_misfit", name=inner, why=why, fitting=fitting or "–")
        parts = [box_html(told, "warn")]
    else:
        told = _needs_sentence(needs, language)
        parts = [element("p", say(language, "train.loss_fits", name=inner, why=told), class_="wb-note")]
        if found.batch_error is not None and found.batch_error.code != "batch-later":
            parts.append(error_box(found.batch_error, language))
    if config.name in WRAPPERS:
        parts.append(element("p", say(language, "train.loss_wraps"), class_="wb-note"))
    if known:
        shown = say(language, "train.loss_takes", arguments=", ".join(known))
        parts.append(element("p", shown, class_="wb-note"))
    return join(parts)


def _needs_sentence(needs: DataNeeds, language: Language) -> Safe:
    labels = NOTHING
    if needs.labels != "none":
        labels = say(language, "train.loss_labels", labels=say(language, f"train.labels_{needs.labels}"))
    return say(language, "train.loss_needs", columns=", ".join(needs.columns), labels=labels)


def _diagram(found: Look, wish: Wish, opened: str, language: Language) -> Safe:
    config, model = wish.config, wish.config.model
    facts = {
        "model": " · ".join([model.name.rsplit("/", 1)[-1], *([model.pooling] if model.pooling else [])]),
        "loss": config.loss.name,
        "evaluator": "–"
        if config.evaluator == "none" or found.batch is None or not found.batch.dev
        else word(language, f"train.shape_{found.batch.test_shape.replace(' ', '_')}"),
        "fit": word(language, "train.fact_epochs", epochs=config.epochs),
    }
    if found.batch is not None:
        facts["loader"] = word(
            language, "train.fact_loader", rows=f"{found.batch.train:,}", batch=config.batch_size
        )
    return diagram_html(language, opened, facts)


@guarded
def print_model(language: Language, columns: object, *values: object) -> Changes:
    """The model with its modules, as Python prints it."""
    from workbench.recipe.build_model import build_model

    try:
        wish = wish_of(values, columns)
        shown = _modules_html(build_model(wish.config.model, device="cpu"), language)
    except WorkbenchError as error:
        return {"modules": error_box(error, language)}
    except Exception as error:
        return refused(error, language)
    return {"modules": shown}


def _modules_html(model: Any, language: Language) -> Safe:
    """The modules a line each, and the whole as Python prints it to fold out."""
    lines = []
    for place, module in enumerate(model):
        size = sum(parameter.numel() for parameter in module.parameters())
        facts = [
            f"{name} {getattr(module, name)}"
            for name in ("max_seq_length", "pooling_mode", "in_features", "out_features")
            if getattr(module, name, None) is not None
        ]
        facts += [say(language, "train.parameters", count=f"{size:,}")] if size else []
        lines.append(
            element("li", join([element("b", f"({place}) {type(module).__name__}"), " ", join(facts, " · ")]))
        )
    printed = element("pre", str(model)[:_SHOWN_CHARACTERS], class_="wb-log", tabindex="0")
    whole = element(
        "details", join([element("summary", say(language, "train.printed")), printed]), class_="wb-fold"
    )
    return join([element("ul", join(lines), class_="wb-modules"), whole])


def print_bundled(language: object, columns: object, *values: object) -> Changes:
    """The same at the page's load, where it costs nothing to fetch."""
    try:
        if by_name(values)["model"] != BUNDLED:
            return {}
    except WorkbenchError:
        return {}
    changes: Changes = print_model(language, columns, *values)
    return changes
