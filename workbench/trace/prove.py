"""The proof: the left pipeline's value put in at the stage that was named, and the rest run anew."""

from __future__ import annotations

from dataclasses import replace

from workbench.contenders.trace_contract import STAGES, Trace
from workbench.trace.causes import name_cause
from workbench.trace.diff import diff
from workbench.trace.pipelines import Pipeline, record
from workbench.trace.results import CauseFound, Difference, Fault, Proof, Rung

# More faults than stages cannot be told apart.
_MOST = 12
_NUMBERS = ("embeddings", "layers", "pooling", "modules")


def prove(left: Trace, right: Pipeline, right_trace: Trace | None = None) -> Proof:
    """Find every fault of ``right`` in turn.

    The first stage that differs is named and its value replaced by left's; the rest of the pipeline runs
    anew on its own objects. Where the gap does not close, the next difference is another fault.

    Args:
        left: The trace to hold as right, whole: a trace cut for a file has no rows to put in.
        right: The pipeline in question, live.
        right_trace: Its trace of the same texts, where it is at hand.

    Raises:
        InvalidValueError: The traces are of different texts.
    """
    trace = right_trace or record(right, left.texts)
    first = current = diff(left, trace)
    current_trace = trace
    faults: list[Fault] = []
    stages: frozenset[str] = frozenset()
    while len(faults) < _MOST:
        step = _next_step(left, current_trace, current, stages)
        if step is None:
            break
        rung, cause, added = step
        stages = stages | added
        current_trace = replace(right.record(left.texts, left, stages), floors=trace.floors)
        after = diff(left, current_trace, stages)
        within = after.gap <= after.gap_limit
        if faults and faults[-1].cause.key == cause.key:
            faults[-1] = replace(faults[-1], gap_after=after.gap, closed=within)
        else:
            faults.append(Fault(rung, cause, current.gap, after.gap, within))
        current = after
    closed = current.first is None and not current.gap > current.gap_limit
    return Proof(first, tuple(faults), closed, left, trace)


def _next_step(
    left: Trace, right: Trace, current: Difference, swapped: frozenset[str]
) -> tuple[Rung, CauseFound, frozenset[str]] | None:
    """The next fault and the stages to swap for it; None where nothing is left that a swap could show."""
    order = list(STAGES)
    last = max((order.index(stage) for stage in swapped), default=-1)
    rungs = [rung for rung in current.rungs if order.index(rung.stage) > last]
    parted = [rung for rung in rungs if rung.verdict in ("different", "precision")]
    if not parted:
        return None
    rung = parted[0]
    if rung.verdict == "precision":
        added = _rounded_stages(rungs, rung)
        if added:
            return rung, name_cause(left, right, rung, rungs), added
        rung = next(other for other in parted if other.verdict == "different")
    cause = name_cause(left, right, rung, rungs)
    added = frozenset(cause.swap)
    return (rung, cause, added) if added - swapped else None


def _rounded_stages(rungs: list[Rung], rung: Rung) -> frozenset[str]:
    """From a rung that differs by rounding on, the stages before the first that has a fault of its own."""
    stages: set[str] = set()
    for stage in _NUMBERS[_NUMBERS.index(rung.stage) :] if rung.stage in _NUMBERS else ():
        if any(other.stage == stage and other.verdict == "different" for other in rungs):
            break
        stages.add(stage)
    return frozenset(stages or ({rung.stage} if rung.stage not in _NUMBERS else ()))
