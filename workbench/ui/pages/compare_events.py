"""The events of the Compare page as functions: from the values of controls to changes by component name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import gradio as gr

from workbench.errors import Cancelled, InvalidValueError
from workbench.ui import backend
from workbench.ui.columns import MAX_COLUMNS
from workbench.ui.download import write_download
from workbench.ui.errors import box_html, error_box, guarded
from workbench.ui.gpu_note import gpu_note
from workbench.ui.pages.compare_handlers import (
    Plan,
    Timing,
    as_chosen,
    devices_of,
    forms_of,
    most_telling_text,
    open_text,
    pair_name,
    pair_named,
    plan_columns,
    snapshots,
    timing_for,
)
from workbench.ui.pages.compare_sidebar_events import Changes, chip_changes, frame_changes
from workbench.ui.pages.compare_view import ALL_SECTIONS, Look, Section, render, shown_pair
from workbench.ui.sentences import Sentences, read_chosen, stored_upload
from workbench.ui.session import SESSIONS, new_token
from workbench.ui.snapshot import Snapshot
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.widgets.html import Safe, join
from workbench.ui.widgets.opened_sentence import Opened
from workbench.ui.widgets.progress_line import idle_html, stage_html

# Progress of a chunk told more often than this would only cost the browser.
_PROGRESS_SECONDS = 0.2


def run(
    language: object,
    token: object,
    opened: object,
    pair: object,
    active: object,
    source: object,
    pasted: object,
    file: object,
    file_column: object,
    device: object,
    *values: object,
    timed: bool = False,
) -> Iterator[Changes]:
    """Compare, and show each result as it comes; every error ends in a box on the page."""
    spoken = as_language(language)
    secret = token if isinstance(token, str) and token else new_token()
    begun = time.monotonic()
    try:
        forms, used = forms_of(values, active)
        sentences = read_chosen(as_chosen(source, pasted, stored_upload(file), file_column), spoken)
        gpu = backend.gpu_name() if device in ("gpu", "both") else None
        plan = plan_columns(
            [form for form, on in zip(forms, used, strict=True) if on], devices_of(device, gpu)
        )
        notices = _notices(sentences, plan, gpu_note(device, gpu, spoken), spoken)
        chips = chip_changes(forms, used, spoken)
        yield {"token": secret, "notices": notices, "cancel": gr.update(visible=True), **chips}
        yield from _grow(plan, sentences.texts, spoken, secret, pair, timing_for(len(sentences.texts), timed))
        yield _finished(spoken, secret, opened, pair, time.monotonic() - begun)
    except Cancelled:
        yield {
            "progress": idle_html(say(spoken, "progress.cancelled")),
            "cancel": gr.update(visible=False),
            **_menus(SESSIONS.shown(secret), pair),
        }
    except Exception as error:
        yield {
            "token": secret,
            "notices": error_box(error, spoken),
            "progress": idle_html(Safe("")),
            "cancel": gr.update(visible=False),
        }


def _notices(sentences: Sentences, plan: Plan, gpu: Safe, language: Language) -> Safe:
    boxes = [gpu]
    if plan.clipped:
        boxes.append(box_html(say(language, "gpu.clipped", limit=MAX_COLUMNS), "warn"))
    boxes.extend(box_html(notice, "info") for notice in sentences.notices)
    return join(boxes)


def _grow(
    plan: Plan, texts: tuple[str, ...], language: Language, secret: str, pair: object, timing: Timing
) -> Iterator[Changes]:
    """The page while the comparison runs."""
    told = 0.0
    cancelled = SESSIONS.start(secret)
    try:
        for snapshot, sections in snapshots(plan, texts, timing, cancelled):
            SESSIONS.keep(secret, snapshot)
            now = time.monotonic()
            if sections == ("progress",) and now - told < _PROGRESS_SECONDS:
                continue
            told = now
            look = Look(language, pair_named(snapshot, pair))
            changes: Changes = dict(render(snapshot, sections, look))
            if "agreement" in sections:
                changes |= _menus(snapshot, pair)
            if changes:
                yield changes
    finally:
        # The visitor may have left: Gradio then closes this generator, and the columns must stop too.
        SESSIONS.stop(secret)


def _finished(language: Language, secret: str, opened: object, pair: object, seconds: float) -> Changes:
    snapshot = SESSIONS.shown(secret)
    told = say(
        language,
        "progress.done",
        texts=f"{len(snapshot.texts):,}",
        columns=len(snapshot.columns),
        seconds=f"{seconds:.1f}",
    )
    found = _reopened(snapshot, opened)
    shown = render(snapshot, ("opened", "sentences"), Look(language, opened=found))
    return {
        **shown,
        **_menus(snapshot, pair),
        "progress": idle_html(told),
        "cancel": gr.update(visible=False),
        **code_changes(snapshot, None),
    }


def _reopened(snapshot: Snapshot, opened: object) -> Opened | None:
    """The sentence that the visitor opened, else the one on which the columns differ most."""
    if not snapshot.columns:
        return None
    chosen = isinstance(opened, int) and 0 <= opened < len(snapshot.texts)
    return open_text(snapshot, opened if chosen else most_telling_text(snapshot))


def _menus(snapshot: Snapshot, pair: object) -> Changes:
    names = [pair_name(one) for one in snapshot.pairs()]
    shown = shown_pair(snapshot, pair_named(snapshot, pair))
    return {"pair": gr.update(choices=names, value=pair_name(shown) if shown else None)}


def code_changes(snapshot: Snapshot, label: object) -> Changes:
    """The code of one column, the first where none is named, and the menu of columns."""
    labels = [column.column.label for column in snapshot.columns]
    if not labels:
        return {"code_column": gr.update(choices=[], value=None), "code": ""}
    chosen = label if label in labels else labels[0]
    column = next(column.column for column in snapshot.columns if column.column.label == chosen)
    script = backend.code_of(column, snapshot.texts)
    return {"code_column": gr.update(choices=labels, value=chosen), "code": script}


def cancel(language: object, token: object) -> Changes:
    """Ask the running comparison to stop at the next chunk."""
    SESSIONS.stop(str(token))
    return {"progress": stage_html(say(as_language(language), "progress.stopping"), 0, 1)}


@guarded
def open_sentence(language: Language, token: object, index: object) -> Changes:
    """Open one sentence."""
    snapshot = SESSIONS.shown(str(token))
    opened = open_text(snapshot, index)
    shown = render(snapshot, ("opened", "sentences"), Look(language, opened=opened))
    return {**shown, "opened_index": opened.index}


@guarded
def choose_pair(language: Language, token: object, pair: object) -> Changes:
    """Draw the difference of another pair."""
    snapshot = SESSIONS.shown(str(token))
    shown = render(snapshot, ("difference",), Look(language, pair_named(snapshot, pair)))
    return {**shown, "wanted_pair": pair}


@guarded
def show_code(_language: Language, token: object, label: object) -> Changes:
    """Show the code of another column."""
    return {"code": code_changes(SESSIONS.shown(str(token)), label)["code"]}


@guarded
def download(language: Language, kind: str, token: object) -> Changes:
    """Write the shown comparison and hand it to the hidden download button."""
    comparison = SESSIONS.shown(str(token)).comparison
    if comparison is None:
        raise InvalidValueError("nothing-compared", word(language, "error.nothing"))
    return {"download_file": str(write_download(comparison, kind))}


def measure_memory(language: object, token: object) -> Iterator[Changes]:
    """Measure each column's peak memory in a child process, one after the other."""
    spoken, secret = as_language(language), str(token)
    cancelled = SESSIONS.start(secret)
    try:
        snapshot = SESSIONS.shown(secret)
        if not snapshot.speeds:
            raise InvalidValueError("nothing-timed", word(spoken, "speed.none"))
        yield {"cancel": gr.update(visible=True)}
        for place, speed in enumerate(snapshot.speeds):
            if cancelled():
                break
            yield {
                "progress": stage_html(
                    say(spoken, "progress.memory", label=speed.label), place, len(snapshot.speeds)
                )
            }
            column = snapshot.column(speed.label)
            if column is None:
                continue
            peak = backend.peak_memory_mb(column.column, snapshot.texts)
            speeds = tuple(
                replace(one, peak_memory_mb=peak) if one.label == speed.label else one
                for one in snapshot.speeds
            )
            snapshot = replace(snapshot, speeds=speeds)
            SESSIONS.keep(secret, snapshot)
            yield dict(render(snapshot, ("speed",), Look(spoken)))
        yield {"progress": idle_html(Safe("")), "cancel": gr.update(visible=False)}
    except Exception as error:
        box = error_box(error, spoken)
        yield {"notices": box, "progress": idle_html(Safe("")), "cancel": gr.update(visible=False)}


@guarded
def speak(
    language: Language, token: object, opened: object, pair: object, active: object, *values: object
) -> Changes:
    """Everything the server wrote, in another language."""
    snapshot = SESSIONS.shown(str(token))
    found = _reopened(snapshot, opened)
    sections: tuple[Section, ...] = ALL_SECTIONS
    look = Look(language, pair_named(snapshot, pair), found)
    forms, used = forms_of(values, active)
    return {
        **render(snapshot, sections, look),
        **frame_changes(forms, used, language),
        **chip_changes(forms, used, language),
        "notices": Safe(""),
        "progress": idle_html(Safe("")),
    }
