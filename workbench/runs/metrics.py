"""``metrics.jsonl``: a line a report, appended by the child, read from where the reader left off."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.runs.files import coded, last_bytes

READ_BYTES = 1 << 20
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True)
class Metrics:
    """What was appended since an offset.

    Args:
        lines: One dict a line, in order: ``step``, ``total``, ``attempt``, ``seconds``, ``values`` (a number,
            or None where it was not finite), ``reasons`` (name → why it is None). A line with
            ``resumed_from`` says that what was reported beyond that step is done anew.
        offset: Where to read on, in bytes.
        damaged: Lines that could not be read, such as one torn by a kill.
        more: Whether more is there already.
    """

    lines: tuple[Mapping[str, Any], ...]
    offset: int
    damaged: int = 0
    more: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.__dict__, "lines": [dict(line) for line in self.lines]}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Metrics:
        """The inverse of `to_dict`."""
        return Metrics(**{**values, "lines": tuple(values["lines"])})


class MetricsWriter:
    """The child's end of the file; one system call a line, so that a kill tears the last line at most."""

    def __init__(self, path: Path) -> None:
        torn = last_bytes(path, 1) not in (b"", b"\n")
        with coded(path):
            self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            if torn:
                # The torn line stays a line of its own.
                os.write(self._handle, b"\n")
        self._path = path

    def append(self, line: Mapping[str, Any]) -> None:
        """Append one line.

        Raises:
            FolderWriteError: ``disk-full``, ``not-writable``.
        """
        data = json.dumps(line, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with coded(self._path):
            while data:
                data = data[os.write(self._handle, data) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def finite(values: Mapping[str, float]) -> tuple[dict[str, float | None], dict[str, str]]:
    """Values as JSON can hold them, and why some are missing: JSON has no NaN.

    Example:
        >>> finite({"loss": float("inf"), "lr": 0.1})
        ({'loss': None, 'lr': 0.1}, {'loss': 'inf'})
    """
    kept: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, value in values.items():
        number = float(value)
        if math.isfinite(number):
            kept[name] = number
        else:
            kept[name], reasons[name] = None, str(number)
    return kept, reasons


def read_since(path: Path, offset: int = 0, *, limit: int = READ_BYTES) -> Metrics:
    """Read the whole lines after an offset; what the child is still writing waits for the next call.

    Args:
        path: The file; missing reads as empty.
        offset: Bytes read already. Beyond the end, or negative, reading starts anew from 0.
        limit: Bytes to read at most.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = offset if 0 <= offset <= size else 0
            file.seek(start)
            data = file.read(limit)
    except OSError:
        return Metrics((), 0)
    whole = data.rfind(b"\n") + 1
    if not whole and len(data) == limit:
        # One line longer than a whole read is none of ours.
        return Metrics((), start + len(data), 1, start + len(data) < size)
    lines = [_parsed(line) for line in data[:whole].splitlines()]
    good = tuple(line for line in lines if line is not None)
    return Metrics(good, start + whole, len(lines) - len(good), len(data) == limit)


def last_report(path: Path) -> Mapping[str, Any] | None:
    """The newest whole line with a step in it; None where there is none."""
    data = last_bytes(path, _TAIL_BYTES)
    for line in reversed(data[: data.rfind(b"\n") + 1].splitlines()):
        parsed = _parsed(line)
        if parsed is not None and "step" in parsed:
            return parsed
    return None


def effective(lines: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The curve without what a resumed run did a second time: each resume drops the steps beyond it."""
    kept: list[Mapping[str, Any]] = []
    for line in lines:
        resumed = line.get("resumed_from")
        if resumed is not None:
            kept = [earlier for earlier in kept if earlier["step"] <= resumed]
        elif "step" in line:
            kept.append(line)
    return kept


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    for name in ("step", "total", "attempt", "resumed_from"):
        if name in value and (not isinstance(value[name], int) or isinstance(value[name], bool)):
            return None
    return value if isinstance(value.get("values", {}), dict) else None
