"""The events of the Speed page: measured, looked at, cancelled, found again, compared over time, taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from workbench.errors import DataFileError, UnknownNameError, WorkbenchError
from workbench.ui.download import kept_file
from workbench.ui.errors import box_html, boxed, error_box, guarded
from workbench.ui.pages.speed_form import wish_of
from workbench.ui.pages.speed_view import sections, status_html
from workbench.ui.pages.train_form import new_key
from workbench.ui.run_reports import REPORTS
from workbench.ui.runs_home import checked_owner, notices_html, runs
from workbench.ui.session import new_token
from workbench.ui.shell import asked_run
from workbench.ui.texts import Language, as_language, say
from workbench.ui.widgets.bench_figures import AXES, ratio_figure, shares_figure, tradeoff_figure
from workbench.ui.widgets.html import readable

if TYPE_CHECKING:
    from workbench.compare.bench_results import BenchResult
    from workbench.runs.record import Run

Changes = dict[str, Any]
KIND = "bench"
# So many of a visitor's runs are looked through for earlier results.
_LOOKED = 200
_LISTED = 30
_told = boxed("error")


def arrive(language: object, owner: object, axis: object, request: gr.Request) -> Changes:
    """The page's load: the visitor's secret, and the run of the link, the one going on, or the newest."""
    spoken, secret = as_language(language), checked_owner(owner)
    changes: Changes = {"state.owner": secret, "state.key": new_token()}
    if notices := notices_html(spoken):
        return changes | {"error": notices}
    asked = asked_run(request)
    try:
        found = asked or _newest(secret)
        return changes | (_shown(spoken, secret, found, "", axis) if found else {})
    except UnknownNameError:
        return changes | {"error": box_html(say(spoken, "lab.run_gone"), "warn")}
    except WorkbenchError as error:
        return changes | {"error": error_box(error, spoken)}


@_told
def start(language: object, owner: object, key: object, axis: object, *values: object) -> Changes:
    """Put a measurement into the queue."""
    spoken, secret = as_language(language), checked_owner(owner)
    wish = wish_of(values)
    press = f"{key}-bench" if isinstance(key, str) and key else None
    with wish.inputs() as inputs:
        run = runs().submit(secret, KIND, wish.settings(), name=wish.name(), key=press, inputs=inputs)
    return {
        **_shown(spoken, secret, run.id, "", axis),
        "state.owner": secret,
        "state.key": new_key(),
        "result_panel": gr.update(visible=False),
    }


def poll(language: object, owner: object, run_id: object, seen: object, axis: object) -> Changes:
    """Look again while it goes on."""
    spoken = as_language(language)
    if not isinstance(run_id, str) or not run_id:
        return {"timer": gr.Timer(active=False)}
    try:
        return _shown(spoken, checked_owner(owner), run_id, str(seen), axis)
    except Exception as error:
        # Told once, not every second.
        return {"error": error_box(error, spoken), "timer": gr.Timer(active=False)}


@_told
def cancel(language: object, owner: object, run_id: object, axis: object) -> Changes:
    """Ask the measurement to stop at the next call."""
    spoken, secret = as_language(language), checked_owner(owner)
    if not isinstance(run_id, str) or not run_id:
        return {}
    runs().cancel(secret, run_id)
    return _shown(spoken, secret, run_id, "", axis)


@_told
def show_again(language: object, owner: object, run_id: object, axis: object) -> Changes:
    """Say everything on show in another language, or draw it along another axis."""
    if not isinstance(run_id, str) or not run_id:
        return {}
    return _shown(as_language(language), checked_owner(owner), run_id, "", axis)


@_told
def open_earlier(language: object, owner: object, run_id: object, axis: object) -> Changes:
    """Show an earlier result."""
    if not isinstance(run_id, str) or not run_id:
        return {}
    return _shown(as_language(language), checked_owner(owner), run_id, "", axis)


def _download(language: Language, owner: object, run_id: object, kind: str) -> Any:
    secret = checked_owner(owner)
    run = runs().show(secret, run_id if isinstance(run_id, str) else "")
    found = _result(secret, run)
    if found is None:
        raise UnknownNameError("bench-without-result", "no result yet", expected="a complete measurement")
    return str(kept_file(f"workbench-speed-{run.id}.{kind}", _FORMATS[kind](found)))


def _json(result: BenchResult) -> bytes:
    from workbench.compare.bench_results import bench_dict

    return json.dumps(bench_dict(result), ensure_ascii=False, allow_nan=False, indent=1).encode()


def _csv(result: BenchResult) -> bytes:
    from workbench.compare.bench_text import as_csv

    # A byte order mark: without it spreadsheets read Korean as Latin-1.
    return as_csv(result).encode("utf-8-sig", "replace")


_FORMATS = {"json": _json, "csv": _csv}
DOWNLOADS = {
    kind: guarded(partial(lambda kind, language, owner, run: _download(language, owner, run, kind), kind))
    for kind in _FORMATS
}


def _newest(owner: str) -> str:
    """The visitor's measurement that goes on, else the newest complete one; empty where there is none."""
    found = _measurements(owner)
    active = next((run.id for run in found if run.active), "")
    return active or next((run.id for run in found if run.state == "complete"), "")


def _measurements(owner: str) -> list[Run]:
    return [run for run in runs().list(owner, text=KIND, limit=_LOOKED) if run.kind == KIND]


def _shown(language: Language, owner: str, run_id: str, seen: str, axis: object) -> Changes:
    """What changed of a run since the last look; everything where ``seen`` is empty."""
    run = runs().show(owner, run_id)
    if run.kind != KIND:
        raise UnknownNameError("run-unknown", run_id[:40], expected="a measurement of speed", where="run")
    lines = REPORTS.lines(runs(), owner, run_id)
    now = f"{run_id} {run.state} {run.attempt} {run.stopping} {language}"
    changes: Changes = {"status": status_html(run, lines, language), "state.run": run_id, "state.seen": now}
    if now == seen:
        return changes
    changes |= {
        "run_panel": gr.update(visible=True),
        "button.cancel": gr.update(visible=run.active),
        "timer": gr.Timer(active=run.active),
    }
    result = _result(owner, run)
    return changes if result is None else changes | _drawn(language, owner, run, result, axis)


def _result(owner: str, run: Run) -> BenchResult | None:
    from workbench.compare.bench_results import bench_from_dict

    found = REPORTS.result(runs(), owner, run)
    return None if found is None else bench_from_dict(found)


def _drawn(language: Language, owner: str, run: Run, result: BenchResult, axis: object) -> Changes:
    from workbench.compare.bench_code import python_of
    from workbench.compare.bench_history import over_time
    from workbench.compare.bench_text import command_of

    others = [one for one in _measurements(owner) if one.state == "complete"][:_LISTED]
    earlier = [found for one in others if one.id != run.id for found in _older(owner, one, result)]
    choices = [
        (f"{one.created_at[:16].replace('T', ' ')} · {readable(one.name, 60)}", one.id) for one in others
    ]
    tradeoff = result.tradeoff
    return {
        "result_panel": gr.update(visible=True),
        **sections(result, over_time(result, earlier), language),
        "ratio_plot": ratio_figure(result, language) if result.measured else None,
        "shares_plot": shares_figure(result, language) if result.measured else None,
        "tradeoff_panel": gr.update(visible=tradeoff is not None),
        "tradeoff_plot": None if tradeoff is None else tradeoff_figure(tradeoff, _axis(axis), language),
        "earlier_choice": gr.update(choices=choices, value=run.id, visible=len(choices) > 1),
        "command": command_of(result.plan),
        "program": python_of(result.plan),
    }


def _older(owner: str, run: Run, result: BenchResult) -> list[BenchResult]:
    """The result of another run where it is of the same plan and older; nothing else is read in full."""
    from workbench.compare.bench_results import bench_from_dict

    found: Mapping[str, Any] | None = REPORTS.result(runs(), owner, run)
    if found is None or found.get("plan_hash") != result.plan_hash:
        return []
    try:
        other = bench_from_dict(found)
    except DataFileError:
        # Written by another version: it cannot be compared.
        return []
    return [other] if other.conditions.date_utc < result.conditions.date_utc else []


def _axis(value: object) -> str:
    return value if isinstance(value, str) and value in AXES else next(iter(AXES))
