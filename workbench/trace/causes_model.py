"""Tests of causes from the encoder's inputs to the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import ROUNDING
from workbench.contenders.trace_contract import Trace
from workbench.trace.ladder import compute_type
from workbench.trace.results import Rung

Values = dict[str, Any] | None
_UNIT_TOLERANCE = 1e-2


def _count(left: Trace, rung: Rung) -> dict[str, Any]:
    return {"count": len(rung.differing_texts), "texts": len(left.texts)}


def _attends(trace: Trace) -> bool:
    return any(trace.stage("padding").plain["attended_pads"])


def padding_baked(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right pads beyond the longest text of a batch, and reads the padding."""
    if rung.name != "attended_pads" or not _attends(right) or _attends(left):
        return None
    plain = right.stage("padding").plain
    # A batch that is padded to its longest text is no wider than that.
    wider = [w for w, longest in zip(plain["width"], plain["longest"], strict=True) if w > longest]
    return {"width": wider[0], **_count(left, rung)} if wider else None


def mask_missing(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right lets the encoder read padding."""
    fits = rung.name == "attended_pads" and _attends(right) and not _attends(left)
    return _count(left, rung) if fits else None


def mask_hides_tokens(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right's mask leaves out tokens that left's lets through."""
    if rung.name != "mask":
        return None
    a, b = left.stage("padding").plain["mask"], right.stage("padding").plain["mask"]
    fits = all(sum(b[i]) < sum(a[i]) for i in rung.differing_texts)
    return _count(left, rung) if fits else None


def type_ids(left: Trace, right: Trace, rung: Rung) -> Values:
    """Other token type ids."""
    if rung.name != "type_ids":
        return None
    at = rung.differing_texts[0]
    a, b = left.stage("padding").plain["type_ids"][at], right.stage("padding").plain["type_ids"][at]
    return {"left_value": sorted(set(a)), "right_value": sorted(set(b)), **_count(left, rung)}


def positions_shifted(left: Trace, right: Trace, rung: Rung) -> Values:
    """Other position ids: those of the right side run on over the padding."""
    if rung.name != "positions":
        return None
    a, b = left.stage("padding").plain["positions"], right.stage("padding").plain["positions"]
    at = next((i for i in rung.differing_texts if a[i] and b[i]), None)
    if at is None:
        return None
    return {"left_value": a[at][0], "right_value": b[at][0], **_count(left, rung)}


def training_mode(left: Trace, right: Trace, rung: Rung) -> Values:
    """Dropout is active on the right side."""
    on = [bool(trace.stage("embeddings").facts.get("training")) for trace in (left, right)]
    return {} if on[1] and not on[0] else None


def quantised(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right computes its linear layers in 8-bit integers."""
    counts = [int(trace.stage("layers").facts.get("quantised_modules", 0)) for trace in (left, right)]
    return {"modules": counts[1]} if counts[1] and not counts[0] else None


def weights_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """The two hold other weights of the same type."""
    a, b = left.stage("provenance").facts, right.stage("provenance").facts
    hashes = a.get("weights_sample_sha256", ""), b.get("weights_sample_sha256", "")
    if not all(hashes) or hashes[0] == hashes[1] or compute_type(left) != compute_type(right):
        return None
    return {"left_value": hashes[0][:8], "right_value": hashes[1][:8]}


def layer_wrong(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right pools the output of a layer that is not the last."""
    if rung.name != "output":
        return None
    found = _layer_read(right)
    last = int(right.stage("layers").facts.get("layers", 0))
    if found is None or found == last or found == _layer_read(left):
        return None
    return {"right_value": found, "left_value": last, **_count(left, rung)}


def _layer_read(trace: Trace) -> int | None:
    """The layer whose output the pooling reads; 0 for the input embeddings."""
    stage = trace.stage("layers")
    output = stage.arrays["output"]
    embedding = trace.stage("embeddings").arrays.get("embedding")
    candidates: list[tuple[int, Sequence[NDArray[Any]]]] = [
        (number, stage.arrays[f"layer {number}"])
        for number in range(int(stage.facts.get("layers", 0)), 0, -1)
        if f"layer {number}" in stage.arrays
    ]
    if embedding is not None:
        candidates.append((0, embedding))
    for number, rows in candidates:
        same = all(
            a.shape == b.shape and np.allclose(a, b, 1e-5, 1e-6) for a, b in zip(rows, output, strict=True)
        )
        if same:
            return number
    return None


def layer_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """A layer gives other numbers although it was given the same."""
    return {"name": rung.name, **_count(left, rung)}


def _names(trace: Trace) -> list[str]:
    return list(trace.stage("modules").facts.get("names", ()))


def _lengths(trace: Trace) -> NDArray[Any]:
    rows = trace.stage("modules").arrays["finished"]
    return np.array([float(np.linalg.norm(row)) for row in rows])


def _is_unit(trace: Trace) -> bool:
    lengths = _lengths(trace)
    seen = lengths[lengths > 0]
    return bool(len(seen)) and bool(np.all(np.abs(seen - 1) <= _UNIT_TOLERANCE))


def normalize_missing(left: Trace, right: Trace, rung: Rung) -> Values:
    """Left gives vectors of length 1, right does not, and they point the same way."""
    if rung.name != "finished" or not _is_unit(left) or _is_unit(right) or not _parallel(left, right):
        return None
    lengths = _lengths(right)
    return {"shortest": float(lengths.min()), "longest": float(lengths.max())}


def normalize_extra(left: Trace, right: Trace, rung: Rung) -> Values:
    """The reverse."""
    return normalize_missing(right, left, rung)


def _parallel(left: Trace, right: Trace) -> bool:
    slack = 4 * max(ROUNDING[compute_type(left)], ROUNDING[compute_type(right)])
    pairs = zip(
        left.stage("modules").arrays["finished"], right.stage("modules").arrays["finished"], strict=True
    )
    for a, b in pairs:
        if a.shape != b.shape:
            return False
        lengths = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
        if lengths and abs(1 - float(a.astype(np.float64) @ b.astype(np.float64)) / lengths) > slack:
            return False
    return True


def skipped_modules(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right leaves out a module that left runs."""
    missing = [name for name in _names(left) if name not in _names(right)]
    return {"modules": ", ".join(missing)} if missing else None


def dimension_cut(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right's vectors are the beginnings of left's."""
    a, b = left.stage("modules").arrays["finished"], right.stage("modules").arrays["finished"]
    if not a or len(b[0]) >= len(a[0]):
        return None
    fits = all(np.allclose(one[: len(other)], other, 1e-4, 1e-5) for one, other in zip(a, b, strict=True))
    return {"left_value": len(a[0]), "right_value": len(b[0])} if fits else None


def precision(left: Trace, right: Trace, rung: Rung) -> Values:
    """The two compute in other types, or round one type at other places."""
    return {"left_value": compute_type(left), "right_value": compute_type(right)}


def order_not_restored(left: Trace, right: Trace, rung: Rung) -> Values:
    """Right returns the rows of other texts."""
    finished = right.stage("modules").arrays.get("finished")
    if finished is None or not finished or right.embeddings.shape[1:] != finished[0].shape:
        return None
    rows, returned = np.stack(finished).astype(np.float64), right.embeddings.astype(np.float64)
    distances = np.abs(returned[:, None, :] - rows[None, :, :]).max(axis=2)
    fits = bool(np.all(distances.min(axis=1) <= 1e-6 * np.abs(rows).max(initial=1e-12)))
    return _count(left, rung) if fits else None


def similarity_other(left: Trace, right: Trace, rung: Rung) -> Values:
    """Other similarity functions."""
    a, b = (str(trace.stage("similarity").facts.get("function", "")) for trace in (left, right))
    return {"left_value": a, "right_value": b} if a != b else None
