"""The form of the Train page as YAML, out and in, and as a script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from workbench.recipe.config import config_from_yaml, config_to_yaml
from workbench.ui.errors import box_html
from workbench.ui.pages.train_events import cleared, refused
from workbench.ui.pages.train_form import FIELDS, ROLE_SLOTS, by_name, form_values, wish_of
from workbench.ui.pages.train_live import Changes
from workbench.ui.pages.train_setting_events import role_controls, show_source
from workbench.ui.texts import Language, as_language, say


def write_yaml(language: object, columns: object, *values: object) -> Changes:
    """The form as the YAML of a config."""
    try:
        wish = wish_of(values, columns)
    except Exception as error:
        return refused(error, as_language(language))
    return {**cleared(), "yaml": config_to_yaml(wish.config)}


def show_script(language: object, columns: object, *values: object) -> Changes:
    """The classic script that trains as the form says."""
    from workbench.recipe.classic_script import classic_script

    try:
        wish = wish_of(values, columns)
    except Exception as error:
        return refused(error, as_language(language))
    return {**cleared(), "code": gr.update(value=classic_script(wish.config), visible=True)}


def apply_yaml(language: object, text: object, *values: object) -> Changes:
    """Fill the form from YAML, this page's or a config file's; what is wrong leaves all as it was."""
    spoken = as_language(language)
    try:
        config, seeds, others = _config_of(str(text or ""))
        found = form_values(config, seeds, others)
        source = found.get("source", by_name(values)["source"])
    except Exception as error:
        return refused(error, spoken)
    names_a_file = "source" not in found
    if names_a_file:
        source = "file"
        found["source"] = source
    told = box_html(say(spoken, "train.yaml_file" if names_a_file else "train.yaml_done"), "info")
    filled = {f"field.{name}": value for name, value in found.items() if name in FIELDS}
    visible = show_source(language, source)
    for name, update in visible.items():
        # Where a control is both filled and shown, one update does both.
        if name in filled:
            visible[name] = {**update, "value": filled[name]}
    return {**filled, **visible, **_named_roles(config.data.roles, spoken), "error": told}


def _named_roles(roles: Mapping[str, str], language: Language) -> Changes:
    """The roles of a file that is yet to be chosen, so that they are there when it is."""
    if not roles:
        return {}
    columns = tuple((name, None, "") for name in roles)
    return {"state.columns": list(roles)[:ROLE_SLOTS], **role_controls(columns, roles, language)}


def _config_of(text: str) -> tuple[Any, int, list[str] | None]:
    """A config, a number of seeds and other models, from a config's YAML or a run's exported settings."""
    from workbench.recipe.config import checked_config
    from workbench.runs.exports import from_text

    if "\nsettings:" in f"\n{text}":
        settings = from_text(text)["config"]
        seeds = settings.get("seeds", 1)
        config = checked_config(settings.get("training") or {})
        others = [str(name) for name in settings.get("others") or ()]
        return config, seeds if isinstance(seeds, int) else 1, others
    return config_from_yaml(text, "YAML"), 1, None
