"""Comparing pipelines: the results and their sentences here; each verb lives in the file of its name.

``run.run_comparison`` does all of it. Importing this room loads no library beyond numpy.
"""

from __future__ import annotations

from workbench.compare.reasons import ENGLISH, reason_text
from workbench.compare.results import (
    Agreement,
    Column,
    ColumnFailed,
    Comparison,
    Conditions,
    Coverage,
    EncodedColumn,
    Event,
    NoiseFloor,
    Progress,
    Speed,
    Verdict,
)

__all__ = [
    "ENGLISH",
    "Agreement",
    "Column",
    "ColumnFailed",
    "Comparison",
    "Conditions",
    "Coverage",
    "EncodedColumn",
    "Event",
    "NoiseFloor",
    "Progress",
    "Speed",
    "Verdict",
    "reason_text",
]
