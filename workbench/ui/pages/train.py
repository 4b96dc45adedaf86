"""The Train page: what happens when. Its parts and its events stand in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from workbench.ui.pages import train_events as events
from workbench.ui.pages import train_results as results
from workbench.ui.pages import train_setting_events as settings
from workbench.ui.pages import train_step_events as steps
from workbench.ui.pages import train_yaml_events as yaml_events
from workbench.ui.pages.train_form import FIELDS, ROLE_SLOTS
from workbench.ui.pages.train_parts import lay_out
from workbench.ui.pages.train_pieces import Parts
from workbench.ui.pages.train_push import wire_push
from workbench.ui.shell import greeting, translated
from workbench.ui.wiring import of_message, on_components, plain

# What needs a model or reads data shares the one place of everything that computes.
_COMPUTE: dict[str, Any] = {
    "concurrency_id": "compute",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
_LIGHT: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
# A reload finds the run again by its address.
_KEEP_ADDRESS = """(run) => {
  const here = new URL(window.location.href);
  if (run && here.searchParams.get("run") !== run) {
    here.searchParams.set("run", run);
    window.history.replaceState(null, "", here);
  }
}"""
_CLICK_DOWNLOAD = """() => setTimeout(() => {
  const here = "wb-train-file";
  const link = document.querySelector(`#${here} a, a#${here}, #${here} button, button#${here}`);
  if (link) link.click();
}, 150)"""
_TO_RUN = (
    "() => document.getElementById('wb-train-run')?.scrollIntoView({behavior: 'smooth', block: 'nearest'})"
)
# The step's effect is shown in the box of fit.
_MARK_FIT = """() => document.querySelectorAll("#wb-train-diagram button[data-box]").forEach(
  (box) => box.setAttribute("aria-expanded", String(box.dataset.box === "fit")))"""
# Fields whose change makes the data be read anew.
_LOOKED = (
    "view", "desk_language", "loss", "inner", "batch_size", "encoding", "rescale", "held_out_share", "epochs",
    "evaluator", "model",
)  # fmt: skip


def train_page(demo: gr.Blocks) -> None:
    """Lay the page out and wire it, inside an open route of ``demo``."""
    parts = lay_out()
    named = {**parts.named(), "language": parts.language}
    _wire_arrival(demo, parts, named)
    _wire_run(parts, named)
    _wire_form(parts, named)
    _wire_step(parts, named)
    _wire_results(parts, named)
    wire_push(parts, named)


# What the events of a group may change; an event that changes another thing is an error.
_ERRORS = ("error", "data_error", "loss_note")
_LIVE = (
    "run_panel", "status", "curves", "log", "button.cancel", "button.resume", "results", "timer", "proof",
    "state.seen", "state.run", "error",
)  # fmt: skip
_BEGUN = (
    *_LIVE, "data_error", "loss_note", "compare_link", "run_code", "estimate", "state.owner", "state.key",
    "state.measure", "button.ways",
)  # fmt: skip
_POLLED = (*_LIVE, "estimate", "state.measure")
_READ = (
    *_ERRORS, "data", "state.columns", "field.loss", "field.inner", "field.encoding", "diagram",
    *(f"field.role_{slot}" for slot in range(ROLE_SLOTS)),
)  # fmt: skip
_STEP = (*_ERRORS, "step", "article_steps", "diagram", "plain", "button.one_step", "state.box",
         "state.opened", "state.article")  # fmt: skip


def _on(
    named: dict[str, Any],
    event: Callable[..., Any],
    inputs: Sequence[str],
    outputs: Sequence[str],
    **kind: Any,
) -> dict[str, Any]:
    """The arguments of a listener, components by name."""
    return {
        "fn": plain(named, event),
        "inputs": [named[name] for name in inputs],
        "outputs": [named[name] for name in dict.fromkeys(outputs)],
        **kind,
    }


def _form(*before: str) -> list[str]:
    """Names of inputs, then those of the whole form."""
    return [*before, *(f"field.{name}" for name in FIELDS)]


def _wire_arrival(demo: gr.Blocks, parts: Parts, named: dict[str, Any]) -> None:
    greeted = demo.load(greeting(parts.words), None, [parts.language, *parts.words.components], **_LIGHT)

    def arrive(language: Any, owner: Any, request: gr.Request) -> Any:
        return on_components(named, events.arrive(language, owner, request))

    outputs = [named[name] for name in _BEGUN]
    arrived = greeted.then(arrive, [parts.language, named["state.owner"]], outputs, **_LIGHT)
    form = _form("language", "state.box", "state.columns")
    arrived.then(**_on(named, settings.first_look, form, _READ, **_COMPUTE)).then(
        **_on(
            named, settings.print_bundled, _form("language", "state.columns"), ("modules", *_ERRORS),
            **_COMPUTE,
        )
    )  # fmt: skip
    spoken = parts.language.input(translated(parts.words), [parts.language], parts.words.components, **_LIGHT)
    run = ["language", "state.owner", "state.run"]
    step = ["language", "state.box", "state.opened", "plain", "state.article"]
    spoken.then(**_on(named, events.spoken_again, run, _BEGUN, **_LIGHT)).then(
        **_on(named, settings.look, form, _READ, **_COMPUTE)
    ).then(**_on(named, steps.spoken_again, step, _STEP, **_LIGHT))


def _wire_run(parts: Parts, named: dict[str, Any]) -> None:
    form = _form("language", "state.owner", "state.key", "state.columns")
    once: dict[str, Any] = {**_LIGHT, "trigger_mode": "once"}
    for name, event in (("train", events.start_own), ("ways", events.start_all)):
        begun = parts.buttons[name].click(**_on(named, event, form, _BEGUN, **once))
        begun.then(None, [named["state.run"]], None, js=_KEEP_ADDRESS, api_visibility="private")
        begun.then(None, None, None, js=_TO_RUN, api_visibility="private")
    parts.buttons["measure"].click(**_on(named, events.measure, form, _BEGUN, **once))
    run = ["language", "state.owner", "state.run"]
    parts.buttons["cancel"].click(**_on(named, events.cancel, run, _LIVE, **_LIGHT))
    parts.buttons["resume"].click(**_on(named, events.resume, run, _LIVE, **_LIGHT))
    looked = [*run, "state.measure", "state.seen"]
    named["timer"].tick(**_on(named, events.poll, looked, _POLLED, **once))


def _wire_form(parts: Parts, named: dict[str, Any]) -> None:
    form = _form("language", "state.box", "state.columns")
    look: dict[str, Any] = _on(named, settings.look, form, _READ, trigger_mode="always_last", **_COMPUTE)
    gr.on(
        [
            *(parts.fields[name].input for name in _LOOKED),
            *(parts.fields[f"role_{slot}"].input for slot in range(ROLE_SLOTS)),
            parts.fields["pasted"].blur,
            parts.fields["file"].upload,
            parts.buttons["fetch"].click,
        ],
        **look,
    )
    source = (
        "field.view", "field.desk_language", "field.pasted", "field.file", "hub_row", "reading_row", *_READ
    )  # fmt: skip
    parts.fields["source"].input(
        **_on(named, settings.show_source, ["language", "field.source"], source, **_LIGHT)
    ).then(**look)
    asked = _form("language", "state.columns")
    for name, event, shown, kind in (
        ("print_model", settings.print_model, "modules", _COMPUTE),
        ("yaml", yaml_events.write_yaml, "yaml", _LIGHT),
        ("script", yaml_events.show_script, "code", _COMPUTE),
    ):
        parts.buttons[name].click(**_on(named, event, asked, (shown, *_ERRORS), **kind))
    filled = [*(f"field.{name}" for name in parts.fields), *source]
    parts.buttons["apply_yaml"].click(
        **_on(named, yaml_events.apply_yaml, _form("language", "yaml"), filled, **_LIGHT)
    ).then(**look)


def _wire_step(parts: Parts, named: dict[str, Any]) -> None:
    form = _form("language", "state.box", "state.opened", "plain", "state.columns")
    for name in ("diagram", "article_steps"):
        named[name].open_box(
            of_message(named, steps.open_box, "box"),
            [named[one] for one in form],
            [named[one] for one in _STEP],
            trigger_mode="always_last",
            **_COMPUTE,
        )
    shown = ["language", "state.box", "state.opened", "plain"]
    named["plain"].input(**_on(named, steps.show_plain, shown, _STEP, **_LIGHT))
    parts.buttons["one_step"].click(**_on(named, steps.take_step, form, _STEP, **_COMPUTE)).then(
        None, None, None, js=_MARK_FIT, api_visibility="private"
    )
    parts.buttons["article"].click(
        **_on(named, steps.follow_article, ["language", "state.article"], _STEP, **_LIGHT)
    )


def _wire_results(parts: Parts, named: dict[str, Any]) -> None:
    run = ["language", "state.owner", "state.run"]
    for kind in ("zip", "html", "json", "yaml_out"):
        event = partial(results.download, kind=kind)
        written = parts.buttons[kind].click(**_on(named, event, run, ["file"], **_LIGHT))
        written.success(None, js=_CLICK_DOWNLOAD, api_visibility="private")
    parts.buttons["compare"].click(**_on(named, results.to_compare, run, ["compare_link"], **_LIGHT))
    parts.buttons["code"].click(**_on(named, results.show_code, run, ["run_code"], **_COMPUTE))
