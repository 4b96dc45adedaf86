"""The Compare page: what happens when. Its parts, events and sections stand in the files beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr

from workbench.data.presets import PRESETS
from workbench.ui.api import compare_api
from workbench.ui.pages import compare_events as events
from workbench.ui.pages import compare_sidebar_events as sidebar
from workbench.ui.pages.compare_arrival import arrival
from workbench.ui.pages.compare_parts import Parts, lay_out
from workbench.ui.pages.compare_view import ALL_SECTIONS
from workbench.ui.shell import translated

# One comparison at a time: two would share two cores and falsify each other's timings.
_COMPUTE: dict[str, Any] = {
    "concurrency_id": "compute",
    "concurrency_limit": 1,
    "show_progress": "hidden",
    "api_visibility": "private",
}
_LIGHT: dict[str, Any] = {"show_progress": "hidden", "queue": False, "api_visibility": "private"}
# On a phone the open sidebar would cover the page.
_FOLD_ON_PHONES = "() => ({open: window.innerWidth > 768, __type__: 'update'})"
# Takes the file that the hidden button now holds.
_CLICK_DOWNLOAD = """() => setTimeout(() => {
  const here = "wb-download-file";
  const link = document.querySelector(`#${here} a, a#${here}, #${here} button, button#${here}`);
  if (link) link.click();
}, 150)"""


def compare_page(demo: gr.Blocks) -> None:
    """Lay the page out and wire it, inside the open ``demo``."""
    parts = lay_out()
    named = _names(parts)
    _wire_runs(demo, parts, named)
    _wire_columns(parts, named)
    _wire_reading(parts, named)
    gr.api(compare_api, api_name="compare", concurrency_id="compute", concurrency_limit=1)


def _names(parts: Parts) -> dict[str, Any]:
    """Component name, as the events use it → component."""
    controls = dict(zip(sidebar.control_names(), parts.controls, strict=True))
    return {
        **parts.sections,
        **controls,
        **{f"frame.{place}": slot.frame for place, slot in enumerate(parts.slots)},
        **{f"chip.{name}": chip for name, chip in parts.chips.items()},
        "token": parts.token,
        "opened_index": parts.opened,
        "wanted_pair": parts.wanted_pair,
        "active": parts.active,
        "columns": parts.columns,
        "notices": parts.notices,
        "chip_title": parts.chip_title,
        "pasted": parts.pasted,
        "file": parts.file,
        "file_column": parts.file_column,
        "cancel": parts.cancel,
        "add": parts.add,
        "pair": parts.pair,
        "code": parts.code,
        "code_column": parts.code_column,
        "download_file": parts.download_file,
    }


def _on_components(named: dict[str, Any], changes: Any) -> Any:
    """Changes by name as changes by component; no change is a skip, else Gradio would empty the outputs."""
    if isinstance(changes, dict) and not _is_skip(changes):
        return {named[name]: value for name, value in changes.items()} if changes else gr.skip()
    return changes


def _is_skip(changes: dict[str, Any]) -> bool:
    """Gradio's own "leave it as it is" is a dict too."""
    return "__type__" in changes


def _plain(named: dict[str, Any], event: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: _on_components(named, event(*values))


def _streamed(named: dict[str, Any], event: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    def stream(*values: Any) -> Iterator[Any]:
        for changes in event(*values):
            yield _on_components(named, changes)

    return stream


def _of_message(named: dict[str, Any], event: Callable[..., Any]) -> Callable[..., Any]:
    """An event whose last value is the index that a list in the browser sent along."""

    def listen(language: Any, token: Any, message: gr.EventData) -> Any:
        data = message._data if isinstance(message._data, dict) else {}
        return _on_components(named, event(language, token, data.get("index")))

    return listen


def _wire_runs(demo: gr.Blocks, parts: Parts, named: dict[str, Any]) -> None:
    inputs = [
        parts.language,
        parts.token,
        parts.opened,
        parts.wanted_pair,
        parts.active,
        parts.source,
        parts.pasted,
        parts.file,
        parts.file_column,
        parts.device,
        *parts.controls,
    ]
    written = [component for name, component in named.items() if name in _WRITTEN or name.startswith("chip")]
    start: dict[str, Any] = {"inputs": inputs, "outputs": written, "trigger_mode": "once", **_COMPUTE}
    run = _streamed(named, events.run)
    columns = [parts.active, *parts.controls]

    demo.load(None, None, parts.sidebar, js=_FOLD_ON_PHONES, api_visibility="private")
    greeted = demo.load(
        arrival(parts.words, named), None, [parts.language, *parts.words.components], **_LIGHT
    )
    greeted.then(run, **start)
    for button, stream in (
        (parts.run, run),
        (parts.time_it, _streamed(named, partial(events.run, timed=True))),
    ):
        heard = button.click(_plain(named, sidebar.waiting), [parts.language], [named["progress"]], **_LIGHT)
        heard.then(stream, **start)
    parts.memory.click(
        _streamed(named, events.measure_memory),
        [parts.language, parts.token],
        [named[name] for name in ("speed", "progress", "notices", "cancel")],
        trigger_mode="once",
        **_COMPUTE,
    )
    parts.cancel.click(
        _plain(named, events.cancel), [parts.language, parts.token], [named["progress"]], **_LIGHT
    )
    for name, chip in [*parts.chips.items(), (None, parts.repair)]:
        changed = [
            c for key, c in named.items() if key.startswith(("control.", "frame.", "chip", "progress"))
        ]
        broken = chip.click(
            _plain(named, _fixed(sidebar.apply_chip, name)), [parts.language, *columns], changed, **_LIGHT
        )
        broken.success(run, **start)
    shown = [named[name] for name in ("pasted", "file", "file_column")]
    chosen = parts.source.input(
        _plain(named, sidebar.show_source), [parts.language, parts.source, parts.columns], shown, **_LIGHT
    )
    chosen.then(_streamed(named, _run_preset), **start)
    uploaded = parts.file.upload(
        _plain(named, sidebar.read_upload),
        [parts.language, parts.file],
        [parts.file_column, parts.columns],
        **_LIGHT,
    )
    uploaded.success(run, **start)
    parts.file_column.input(run, **start)


def _wire_columns(parts: Parts, named: dict[str, Any]) -> None:
    inputs = [parts.language, parts.active, *parts.controls]
    frames = [component for name, component in named.items() if name.startswith(("frame.", "chip"))]
    gr.on(
        [control.input for control in parts.controls],
        _plain(named, sidebar.describe),
        inputs,
        [*frames, named["progress"]],
        trigger_mode="always_last",
        **_LIGHT,
    )
    outputs = [*frames, parts.active, parts.add, named["progress"]]
    parts.add.click(_plain(named, _fixed(sidebar.set_active, None)), inputs, outputs, **_LIGHT)
    for place, slot in enumerate(parts.slots):
        slot.remove.click(_plain(named, _fixed(sidebar.set_active, place)), inputs, outputs, **_LIGHT)


def _wire_reading(parts: Parts, named: dict[str, Any]) -> None:
    session = [parts.language, parts.token]
    opening = [named[name] for name in ("opened", "sentences", "opened_index")]
    for name in ("board", "difference", "sentences", "opened"):
        # A tokenizer must not be asked while a comparison uses it: the same queue.
        named[name].open_text(
            _of_message(named, events.open_sentence), session, opening, trigger_mode="always_last", **_COMPUTE
        )
    parts.pair.input(
        _plain(named, events.choose_pair),
        [*session, parts.pair],
        [named["difference"], parts.wanted_pair],
        **_LIGHT,
    )
    parts.code_column.input(
        _plain(named, events.show_code), [*session, parts.code_column], [parts.code], **_LIGHT
    )
    for kind, button in parts.downloads.items():
        written = button.click(
            _plain(named, _fixed(events.download, kind)),
            session,
            [parts.download_file],
            **_LIGHT,
        )
        written.success(None, js=_CLICK_DOWNLOAD, api_visibility="private")
    spoken = [
        component
        for name, component in named.items()
        if name in _SPOKEN or name.startswith(("frame.", "chip"))
    ]
    parts.language.input(translated(parts.words), [parts.language], parts.words.components, **_LIGHT).then(
        _plain(named, events.speak),
        [*session, parts.opened, parts.wanted_pair, parts.active, *parts.controls],
        spoken,
        trigger_mode="always_last",
        **_COMPUTE,
    )


# What a comparison writes; what the visitor has put into the sidebar it leaves alone.
_WRITTEN = (*ALL_SECTIONS, "progress", "token", "notices", "cancel", "pair", "code", "code_column")
_SPOKEN = (*ALL_SECTIONS, "notices", "progress")


def _fixed(event: Callable[..., Any], value: Any) -> Callable[..., Any]:
    """An event whose second value, after the language, is known when the page is wired."""
    return lambda language, *values: event(language, value, *values)


def _run_preset(language: object, token: object, opened: object, pair: object, active: object, source: object,
                *values: object) -> Iterator[Any]:  # fmt: skip
    """A preset runs as soon as it is chosen; the other sources wait for their texts."""
    if source in PRESETS:
        yield from events.run(language, token, opened, pair, active, source, *values)
    else:
        yield {}
