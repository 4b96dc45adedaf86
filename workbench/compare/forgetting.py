"""Whether a tuned model has lost what its base knew: the difference on a set that it was not tuned for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.compare.significance import Difference

# A fall within this on the general set is held to be harmless: two points of a correlation.
MARGIN = 0.02

Kept = Literal["fell", "held", "not shown"]


@dataclass(frozen=True)
class Forgetting:
    """The general set, and what became of it.

    Attributes:
        source: Name of the set.
        difference: Tuned minus base on it.
        margin: The fall that counts as harmless.
        state: ``fell`` where the model is shown to be worse; ``held`` where the whole interval is above
            ``-margin``; ``not shown`` where the data cannot tell.
    """

    source: str
    difference: Difference
    margin: float
    state: Kept


def forgetting(difference: Difference, source: str, margin: float = MARGIN) -> Forgetting:
    """Judge the difference on the general set."""
    state: Kept = "not shown"
    if difference.worse:
        state = "fell"
    elif difference.low is not None and difference.low > -margin:
        state = "held"
    return Forgetting(source, difference, margin, state)


def worst(found: Sequence[Forgetting]) -> Kept | None:
    """What became of the general sets together: one that fell is enough; None without any."""
    states = {one.state for one in found}
    order: tuple[Kept, ...] = ("fell", "not shown", "held")
    return next((state for state in order if state in states), None)
