"""A run as the Train page shows it while it waits, runs and after: status, curves, log, proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from workbench.ui.errors import box_html
from workbench.ui.run_reports import REPORTS
from workbench.ui.runs_home import runs
from workbench.ui.texts import Language, say
from workbench.ui.widgets.curves import curves
from workbench.ui.widgets.html import NOTHING, Safe, count, element, join, readable
from workbench.ui.widgets.progress_line import stage_html

if TYPE_CHECKING:
    from workbench.runs.record import Run

Changes = dict[str, Any]
_LOG_BYTES = 6000
_TONES = {"complete": "good", "failed": "bad", "cancelled": "warn", "interrupted": "warn"}


def live_changes(language: Language, owner: str, run_id: str, seen: str) -> tuple[Changes, str]:
    """What changed of a run since the last look.

    Args:
        language: Of the words.
        owner: The visitor's secret.
        run_id: The run.
        seen: What the last look returned beside its changes; empty for everything anew.

    Raises:
        UnknownNameError: ``run-unknown``.
    """
    run = runs().show(owner, run_id)
    lines = REPORTS.lines(runs(), owner, run_id)
    now = f"{run_id} {run.state} {len(lines)} {run.attempt} {language}"
    changes: Changes = {"status": status_html(run, lines, language)}
    if now != seen:
        changes |= {
            "run_panel": gr.update(visible=True),
            "curves": curves(series_of(run, lines), language) if lines else NOTHING,
            "log": log_html(runs().log_tail(owner, run_id, _LOG_BYTES), language),
            "button.cancel": gr.update(visible=run.active),
            "button.resume": gr.update(visible=run.resumable),
            "results": gr.update(visible=run.state == "complete"),
            "timer": gr.Timer(active=run.active),
        }
    return changes, now


def status_html(run: Run, lines: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    """One line: where the run stands, how fast it goes, how long it will take."""
    if run.state == "queued":
        return stage_html(say(language, "train.queued", place=run.place), 0, 1)
    if run.state == "running":
        return stage_html(_running(run, lines, language), run.step, max(run.total, 1))
    told = [
        say(language, f"train.state_{run.state}", steps=run.step, seconds=_duration(run.seconds, language))
    ]
    if run.reason is not None:
        told.append(element("span", f"{readable(run.reason.message, 600)} [{run.reason.code}]"))
    return element("div", join(told, " "), class_=f"wb-box {_TONES.get(run.state, 'info')}", role="status")


def _running(run: Run, lines: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    if run.stopping:
        return say(language, "train.stopping")
    last = next((line for line in reversed(lines) if "step" in line), None)
    if last is None or not last.get("total"):
        return say(language, "train.preparing")
    step, total = last["step"], last["total"]
    if step >= total:
        return say(language, "train.judging", total=total)
    values: Mapping[str, Any] = next(
        (line["values"] for line in reversed(lines) if "loss" in line.get("values", {})), {}
    )
    speed = values.get("tokens_per_second")
    return say(
        language,
        "train.running",
        step=step,
        total=total,
        # Only fit counts its tokens.
        speed=say(language, "train.speed", tokens=count(speed)) if speed else NOTHING,
        left=_duration(_seconds_left(last, values, total - step), language),
        loss="–" if values.get("loss") is None else f"{values['loss']:.4f}",
    )


def _seconds_left(last: Mapping[str, Any], values: Mapping[str, Any], steps: int) -> float:
    """Of all trainings of the run: each report tells only of its own."""
    told = values.get("seconds_left")
    spent = float(last.get("seconds", 0.0))
    by_pace = spent / max(last["step"], 1) * steps
    return max(float(told or 0.0), by_pace) if told is None or by_pace > 2 * told else float(told)


def _duration(seconds: float, language: Language) -> Safe:
    whole = round(seconds)
    if whole < 100:
        return say(language, "train.seconds", seconds=whole)
    return say(language, "train.minutes", minutes=whole // 60, seconds=f"{whole % 60:02d}")


def series_of(run: Run, lines: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The reports of each training of a run, its steps counted from its own first one."""
    ways = run.config.get("ways") or ["own"]
    found: dict[str, list[Mapping[str, Any]]] = {}
    before: dict[str, int] = {}
    last = 0
    for line in lines:
        values = line.get("values", {})
        way, seed = values.get("way", 0), values.get("seed")
        name = str(ways[int(way)]) if isinstance(way, int | float) and 0 <= way < len(ways) else "own"
        name = name if seed is None else f"{name} · {int(seed)}"
        if name not in found:
            found[name], before[name] = [], last
        found[name].append({**line, "step": line["step"] - before[name]})
        last = max(last, line["step"])
    return found


def log_html(text: str, language: Language) -> Safe:
    """The end of what the run's process printed."""
    shown = "\n".join(readable(line, 400) for line in text.splitlines()[-60:])
    return element("pre", shown or say(language, "train.log_empty"), class_="wb-log", tabindex="0")


def gone_html(language: Language) -> Safe:
    """What a link to a run says that is not there, or not this visitor's."""
    return box_html(say(language, "train.run_gone"), "warn")
