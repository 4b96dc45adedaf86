"""The smallest difference that held-out data can show, before a training and after, and what more would take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from workbench.compare.held_out import Rows
from workbench.compare.item_scores import ItemScores
from workbench.compare.significance import LEVEL, Difference, paired_difference
from workbench.errors import InvalidValueError

POWER = 0.8


@dataclass(frozen=True)
class Detectable:
    """What the data can show.

    Attributes:
        metric: Name of the metric.
        smallest: The smallest true difference that is shown with probability ``power``; None where the
            variation is unknown.
        power: Chance to show it.
        level: Level of the interval.
        items: Items that stand behind it.
        error: Standard error of the difference on so many items, seeds included.
        seed_error: The part of ``error`` that more items do not lower.
        basis: Where the error comes from, such as ``"base against another model"``.
    """

    metric: str
    smallest: float | None
    power: float
    level: float
    items: int
    error: float | None
    seed_error: float
    basis: str


def from_difference(difference: Difference, basis: str, power: float = POWER) -> Detectable:
    """What the data could have shown, from the paired variation that was observed.

    ``smallest = (z(level) + z(power)) × error``: the true difference whose interval stays above 0 in
    ``power`` of all draws of so many items.

    Raises:
        InvalidValueError: ``power`` outside 0.5 to 1.
    """
    if not 0.5 <= power < 1:
        raise InvalidValueError("power-out-of-range", f"{power}", expected="0.5 up to below 1, such as 0.8")
    error = difference.error
    # Two models that agree on every item have no variation between them: that says nothing of a third.
    smallest = _factor(difference.level, power) * error if error else None
    return Detectable(
        difference.metric,
        smallest,
        power,
        difference.level,
        difference.items,
        error,
        difference.seed_error,
        basis,
    )


def before_training(
    base: ItemScores,
    others: Sequence[tuple[str, ItemScores]],
    *,
    power: float = POWER,
    level: float = LEVEL,
    seed: int = 0,
) -> Detectable:
    """What the data will be able to show, before there is a tuned model.

    The variation between base and tuned model is not known yet. That between the base and a stand-in is
    taken, the largest of those given: another untuned model, or the base with half of its components (see
    `half_of_components`). One seed; several add their own variation.

    Args:
        base: Scores of the base model.
        others: Name and scores of each stand-in.
        power, level: As in `from_difference`.
        seed: Of the resampling.

    Raises:
        InvalidValueError: No stand-in came.
    """
    if not others:
        raise InvalidValueError("no-stand-in", "no model to compare the base with", expected="one or more")
    found = [
        from_difference(
            paired_difference(base, [scores], resamples=1000, level=level, seed=seed, names=(name, "base")),
            f"base against {name}",
            power,
        )
        for name, scores in others
    ]
    return max(found, key=lambda one: one.smallest or 0.0)


def half_of_components(embeddings: Rows, seed: int = 0) -> Rows:
    """A stand-in for a tuned model that moves as an embedding may: a random half of the components.

    Args:
        embeddings: Shape ``(texts, dim)``.
        seed: Which half.
    """
    dim = embeddings.shape[1]
    kept = np.sort(np.random.default_rng(seed).permutation(dim)[: max(1, dim // 2)])
    half: Rows = embeddings[:, kept]
    return half


def more_items(target: float, known: Detectable) -> int | None:
    """How many items to add, so that a true difference of ``target`` is shown with the same power.

    The items' part of the variance falls with their number; the seeds' part stays.

    Returns:
        0 where there are enough; None where no number is enough (the seeds vary too much, or ``target`` is 0)
        or the variation is unknown.
    """
    if known.error is None or known.smallest is None or target == 0:
        return None
    allowed = (abs(target) / _factor(known.level, known.power)) ** 2 - known.seed_error**2
    by_items = max(known.error**2 - known.seed_error**2, 0.0)
    if allowed <= 0:
        return None
    return max(0, math.ceil(known.items * by_items / allowed) - known.items)


def _factor(level: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)
