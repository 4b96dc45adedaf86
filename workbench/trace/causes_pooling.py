"""Tests of the pooling: which of the known ways turns a trace's token vectors into its pooled vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import ROUNDING
from workbench.contenders.trace_contract import Trace
from workbench.trace.ladder import compute_type, token_counts
from workbench.trace.results import Rung

# Vectors pooled in float32 from recorded ones: the order of a sum is all that is left to differ.
_SLACK = 4.0

Vector = NDArray[Any]
Pooler = Callable[[Trace, int], Vector | None]


def _output(trace: Trace, text: int) -> Vector:
    rows: Vector = trace.stage("layers").arrays["output"][text].astype(np.float64)
    return rows


def _mean(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    return np.asarray(rows.mean(axis=0)) if len(rows) else None


def _cls(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    return np.asarray(rows[0]) if len(rows) else None


def _last_token(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    return np.asarray(rows[-1]) if len(rows) else None


def _max(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    return np.asarray(rows.max(axis=0)) if len(rows) else None


def _sqrt(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    return np.asarray(rows.sum(axis=0) / np.sqrt(len(rows))) if len(rows) else None


def _weighted(trace: Trace, text: int) -> Vector | None:
    rows = _output(trace, text)
    weights = np.arange(1, len(rows) + 1, dtype=np.float64)[:, None]
    return np.asarray((rows * weights).sum(axis=0) / weights.sum()) if len(rows) else None


def _over_padding(trace: Trace, text: int) -> Vector | None:
    rows, stage = _output(trace, text), trace.stage("pooling")
    if "pads" not in stage.plain or not len(rows):
        return None
    pads = int(stage.plain["pads"][text])
    total: Vector = rows.sum(axis=0) + stage.arrays["pad_sum"][text]
    return total / (len(rows) + pads)


def _without_specials(trace: Trace, text: int) -> Vector | None:
    specials, tokens = trace.stage("specials").plain, trace.stage("tokens").plain
    if not specials or not tokens:
        return None
    before, after = specials["prefix"][text], specials["suffix"][text]
    rows = _output(trace, text)
    kept = len(rows) - len(before) - len(after)
    content = [index not in {*before, *after} for index in tokens["content"][text][:kept]]
    inside = rows[len(before) : len(rows) - len(after)]
    if not any(content) or len(content) != len(inside):
        return None
    return np.asarray(inside[content].mean(axis=0))


def _side(name: str) -> Pooler:
    def pooler(trace: Trace, text: int) -> Vector | None:
        rows = trace.stage("pooling").arrays.get(name)
        return None if rows is None else np.asarray(rows[text], dtype=np.float64)

    return pooler


# Name of a way of pooling → how it is done. The usual ways stand first: on texts without padding several
# give the same, and then the usual one is meant.
POOLERS: Mapping[str, Pooler] = {
    "mean": _mean,
    "cls": _cls,
    "max": _max,
    "lasttoken": _last_token,
    "mean_sqrt_len_tokens": _sqrt,
    "weightedmean": _weighted,
    "over-padding": _over_padding,
    "without-specials": _without_specials,
    "pooler": _side("pooler"),
    "first-column": _side("first"),
    "last-column": _side("last"),
}
KINDS = tuple(POOLERS)


def pools_as(kind: str) -> Callable[[Trace, Trace, Rung], dict[str, Any] | None]:
    """A test: does the right trace pool in this way, and the left one in another?"""

    def test(left: Trace, right: Trace, rung: Rung) -> dict[str, Any] | None:
        if not _fits(right, kind) or _fits(left, kind):
            return None
        return {
            "left_value": pooling_of(left) or "another way",
            "right_value": kind,
            "count": len(rung.differing_texts),
            "texts": len(left.texts),
        }

    return test


def pooling_of(trace: Trace) -> str | None:
    """The way in which a trace pools; None for one that the table does not hold."""
    return next((kind for kind in KINDS if _fits(trace, kind)), None)


def _fits(trace: Trace, kind: str) -> bool:
    pooled = trace.stage("pooling").arrays.get("pooled")
    if pooled is None or "output" not in trace.stage("layers").arrays:
        return False
    slack = _SLACK * ROUNDING[compute_type(trace)]
    tested = 0
    for text, vector in enumerate(pooled):
        expected = None if _is_cut(trace, text) else POOLERS[kind](trace, text)
        if expected is None:
            continue
        if expected.shape != vector.shape:
            return False
        tested += 1
        length = max(float(np.linalg.norm(expected)), float(np.linalg.norm(vector)))
        if not float(np.linalg.norm(expected - vector)) <= slack * length:
            return False
    return tested > 0


def _is_cut(trace: Trace, text: int) -> bool:
    """Whether a file kept only some of a text's token vectors."""
    counts = token_counts(trace)
    return counts is not None and len(trace.stage("layers").arrays["output"][text]) != counts[text]
