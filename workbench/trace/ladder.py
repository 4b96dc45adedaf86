"""The rungs of two traces: each recorded value compared, exactly or against the noise floor of the case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import ROUNDING
from workbench.compare.noise_floor import MARGIN
from workbench.compare.results import Verdict
from workbench.contenders.trace_contract import Trace
from workbench.errors import InvalidValueError
from workbench.trace.results import Rung

# Smallest floor relative to the largest component: eight rounding steps of float32, one of a half precision.
LEAST = {"float32": 2.0**-20, "float16": 2.0**-11, "bfloat16": 2.0**-8}

# Values that are compared exactly, in the order of the stages.
_EXACT = (
    ("text", "prepared"),
    ("normalisation", "normalised"),
    ("normalisation", "pieces"),
    ("tokens", "content"),
    ("specials", "prefix"),
    ("specials", "suffix"),
    ("truncation", "kept"),
    ("truncation", "cut_left"),
    ("padding", "mask"),
    ("padding", "attended_pads"),
    ("padding", "type_ids"),
    ("padding", "positions"),
)
# A difference here counts only for texts of which it changed the ids.
_BEFORE_TOKENS = ("text", "normalisation")


def check_texts(left: Trace, right: Trace) -> None:
    """Two traces are of the same texts in the same order.

    Raises:
        InvalidValueError: They are not.
    """
    if left.texts != right.texts:
        raise InvalidValueError(
            "trace-texts-differ",
            f"{left.name} saw {len(left.texts)} texts, {right.name} {len(right.texts)}, not all the same",
            expected="the same texts in the same order",
            fix="Record both with the same probe set",
        )


def climb(left: Trace, right: Trace) -> tuple[Rung, ...]:
    """Compare everything that both traces hold.

    Raises:
        InvalidValueError: The traces are of different texts.
    """
    check_texts(left, right)
    rungs = [_exact(left, right, stage, name) for stage, name in _EXACT if _both(left, right, stage, name)]
    for stage in ("embeddings", "layers", "pooling", "modules", "batching"):
        rungs += [_floats(left, right, stage, name) for name in _float_names(left, right, stage)]
    rungs += _scores(left, right)
    return tuple(rungs)


def compute_type(trace: Trace) -> str:
    """The coarsest type that a pipeline computes in."""
    facts = trace.stage("precision").facts
    kinds = [
        *facts.get("weights", ()),
        *(str(value) for key, value in facts.items() if key.endswith("_dtype")),
    ]
    # A trace is never of the int8 that ``ROUNDING`` knows too: quantised weights are a cause of their own.
    known = [kind for kind in kinds if kind in LEAST]
    return max(known, key=lambda kind: ROUNDING[kind], default="float32")


def limit_of(left: Trace, right: Trace, stage: str, name: str) -> float:
    """Up to where a difference at a rung is float noise: measured on the case, and never below rounding.

    A pipeline that differs from itself by more than rounding can explain has a fault that depends on the
    batch; it does not raise the floor above that bound.
    """
    floors = []
    for trace in (left, right):
        kind = compute_type(trace)
        largest = _largest(trace.stage(stage).arrays.get(name, ()))
        measured = trace.floors.get(f"{stage}/{name}", 0.0)
        floors.append(max(min(measured, ROUNDING[kind] * largest), LEAST[kind] * largest))
    same = compute_type(left) == compute_type(right)
    return MARGIN * (max(floors) if same else min(floors))


def _both(left: Trace, right: Trace, stage: str, name: str) -> bool:
    return name in left.stage(stage).plain and name in right.stage(stage).plain


def _exact(left: Trace, right: Trace, stage: str, name: str) -> Rung:
    a, b = left.stage(stage).plain[name], right.stage(stage).plain[name]
    if name == "attended_pads":
        # How much padding there is depends on the batch; that any of it is read does not.
        a, b = tuple(value > 0 for value in a), tuple(value > 0 for value in b)
    differing = [i for i, (one, other) in enumerate(zip(a, b, strict=True)) if one != other]
    if stage in _BEFORE_TOKENS and _both(left, right, "tokens", "content"):
        ids = left.stage("tokens").plain["content"], right.stage("tokens").plain["content"]
        differing = [i for i in differing if ids[0][i] != ids[1][i]]
    verdict: Verdict = "different" if differing else "identical"
    return Rung(stage, name, verdict, float("inf") if differing else 0.0, 0.0, tuple(differing))


def _float_names(left: Trace, right: Trace, stage: str) -> list[str]:
    side = {"pad_sum", "first", "last", "pooler"} if stage == "pooling" else set()
    names = [name for name in left.stage(stage).arrays if name not in side]
    return [name for name in names if name in right.stage(stage).arrays]


def _floats(left: Trace, right: Trace, stage: str, name: str) -> Rung:
    a: Sequence[NDArray[Any]] = left.stage(stage).arrays[name]
    b: Sequence[NDArray[Any]] = right.stage(stage).arrays[name]
    if stage in ("embeddings", "layers"):
        a, b = _alike(left, right, a, b)
    limit = limit_of(left, right, stage, name)
    return _judged(left, right, stage, name, a, b, limit)


def token_counts(trace: Trace) -> list[int] | None:
    """Tokens that the encoder sees of each text, special tokens included; None where it was not recorded."""
    specials, kept = trace.stage("specials").plain, trace.stage("truncation").plain.get("kept")
    if not specials or kept is None:
        return None
    around = zip(specials["prefix"], specials["suffix"], strict=True)
    return [int(count) + len(a) + len(b) for count, (a, b) in zip(kept, around, strict=True)]


def ends(rows: NDArray[Any], count: int) -> NDArray[Any]:
    """The first and last rows, ``count`` in all: what a file keeps of a long text."""
    if len(rows) <= count:
        return rows
    front = (count + 1) // 2
    return np.concatenate([rows[:front], rows[len(rows) - (count - front) :]])


def _alike(
    left: Trace, right: Trace, a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Where a file keeps fewer rows of a text with as many tokens on both sides, keep those on both."""
    counts = token_counts(left), token_counts(right)
    pairs = []
    for i, (one, other) in enumerate(zip(a, b, strict=True)):
        if counts[0] is not None and counts[1] is not None and counts[0][i] == counts[1][i]:
            fewest = min(len(one), len(other))
            one, other = ends(one, fewest), ends(other, fewest)
        pairs.append((one, other))
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _judged(
    left: Trace,
    right: Trace,
    stage: str,
    name: str,
    a: Sequence[NDArray[Any]],
    b: Sequence[NDArray[Any]],
    limit: float,
) -> Rung:
    by_text = np.array([_largest_difference(one, other) for one, other in zip(a, b, strict=True)])
    differing = tuple(int(i) for i in np.flatnonzero(~(by_text <= limit)))
    largest = float(by_text.max(initial=0.0))
    if not differing:
        same = all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))
        return Rung(stage, name, "identical" if same else "float noise", largest, limit)
    coarse = max(ROUNDING[compute_type(left)], ROUNDING[compute_type(right)])
    rounded = coarse > ROUNDING["float32"] and all(_within(a[i], b[i], coarse) for i in differing)
    return Rung(stage, name, "precision" if rounded else "different", largest, limit, differing)


def _within(a: NDArray[Any], b: NDArray[Any], coarse: float) -> bool:
    """Whether two arrays differ by no more than the rounding of the coarser type, by length."""
    if a.shape != b.shape:
        return False
    length = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) <= coarse * length


def _scores(left: Trace, right: Trace) -> list[Rung]:
    a = left.stage("similarity").arrays.get("scores")
    b = right.stage("similarity").arrays.get("scores")
    if a is None or b is None:
        return []
    limit = _score_limit(left, right)
    rung = _judged(left, right, "similarity", "scores", a, b, limit)
    rungs = [rung]
    if _both(left, right, "ranking", "neighbours"):
        rungs.append(_ranking(left, right, np.stack(a), limit if rung.verdict != "precision" else np.inf))
    return rungs


def _score_limit(left: Trace, right: Trace) -> float:
    """What the noise of the embeddings can do to a score."""
    floor = limit_of(left, right, "batching", "embedding")
    rows = left.embeddings.astype(np.float64)
    if not rows.size:
        return MARGIN * LEAST["float32"]
    norms = np.linalg.norm(rows, axis=1)
    function = left.stage("similarity").facts.get("function", "cosine")
    smallest = float(norms[norms > 0].min(initial=1.0))
    scale = 1.0 / smallest if function == "cosine" else max(float(norms.max()), 1.0)
    return 2.0 * floor * float(np.sqrt(rows.shape[1])) * scale


def _ranking(left: Trace, right: Trace, scores: NDArray[Any], limit: float) -> Rung:
    """Other neighbours count only where the left pipeline's scores are no tie within the noise."""
    a, b = left.stage("ranking").plain["neighbours"], right.stage("ranking").plain["neighbours"]
    differing = []
    for i, (one, other) in enumerate(zip(a, b, strict=True)):
        if one == other:
            continue
        gaps = [abs(scores[i][x] - scores[i][y]) for x, y in zip(one, other, strict=False)]
        if len(one) != len(other) or max(gaps, default=0.0) > 2 * limit:
            differing.append(i)
    verdict: Verdict = "different" if differing else ("identical" if tuple(a) == tuple(b) else "float noise")
    return Rung("ranking", "neighbours", verdict, float(len(differing)), 0.0, tuple(differing))


def _largest(arrays: Sequence[NDArray[Any]]) -> float:
    return max((float(np.abs(array).max(initial=0.0)) for array in arrays), default=0.0)


def _largest_difference(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    found = float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
    return float("inf") if np.isnan(found) else found
