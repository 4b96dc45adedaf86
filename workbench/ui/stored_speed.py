"""Stored GPU figures: what somebody measured elsewhere, shown with its date and never as if measured here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True)
class StoredSpeed:
    """One stored measurement.

    Attributes:
        gpu, date: Of the machine and the day.
        rows: Contender → sentences a second.
        file: Name of the file it stands in.
    """

    gpu: str
    date: str
    rows: Mapping[str, float]
    file: str


def stored_speeds(folder: Path = RESULTS) -> tuple[StoredSpeed, ...]:
    """The stored figures of ``*cuda*.json``, newest first; a file that is none of them is passed over."""
    found = [one for path in sorted(folder.glob("*cuda*.json")) if (one := _read(path)) is not None]
    return tuple(sorted(found, key=lambda one: one.date, reverse=True))


def _read(path: Path) -> StoredSpeed | None:
    if path.stat().st_size > _LARGEST_FILE:
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return None
    if not isinstance(stored, dict):
        return None
    conditions = stored.get("conditions")
    speeds = stored.get("speeds")
    if not isinstance(conditions, dict) or not isinstance(speeds, list):
        return None
    rows = {row["label"]: float(row["sentences_per_second"]) for row in speeds if _is_row(row)}
    gpu, date = conditions.get("gpu"), conditions.get("date_utc")
    if not rows or not isinstance(gpu, str) or not isinstance(date, str):
        return None
    return StoredSpeed(gpu, date, rows, path.name)


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("label"), str)
        and isinstance(row.get("sentences_per_second"), int | float)
        and str(row.get("device", "cuda")).startswith("cuda")
    )
