"""Runs as text and JSON for the command line: ``runs list|show|cancel|resume|compare``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workbench.errors import UnknownNameError
from workbench.runs.client import Client
from workbench.runs.metrics import Metrics
from workbench.runs.owner import OPERATOR
from workbench.runs.record import Run
from workbench.runs.side_by_side import SideBySide, side_by_side
from workbench.runs.states import STATES, State
from workbench.runs.supervisor import Supervisor

Runs = Supervisor | Client
_NAME_WIDTH = 32


def list_runs(
    runs: Runs, *, state: str | None = None, text: str = "", limit: int = 50, as_json: bool = False
) -> str:
    """A table of the newest runs.

    Raises:
        UnknownNameError: ``run-state``.
    """
    found = runs.list(OPERATOR, state=_state(state), text=text, limit=limit)
    if as_json:
        return _json([run.to_dict() for run in found])
    if not found:
        return "No runs."
    rows = [
        (run.id, _standing(run), _progress(run), duration(run.seconds), _short(run.name)) for run in found
    ]
    return _table(("id", "state", "steps", "time", "name"), rows)


def show_run(runs: Runs, run_id: str, *, as_json: bool = False, log_lines: int = 10) -> str:
    """One run in full.

    Raises:
        UnknownNameError: ``run-unknown``.
    """
    run = runs.show(OPERATOR, run_id)
    result = runs.result(OPERATOR, run_id)
    if as_json:
        return _json({**run.to_dict(), "result": result})
    lines = [
        f"{run.id}  {printable(run.name)}".rstrip(),
        f"kind       {run.kind}",
        f"state      {_standing(run)}",
        f"steps      {_progress(run)}",
        f"loss       {'-' if run.loss is None else f'{run.loss:.6g}'}",
        f"time       {duration(run.seconds)} in {run.attempt} start{'s' if run.attempt != 1 else ''}",
        f"created    {run.created_at}",
    ]
    if run.reason:
        lines.append(f"reason     {printable(run.reason.message)} [{printable(run.reason.code)}]")
    if run.note:
        lines += ["", *(printable(line) for line in run.note.splitlines())]
    lines += ["", "settings", _json(dict(run.config))]
    if result is not None:
        lines += ["", "result", _json(result)]
    log = runs.log_tail(OPERATOR, run_id).splitlines()[-log_lines:]
    if log:
        lines += ["", "log", *(printable(line) for line in log)]
    return "\n".join(lines)


def cancel_run(runs: Runs, run_id: str, *, as_json: bool = False) -> str:
    """Ask a run to stop.

    Raises:
        UnknownNameError: ``run-unknown``.
    """
    return _told(runs.cancel(OPERATOR, run_id), as_json)


def resume_run(runs: Runs, run_id: str, *, wait_seconds: float | None = 0.0, as_json: bool = False) -> str:
    """Put a run back into the queue, and wait for its end as long as told (None: until it comes).

    Raises:
        UnknownNameError: ``run-unknown``.
        InvalidValueError: ``run-complete``.
        WorkbenchError: ``too-many-queued``, ``queue-full``.
    """
    runs.resume(OPERATOR, run_id)
    if isinstance(runs, Supervisor):
        # Nobody else would start it: this command is the supervisor for now.
        runs.tick()
    return _told(runs.wait(OPERATOR, run_id, wait_seconds), as_json)


def compare_runs(runs: Runs, run_ids: Sequence[str], *, as_json: bool = False) -> str:
    """Two to four runs side by side: what differs in their settings, their last values, their results.

    Raises:
        UnknownNameError: ``run-unknown``.
        InvalidValueError: ``runs-to-compare``.
    """
    found = gather(runs, run_ids)
    if as_json:
        return _json(found.to_dict())
    heads = ("", *(run.id for run in found.runs))
    blocks = []
    for title, rows in (
        ("settings that differ", found.differences),
        ("last value", {name: tuple(_last(curve) for curve in row) for name, row in found.curves.items()}),
        ("result", found.results),
    ):
        body = [(printable(name), *(_value(value) for value in row)) for name, row in rows.items()]
        blocks.append(f"{title}\n{_table(heads, body)}" if body else f"{title}: none")
    return "\n\n".join(blocks)


def gather(runs: Runs, run_ids: Sequence[str]) -> SideBySide:
    """Fetch runs with their metrics and results, and lay them side by side.

    Raises:
        UnknownNameError: ``run-unknown``.
        InvalidValueError: ``runs-to-compare``.
    """
    found = [runs.show(OPERATOR, run_id) for run_id in run_ids]
    metrics = [all_metrics(runs, run.id) for run in found]
    return side_by_side(found, metrics, [runs.result(OPERATOR, run.id) for run in found])


def all_metrics(runs: Runs, run_id: str) -> list[Any]:
    """Every line of a run's metrics."""
    lines: list[Any] = []
    page = Metrics((), 0, more=True)
    while page.more:
        page = runs.metrics_since(OPERATOR, run_id, page.offset)
        lines += page.lines
    return lines


def duration(seconds: float) -> str:
    """A time to read.

    Example:
        >>> duration(3725.4)
        '1:02:05'
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def printable(text: str) -> str:
    """A text that cannot steer a terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _state(state: str | None) -> State | None:
    if state is None:
        return None
    for known in STATES:
        if state == known:
            return known
    raise UnknownNameError("run-state", repr(state)[:60], expected=f"one of {', '.join(STATES)}")


def _told(run: Run, as_json: bool) -> str:
    return _json(run.to_dict()) if as_json else f"{run.id} {_standing(run)}"


def _standing(run: Run) -> str:
    if run.stopping:
        return "stopping"
    return f"queued ({run.place})" if run.place else run.state


def _progress(run: Run) -> str:
    return f"{run.step}/{run.total}" if run.total else str(run.step)


def _short(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _NAME_WIDTH else f"{text[: _NAME_WIDTH - 1]}…"


def _last(curve: Sequence[tuple[int, float | None]]) -> float | None:
    return curve[-1][1] if curve else None


def _value(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))[:60]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (heads, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
