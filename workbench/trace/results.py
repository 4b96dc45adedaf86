"""What comparing two traces gives: rungs from text to ranking, a cause with its fix, and the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.compare.results import Verdict
from workbench.contenders.trace_contract import Trace


@dataclass(frozen=True)
class Rung:
    """One value of one stage in two traces.

    Attributes:
        stage, name: Which value.
        verdict: ``identical`` and ``float noise`` are agreement; ``precision`` is a difference of the size
            of a coarser type's rounding.
        max_abs: Largest absolute difference; 0 or infinite for values that are no numbers or of other shapes.
        limit: Up to where a difference is float noise; 0 for exact values.
        differing_texts: Indices beyond the limit.
    """

    stage: str
    name: str
    verdict: Verdict
    max_abs: float
    limit: float
    differing_texts: tuple[int, ...] = ()


@dataclass(frozen=True)
class CauseFound:
    """Why two traces part at a rung.

    Attributes:
        key: Of the table of causes.
        stage: Where the fault lies: the first stage that does something else.
        sentence: In English, without a full stop.
        fix: Code for the right pipeline.
        values: What fills sentence and fix, for another language.
        swap: Stages whose values show the cause when they are substituted.
    """

    key: str
    stage: str
    sentence: str
    fix: str
    values: Mapping[str, Any] = field(default_factory=dict)
    swap: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """Two traces compared.

    Attributes:
        rungs: In the order of the stages; stages that one side did not record are left out.
        verdict: Over all of it.
        first: The first rung that is different; for the verdict ``precision`` the first of that kind.
        cause: Of that rung.
        gap: Largest absolute difference of the returned embeddings; NaN where they were not recorded,
            infinite where the dimensions differ.
        gap_limit: Up to where the gap is float noise.
        cosine_mean, cosine_min, cosine_p01: Of each text's two embeddings; NaN where there are none.
        context: Facts of provenance that differ: name → left and right.
    """

    rungs: tuple[Rung, ...]
    verdict: Verdict
    first: Rung | None
    cause: CauseFound | None
    gap: float
    gap_limit: float
    cosine_mean: float
    cosine_min: float
    cosine_p01: float
    context: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One fault, proved.

    Attributes:
        rung: Where it shows.
        cause: Why.
        gap_before, gap_after: Largest difference of the embeddings before and after the swap of this fault
            and those before it.
        closed: Whether the gap after it is within the noise floor.
    """

    rung: Rung
    cause: CauseFound
    gap_before: float
    gap_after: float
    closed: bool


@dataclass(frozen=True)
class Proof:
    """The faults in the order of the stages, each proved by putting the left pipeline's value in its place.

    Attributes:
        difference: Before anything was swapped.
        faults: One after the other; empty where the pipelines agree.
        closed: Whether the last swap closed the gap to the noise floor.
        left, right: The traces.
    """

    difference: Difference
    faults: tuple[Fault, ...]
    closed: bool
    left: Trace
    right: Trace

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages named, in order."""
        return tuple(fault.cause.stage for fault in self.faults)
