"""The noise floor of a case: how far a pipeline strays from itself at each rung."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from workbench.contenders.trace_contract import Trace

_GROUP = 3
_STAGES = ("embeddings", "layers", "pooling", "modules", "batching")
_SIDE = frozenset({"pad_sum", "first", "last", "pooler"})


def measure_floors(
    record: Callable[[Sequence[str]], Trace],
    texts: Sequence[str],
    other_kernel: Callable[[], AbstractContextManager[bool]],
    together: Trace | None = None,
) -> dict[str, float]:
    """Record the texts together, one by one, by threes in reversed order, and with another attention kernel.

    Args:
        record: The pipeline.
        texts: A few of the case's texts, the longest and the shortest among them.
        other_kernel: Runs the encoder with another attention kernel; gives False where it cannot.
        together: The recording of just these texts together, where it is at hand.

    Returns:
        ``stage/name`` → largest absolute difference between two of these recordings.
    """
    base = _values(together or record(texts))
    others = [_grouped(record, texts, 1), _grouped(record, texts[::-1], _GROUP)]
    with other_kernel() as changed:
        if changed:
            others.append(_values(record(texts)))
    floors: dict[str, float] = {}
    for key, rows in base.items():
        name = key.rpartition("\n")[2]
        for other in others:
            if key in other and other[key].shape == rows.shape and rows.size:
                found = float(np.abs(other[key] - rows).max())
                # Not a number is a fault, never a floor.
                floors[name] = max(floors.get(name, 0.0), found if np.isfinite(found) else 0.0)
    return floors


def _grouped(record: Callable[[Sequence[str]], Trace], texts: Sequence[str], size: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for start in range(0, len(texts), size):
        values.update(_values(record(texts[start : start + size])))
    return values


def _values(trace: Trace) -> dict[str, Any]:
    """Text and rung → array."""
    return {
        f"{text!r}\n{stage}/{name}": rows[index]
        for stage in _STAGES
        for name, rows in trace.stage(stage).arrays.items()
        if name not in _SIDE
        for index, text in enumerate(trace.texts)
    }
