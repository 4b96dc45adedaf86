"""Comparing two traces: the ladder, its verdict, and the cause of the first rung that is different."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from workbench.compare.results import Verdict
from workbench.compare.similarity_matrix import row_cosines
from workbench.contenders.trace_contract import STAGES, Trace
from workbench.trace.causes import name_cause
from workbench.trace.ladder import climb, limit_of
from workbench.trace.results import Difference, Rung

_CONTEXT = (
    "model_sha256",
    "weights_sample_sha256",
    "tokenizer_sha256",
    "tokenizer_class",
    "encoder_class",
    "attention",
    "threads",
    "versions",
    "python",
    "machine",
    "device",
)


def diff(left: Trace, right: Trace, swapped: Collection[str] = ()) -> Difference:
    """Where and why two pipelines part.

    Args:
        left: The one to hold as right; the cause and the fix are told of the other.
        right: A trace of the same texts.
        swapped: Stages at which ``right`` holds left's values: only what comes after them is judged.

    Raises:
        InvalidValueError: The traces are of different texts, or have no stage in common.
    """
    rungs = climb(left, right)
    order = list(STAGES)
    last = max((order.index(stage) for stage in swapped), default=-1)
    judged = [rung for rung in rungs if order.index(rung.stage) > last]
    verdict = _verdict(judged)
    wanted = verdict if verdict in ("different", "precision") else None
    first = next((rung for rung in judged if rung.verdict == wanted), None)
    gap = next((r.max_abs for r in rungs if (r.stage, r.name) == ("batching", "embedding")), float("nan"))
    a, b = left.embeddings, right.embeddings
    cosines = row_cosines(a, b) if a.shape == b.shape and a.size else np.array([np.nan])
    return Difference(
        rungs=rungs,
        verdict=verdict,
        first=first,
        cause=name_cause(left, right, first, rungs) if first else None,
        gap=gap,
        gap_limit=limit_of(left, right, "batching", "embedding"),
        cosine_mean=float(cosines.mean()),
        cosine_min=float(cosines.min()),
        cosine_p01=float(np.percentile(cosines, 1)),
        context=context(left, right),
    )


def context(left: Trace, right: Trace) -> dict[str, tuple[Any, Any]]:
    """Facts of provenance that differ. They explain, and are no verdict."""
    a, b = left.stage("provenance").facts, right.stage("provenance").facts
    return {name: (a[name], b[name]) for name in _CONTEXT if name in a and name in b and a[name] != b[name]}


def _verdict(rungs: Sequence[Rung]) -> Verdict:
    verdicts = {rung.verdict for rung in rungs}
    for verdict in ("different", "precision"):
        if verdict in verdicts:
            return verdict
    final = [rung for rung in rungs if rung.stage == "batching"]
    judged = final or list(rungs)
    return "identical" if all(rung.verdict == "identical" for rung in judged) else "float noise"
