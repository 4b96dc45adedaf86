"""``steps.jsonl``: a line a step, appended while a training runs, cut back where one is resumed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from workbench.contenders.train_contract import StepRecord
from workbench.persistence.atomic import writing

_NUMBERS = ("loss", "learning_rate", "gradient_norm", "weight_distance", "seconds")


class StepFile:
    """The steps of a run, in memory and on disk.

    Attributes:
        steps: All of them so far.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: TextIO | None = None
        self.steps: tuple[StepRecord, ...] = ()

    def __enter__(self) -> StepFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    def keep(self, steps: int) -> None:
        """Begin the file with the first so many steps of what stood there before.

        Raises:
            FolderWriteError: ``disk-full``, ``not-writable``.
        """
        kept = tuple(record for record in read_steps(self._path) if record.step <= steps)
        with writing(self._path):
            if self._handle is not None:
                self._handle.close()
            self._handle = self._path.open("w", encoding="utf-8")
        self.steps = ()
        for record in kept:
            self.append(record)

    def append(self, record: StepRecord) -> None:
        """Add a step.

        Raises:
            FolderWriteError: ``disk-full``, ``not-writable``.
        """
        self.steps += (record,)
        if self._handle is None:
            self.keep(0)
            self.steps = (record,)
        line = asdict(record)
        # JSON has no infinity, the gradient norm of a step that fp16 skipped.
        line.update({name: line[name] if math.isfinite(line[name]) else None for name in _NUMBERS})
        with writing(self._path):
            assert self._handle is not None
            self._handle.write(json.dumps(line, allow_nan=False) + "\n")
            self._handle.flush()


def read_steps(path: Path) -> tuple[StepRecord, ...]:
    """The whole lines of a file of steps; none where there is no file."""
    if not path.is_file():
        return ()
    found = []
    names = {field.name for field in fields(StepRecord)}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values: Any = json.loads(line)
        except ValueError:
            # A line that a kill has torn.
            continue
        if isinstance(values, dict) and values.keys() == names:
            filled: dict[str, Any] = {
                key: math.inf if value is None else value for key, value in values.items()
            }
            found.append(StepRecord(**filled))
    return tuple(found)
