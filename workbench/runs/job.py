"""What a job is given: its settings, its folder, a way to report, and to hear that it shall stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError
from workbench.runs.layout import CHECKPOINTS, INPUTS
from workbench.runs.metrics import MetricsWriter, finite


@dataclass(frozen=True)
class JobContext:
    """One start of a job.

    Args:
        folder: The run's folder.
        config: The run's settings, as they were submitted.
        attempt: 1 at the first start, more when it is resumed.
        stop: Whether the job shall stop now: it saves a checkpoint and returns None.
        metrics: Where reports go.
        max_steps: A report beyond it ends the run; None is no limit.
    """

    folder: Path
    config: Mapping[str, Any]
    attempt: int
    stop: Callable[[], bool]
    metrics: MetricsWriter
    max_steps: int | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints go; the folder is there."""
        return self.folder / CHECKPOINTS

    @property
    def inputs(self) -> Path:
        """The files that were submitted with the run."""
        return self.folder / INPUTS

    def report(self, step: int, total: int = 0, **values: float) -> None:
        """Append one line of metrics; ``loss`` is the one that the list of runs shows.

        Args:
            step: Steps done, all attempts together.
            total: Steps to do; 0 where unknown.
            values: Numbers; one that is not finite is kept as missing, with the reason.

        Raises:
            InvalidValueError: ``step-limit``.
            FolderWriteError: ``disk-full``, ``not-writable``.
        """
        kept, reasons = finite(values)
        line: dict[str, Any] = {"step": step, "total": total, **self._head(), "values": kept}
        self.metrics.append({**line, "reasons": reasons} if reasons else line)
        if self.max_steps is not None and step > self.max_steps:
            raise InvalidValueError(
                "step-limit",
                f"step {step}",
                expected=f"at most {self.max_steps} steps a run on this machine",
                fix="Train for fewer epochs or on fewer rows",
            )

    def resumed(self, step: int) -> None:
        """Say from which step a resumed job goes on: what was reported beyond it is done anew."""
        self.metrics.append({"resumed_from": step, **self._head()})

    def _head(self) -> dict[str, Any]:
        return {"attempt": self.attempt, "seconds": round(time.monotonic() - self.started, 4)}


# A job returns its result, finite JSON values, or None where it stopped because it was asked to.
Job = Callable[[JobContext], Mapping[str, Any] | None]
