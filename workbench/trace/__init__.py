"""Tracing pipelines: the first stage where two part, the cause, the proof by swapping it, and the fix."""

from __future__ import annotations

from workbench.contenders.trace_contract import STAGES, StageRecord, Trace
from workbench.trace.results import Difference, Fault, Proof, Rung

__all__ = ["STAGES", "Difference", "Fault", "Proof", "Rung", "StageRecord", "Trace"]
