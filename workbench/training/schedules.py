"""Learning-rate schedules under their classic names: optimizer step → factor of the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from workbench.errors import UnknownNameError


@dataclass(frozen=True)
class Span:
    """What a schedule reckons with.

    Attributes:
        warmup: Steps in which the rate rises from 0.
        total: Steps of the whole training.
    """

    warmup: int
    total: int

    def rise(self, step: int) -> float | None:
        """The factor while the rate rises; None after."""
        return step / max(1, self.warmup) if step < self.warmup else None

    def done(self, step: int) -> float:
        """Share of the steps after the rise that lies behind."""
        return (step - self.warmup) / max(1, self.total - self.warmup)


def constant(step: int, span: Span) -> float:
    """Always the full rate; there is no rise."""
    return 1.0


def warmup_constant(step: int, span: Span) -> float:
    """Rise, then the full rate."""
    rising = span.rise(step)
    return 1.0 if rising is None else rising


def warmup_linear(step: int, span: Span) -> float:
    """Rise, then fall in a line to 0 at the last step."""
    rising = span.rise(step)
    if rising is not None:
        return rising
    return max(0.0, (span.total - step) / max(1, span.total - span.warmup))


def warmup_cosine(step: int, span: Span) -> float:
    """Rise, then half a cosine down to 0."""
    rising = span.rise(step)
    if rising is not None:
        return rising
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * span.done(step))))


def warmup_cosine_with_hard_restarts(step: int, span: Span) -> float:
    """Rise, then one cycle of the cosine; 0 once it is over."""
    rising = span.rise(step)
    if rising is not None:
        return rising
    done = span.done(step)
    return 0.0 if done >= 1.0 else max(0.0, 0.5 * (1.0 + math.cos(math.pi * (done % 1.0))))


Schedule = Callable[[int, Span], float]

SCHEDULES: dict[str, Schedule] = {
    "constantlr": constant,
    "warmupconstant": warmup_constant,
    "warmuplinear": warmup_linear,
    "warmupcosine": warmup_cosine,
    "warmupcosinewithhardrestarts": warmup_cosine_with_hard_restarts,
}


def find_schedule(name: str) -> Schedule:
    """The schedule of a name, whatever its case.

    Raises:
        UnknownNameError: No such schedule.

    Source: the names and curves of sentence-transformers' ``fit``.
    """
    found = SCHEDULES.get(name.lower()) if isinstance(name, str) else None
    if found is None:
        raise UnknownNameError(
            "scheduler-unknown", f"scheduler is {name!r}", expected=f"one of {', '.join(SCHEDULES)}"
        )
    return found
