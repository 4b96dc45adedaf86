"""What runs have reported, kept between two looks at them: only what is new is read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.ui.widgets.curve_points import Line

if TYPE_CHECKING:
    from workbench.runs.client import Client
    from workbench.runs.record import Run
    from workbench.runs.supervisor import Supervisor

    Runs = Supervisor | Client

# A report is a dict of about a kilobyte; the run that was looked at longest ago goes first.
_MAX_LINES = 60_000
_MAX_RUNS = 200
# Of a megabyte each; the rest of a very long run comes with the next look.
_MAX_PAGES = 64


@dataclass
class _Kept:
    lines: list[Line] = field(default_factory=list)
    offset: int = 0
    result: Mapping[str, Any] | None = None


class Reports:
    """Reports and results by run; safe to use from several threads.

    Whether a visitor may see a run is asked of the runs at every call: nothing is handed out from here alone.
    """

    def __init__(self, max_lines: int = _MAX_LINES) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._max_lines = max_lines

    def lines(self, runs: Runs, owner: str, run_id: str) -> list[Line]:
        """The curve of a run so far, without what a resumed run did a second time.

        Raises:
            UnknownNameError: ``run-unknown``.
        """
        from workbench.runs.metrics import effective

        runs.show(owner, run_id)
        with self._lock:
            kept = self._of(run_id)
            known = len(kept.lines)
            for _ in range(_MAX_PAGES):
                page = runs.metrics_since(owner, run_id, kept.offset)
                if page.offset < kept.offset:
                    kept.lines, known = [], 0
                kept.lines.extend(page.lines)
                kept.offset = page.offset
                if not page.more:
                    break
            # What a resume has replaced is let go of; a later resume drops from what is left.
            if any("step" not in line for line in kept.lines[known:]):
                kept.lines = list(effective(kept.lines))
            self._shrink()
            return list(kept.lines)

    def result(self, runs: Runs, owner: str, run: Run) -> Mapping[str, Any] | None:
        """The result of a complete run, which never changes; None before."""
        if run.state != "complete":
            return None
        runs.show(owner, run.id)
        with self._lock:
            kept = self._of(run.id)
            if kept.result is None:
                kept.result = runs.result(owner, run.id)
            return kept.result

    def forget(self, run_id: str) -> None:
        """Let go of a deleted run."""
        with self._lock:
            self._kept.pop(run_id, None)

    def _of(self, run_id: str) -> _Kept:
        kept = self._kept.setdefault(run_id, _Kept())
        self._kept.move_to_end(run_id)
        return kept

    def _shrink(self) -> None:
        total = sum(len(kept.lines) for kept in self._kept.values())
        while len(self._kept) > 1 and (total > self._max_lines or len(self._kept) > _MAX_RUNS):
            _, oldest = self._kept.popitem(last=False)
            total -= len(oldest.lines)


def folder_of(runs: Runs, owner: str, run_id: str) -> Path:
    """The folder of a visitor's run.

    Raises:
        UnknownNameError: ``run-unknown``.
    """
    from workbench.runs import layout

    runs.show(owner, run_id)
    home = getattr(runs, "folder", None) or layout.default_home()
    return layout.run_folder(home, run_id)


REPORTS = Reports()
