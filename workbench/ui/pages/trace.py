"""The Trace page: what happens when. Its parts, events and sections stand in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from workbench.ui.pages import trace_events as events
from workbench.ui.pages import trace_panel_events as panels
from workbench.ui.pages.trace_parts import lay_out
from workbench.ui.pages.trace_view import SECTIONS
from workbench.ui.shell import greeting, translated
from workbench.ui.trace_api import lint_api, trace_api
from workbench.ui.translate import Words
from workbench.ui.wiring import on_components, plain

# The same place as a comparison: one computation at a time.
_COMPUTE: dict[str, Any] = {
    "concurrency_id": "compute",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
_LIGHT: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
_SHOWN = (*SECTIONS, "results", "fix", "text", "traces", "token", "chosen", "notices", "progress", "cancel")
_BOX = ("token", "box_progress", "box_result", "box_cancel")
_SPOKEN = (*_SHOWN[:-1], "box_progress", "box_result", "lint_result", "against")
_CLICK_DOWNLOAD = """() => setTimeout(() => {
  const here = "wb-trace-file";
  const link = document.querySelector(`#${here} a, a#${here}, #${here} button, button#${here}`);
  if (link) link.click();
}, 150)"""


def trace_page(demo: gr.Blocks) -> None:
    """Lay the page out and wire it, inside its open route."""
    words, named = lay_out()
    _wire_find(named)
    _wire_panels(named)
    _wire_downloads(named)
    _wire_language(demo, words, named)
    for endpoint, name in ((trace_api, "trace"), (lint_api, "lint")):
        gr.api(endpoint, api_name=name, concurrency_id="compute", concurrency_limit=1)


def _of(named: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [named[name] for name in dict.fromkeys(names)]


def _streamed(named: dict[str, Any], event: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def stream(*values: Any) -> Iterator[Any]:
        for changes in event(*values):
            yield on_components(named, changes)

    return stream


def _wire_find(named: dict[str, Any]) -> None:
    session = _of(named, ("language", "token"))
    controls = named["controls"]
    heard = named["find"].click(plain(named, events.waiting), session[:1], [named["progress"]], **_LIGHT)
    heard.then(
        _streamed(named, events.find_stage),
        [*session, *controls],
        _of(named, _SHOWN),
        trigger_mode="once",
        **_COMPUTE,
    )
    named["cancel"].click(plain(named, events.cancel), session, [named["progress"]], **_LIGHT)
    gr.on(
        # The hidden box that appears for pasted texts tells of its changes alone.
        [*(control.input for control in controls), named["pasted"].change],
        plain(named, events.describe),
        [session[0], *controls],
        _of(named, ("pasted", "against")),
        trigger_mode="always_last",
        **_LIGHT,
    )

    def replay(language: Any, token: Any, message: gr.EventData) -> Iterator[Any]:
        data = message._data if isinstance(message._data, dict) else {}
        for changes in events.replay_card(data.get("card"), language, token):
            yield on_components(named, changes)

    named["cards"].open_card(replay, session, _of(named, _SHOWN), trigger_mode="once", **_COMPUTE)
    named["text"].input(
        plain(named, events.choose_text),
        [*session, named["text"]],
        _of(named, ("tokens", "chosen")),
        **_LIGHT,
    )


def _wire_panels(named: dict[str, Any]) -> None:
    session = _of(named, ("language", "token"))
    given = _of(named, ("box_texts", "box_vectors", "box_model", "box_prompt"))
    named["box_run"].click(
        _streamed(named, panels.black_box),
        [*session, *given],
        _of(named, _BOX),
        trigger_mode="once",
        **_COMPUTE,
    )
    named["box_example"].click(
        _streamed(named, panels.black_box_example), session, _of(named, _BOX), trigger_mode="once", **_COMPUTE
    )
    named["box_cancel"].click(plain(named, panels.cancel_box), session, [named["box_progress"]], **_LIGHT)
    named["files_run"].click(
        plain(named, events.diff_files),
        [*session, *_of(named, ("files_left", "files_right"))],
        _of(named, _SHOWN),
        trigger_mode="once",
        **_COMPUTE,
    )
    gr.on(
        [named["lint_run"].click, named["lint_model"].submit],
        _streamed(named, panels.lint),
        [*session, named["lint_model"]],
        _of(named, ("token", "lint_result", "get_contract")),
        trigger_mode="once",
        **_COMPUTE,
    )


def _wire_downloads(named: dict[str, Any]) -> None:
    session = _of(named, ("language", "token"))
    for button, event in (
        ("get_json", events.download_result),
        ("get_contract", panels.download_contract),
    ):
        written = named[button].click(plain(named, event), session, [named["file"]], **_LIGHT)
        written.success(None, js=_CLICK_DOWNLOAD, api_visibility="private")
    named["get_traces"].click(plain(named, events.download_traces), session, [named["traces"]], **_LIGHT)


def _wire_language(demo: gr.Blocks, words: Words, named: dict[str, Any]) -> None:
    inputs = [*_of(named, ("language", "token", "chosen")), *named["controls"]]
    outputs = _of(named, _SPOKEN)
    greeted = demo.load(greeting(words), None, [named["language"], *words.components], **_LIGHT)
    greeted.then(plain(named, events.arrive), inputs, outputs, **_LIGHT)
    spoken = named["language"].input(translated(words), [named["language"]], words.components, **_LIGHT)
    spoken.then(plain(named, events.speak), inputs, outputs, trigger_mode="always_last", **_LIGHT)
