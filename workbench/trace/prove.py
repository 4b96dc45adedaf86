"""The proof: the left pipeline's value put in at the stage that was named, and the rest run anew."""

from __future__ import annotations

from dataclasses import replace

from workbench.contenders.trace_contract import Trace
from workbench.trace.diff import diff
from workbench.trace.pipelines import Pipeline, record
from workbench.trace.results import Difference, Fault, Proof

# More faults than stages cannot be told apart.
_MOST = 12


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
    faults: list[Fault] = []
    stages: frozenset[str] = frozenset()
    while current.first is not None and current.cause is not None and len(faults) < _MOST:
        added = stages | set(current.cause.swap)
        if added == stages:
            # Its value is in already and it still differs: nothing more can be learnt from a swap.
            break
        after = _after(left, right, trace, added)
        faults.append(
            Fault(current.first, current.cause, current.gap, after.gap, after.gap <= after.gap_limit)
        )
        stages, current = added, after
    closed = current.first is None and not current.gap > current.gap_limit
    return Proof(first, tuple(faults), closed, left, trace)


def _after(left: Trace, right: Pipeline, trace: Trace, stages: frozenset[str]) -> Difference:
    swapped = right.record(left.texts, left, stages)
    return diff(left, replace(swapped, floors=trace.floors))
