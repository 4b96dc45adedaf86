"""The Runs page: what happens when. Its parts, events and handlers stand in the files beside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from workbench.ui.pages import runs_events as events
from workbench.ui.pages.runs_parts import lay_out
from workbench.ui.shell import greeting, translated
from workbench.ui.wiring import of_message, on_components, plain

# Every look is a few rows and small files; nothing here waits for a computation.
_LIGHT: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
_WISH = ("language", "owner", "text", "state", "rows", "opened", "chosen", "seen")
_SEEN = (
    "seen", "told", "notices", "table", "more", "panel", "facts", "curves", "result", "log", "compared",
    "differences", "overlaid", "metrics", "timer", "cancel", "resume", "rerun", "delete", "get_yaml",
    "get_python", "get_proof", "get_proof_json",
)  # fmt: skip
_OPENED = (*_SEEN, "opened", "name", "note", "key", "sure")

# The address names the opened run, so that a reload, a bookmark and the copied link show it.
_NAME_IN_ADDRESS = """() => setTimeout(() => {
  const run = document.querySelector("#wb-run-facts [data-run]")?.dataset.run;
  const url = new URL(window.location);
  if (run) url.searchParams.set("run", run); else url.searchParams.delete("run");
  history.replaceState(null, "", url);
}, 300)"""
_COPY_LINK = """async () => {
  const run = document.querySelector("#wb-run-facts [data-run]")?.dataset.run;
  const link = `${location.origin}${location.pathname}?run=${run}`;
  try { await navigator.clipboard.writeText(link); } catch { window.prompt("", link); }
}"""
_CLICK_DOWNLOAD = """() => setTimeout(() => {
  if (document.querySelector("#wb-run-told .wb-box.bad")) return;
  const here = "wb-run-file";
  const link = document.querySelector(`#${here} a, a#${here}, #${here} button, button#${here}`);
  if (link) link.click();
}, 150)"""


def runs_page(demo: gr.Blocks) -> None:
    """Lay the page out and wire it, inside its open route."""
    words, named = lay_out()
    wish = [named[name] for name in _WISH]
    _wire_arrival(demo, words, named, wish)
    _wire_list(named, wish)
    _wire_run(named, wish)


def _of(named: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [named[name] for name in names]


def _wire_arrival(demo: gr.Blocks, words: Any, named: dict[str, Any], wish: list[Any]) -> None:
    def arrive(language: Any, owner: Any, request: gr.Request) -> Any:
        return on_components(named, events.arrive(language, owner, request))

    greeted = demo.load(greeting(words), None, [named["language"], *words.components], **_LIGHT)
    greeted.then(arrive, wish[:2], _of(named, (*_OPENED, "owner")), **_LIGHT)
    named["timer"].tick(plain(named, events.tick), wish, _of(named, _SEEN), trigger_mode="once", **_LIGHT)
    spoken = named["language"].input(translated(words), [named["language"]], words.components, **_LIGHT)
    spoken.then(plain(named, events.speak), wish, _of(named, _SEEN), **_LIGHT)


def _wire_list(named: dict[str, Any], wish: list[Any]) -> None:
    gr.on(
        [named["text"].input, named["state"].input],
        plain(named, events.filtered),
        wish,
        _of(named, (*_SEEN, "rows")),
        trigger_mode="always_last",
        **_LIGHT,
    )
    named["more"].click(plain(named, events.more), wish, _of(named, (*_SEEN, "rows")), **_LIGHT)
    opened = named["table"].open_run(
        of_message(named, partial(_said, events.open_run), "id"), wish, _of(named, _OPENED), **_LIGHT
    )
    opened.then(None, js=_NAME_IN_ADDRESS, api_visibility="private")
    named["table"].choose_runs(
        of_message(named, partial(_said, events.choose_runs), "ids"), wish, _of(named, (*_SEEN, "chosen")),
        trigger_mode="always_last", **_LIGHT,
    )  # fmt: skip


def _wire_run(named: dict[str, Any], wish: list[Any]) -> None:
    language, rest = wish[0], wish[1:]
    for action in ("cancel", "resume", "rerun", "delete_sure"):
        done = named[action].click(
            plain(named, partial(_with_action, action)),
            [language, named["key"], *rest],
            _of(named, (*_OPENED, "chosen")),
            trigger_mode="once",
            **_LIGHT,
        )
        done.then(None, js=_NAME_IN_ADDRESS, api_visibility="private")
    for button, wanted in (("delete", True), ("keep", False)):
        named[button].click(
            plain(named, partial(_asked, wanted)), [language], _of(named, ("sure", "told")), **_LIGHT
        )
    named["save"].click(
        plain(named, events.save),
        [language, named["name"], named["note"], *rest],
        _of(named, (*_SEEN, "name", "note")),
        **_LIGHT,
    )
    copied = named["link"].click(None, js=_COPY_LINK, api_visibility="private")
    copied.then(plain(named, events.copied), [language], [named["told"]], **_LIGHT)
    for kind in ("yaml", "python", "proof", "proof_json"):
        written = named[f"get_{kind}"].click(
            plain(named, partial(_taken, kind)), wish, _of(named, ("file", "told")), **_LIGHT
        )
        written.success(None, js=_CLICK_DOWNLOAD, api_visibility="private")


def _said(event: Callable[..., Any], sent: Any, language: Any, *values: Any) -> Any:
    """An event that takes what the table sent after the language."""
    return event(language, sent, *values)


def _with_action(action: str, language: Any, *values: Any) -> Any:
    return events.act(language, action, *values)


def _asked(wanted: bool, language: Any) -> Any:
    return events.ask(language, wanted)


def _taken(kind: str, language: Any, *values: Any) -> Any:
    return events.take(language, kind, *values)
