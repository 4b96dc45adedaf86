"""The Speed page: what happens when. Its parts, form, events and view stand in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from workbench.ui.pages import speed_events as events
from workbench.ui.pages.speed_form import FIELDS
from workbench.ui.pages.speed_parts import lay_out
from workbench.ui.shell import greeting, translated
from workbench.ui.wiring import on_components, plain

# The measurement is a process of its own: nothing here computes.
_LIGHT: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
_ONCE: dict[str, Any] = {**_LIGHT, "trigger_mode": "once"}
# A reload finds the run again by its address.
_KEEP_ADDRESS = """(run) => {
  const here = new URL(window.location.href);
  if (run && here.searchParams.get("run") !== run) {
    here.searchParams.set("run", run);
    window.history.replaceState(null, "", here);
  }
}"""
_CLICK_DOWNLOAD = """() => setTimeout(() => {
  const here = "wb-speed-file";
  const link = document.querySelector(`#${here} a, a#${here}, #${here} button, button#${here}`);
  if (link) link.click();
}, 150)"""
_SHOWN = (
    "error", "run_panel", "status", "button.cancel", "timer", "result_panel", "verdict", "figures",
    "shares_table", "memory", "tradeoff_table", "not_run", "earlier", "around", "ratio_plot", "shares_plot",
    "tradeoff_panel",
    "tradeoff_plot", "earlier_choice", "command", "program", "state.run", "state.seen",
)  # fmt: skip
_ARRIVED = (*_SHOWN, "state.owner", "state.key")
_RUN = ("language", "state.owner", "state.run", "axis")


def speed_page(demo: gr.Blocks) -> None:
    """Lay the page out and wire it, inside an open route of ``demo``."""
    parts = lay_out()
    named, words = parts.named, parts.words

    def on(event: Callable[..., Any], inputs: Sequence[str], outputs: Sequence[str], **kind: Any) -> Any:
        return {
            "fn": plain(named, event),
            "inputs": [named[name] for name in inputs],
            "outputs": [named[name] for name in outputs],
            **kind,
        }

    def arrive(language: Any, owner: Any, axis: Any, request: gr.Request) -> Any:
        return on_components(named, events.arrive(language, owner, axis, request))

    greeted = demo.load(greeting(words), None, [named["language"], *words.components], **_LIGHT)
    greeted.then(
        arrive,
        [named["language"], named["state.owner"], named["axis"]],
        [named[name] for name in _ARRIVED],
        **_LIGHT,
    )
    spoken = named["language"].input(translated(words), [named["language"]], words.components, **_LIGHT)
    spoken.then(**on(events.show_again, _RUN, _SHOWN, **_LIGHT))
    form = ("language", "state.owner", "state.key", "axis", *(f"field.{name}" for name in FIELDS))
    begun = named["button.measure"].click(**on(events.start, form, _ARRIVED, **_ONCE))
    begun.then(None, [named["state.run"]], None, js=_KEEP_ADDRESS, api_visibility="private")
    named["button.cancel"].click(**on(events.cancel, _RUN, _SHOWN, **_LIGHT))
    looked = ("language", "state.owner", "state.run", "state.seen", "axis")
    named["timer"].tick(**on(events.poll, looked, _SHOWN, **_ONCE))
    named["axis"].input(**on(events.show_again, _RUN, _SHOWN, **_LIGHT))
    opened = named["earlier_choice"].input(
        **on(events.open_earlier, ("language", "state.owner", "earlier_choice", "axis"), _SHOWN, **_LIGHT)
    )
    opened.then(None, [named["state.run"]], None, js=_KEEP_ADDRESS, api_visibility="private")
    for kind, event in events.DOWNLOADS.items():
        written = named[f"button.{kind}"].click(
            event,
            [named["language"], named["state.owner"], named["state.run"]],
            [named["file_out"]],
            **_LIGHT,
        )
        written.success(None, js=_CLICK_DOWNLOAD, api_visibility="private")
