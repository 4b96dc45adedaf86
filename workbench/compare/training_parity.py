"""Two trainings laid side by side step by step: where they first part by more than float noise, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.compare.training_causes import TrainingCause, first_cause
from workbench.contenders.train_contract import StepRecord, TrainPlan
from workbench.errors import InvalidValueError

Quantity = Literal["batch", "learning_rate", "loss", "gradient_norm", "weight_distance"]
# In the order in which a step comes to them: what parts first explains what parts later.
QUANTITIES: tuple[Quantity, ...] = ("batch", "learning_rate", "loss", "gradient_norm", "weight_distance")


@dataclass(frozen=True)
class Recorded:
    """One training as it was recorded.

    Attributes:
        name: For people.
        plan: What it was asked to do.
        steps: One record a step, from step 1.
        start: ``TrainOutcome.start``; empty where it is unknown.
    """

    name: str
    plan: TrainPlan
    steps: Sequence[StepRecord]
    start: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noise:
    """How far equal trainings may drift apart by rounding alone, at step 1; it grows with the steps.

    Measured between own ``fit``, upstream's Trainer and a plain one on the CPU in float32, two layers for 50
    steps and all-MiniLM-L6-v2 for 20, three losses: losses at most 2.1e-6 apart, gradient norms 2.6e-6,
    distances 2.9e-7. It changes from run to run with where tensors lie in memory: allowed is several times
    that. Weight decay of 0.01 against none moves the distance by some 6e-6 within the
    first steps: below float noise at the very first of them.

    Attributes:
        loss: Of the loss, relative where it is above 1 and absolute below.
        gradient_norm: Relative.
        weight_distance: Relative.
        learning_rate: Relative; schedules are reckoned in float64.
        growth: Share of the first step's noise that each further step adds: updates are made of gradients
            that were taken at weights that differ already.
    """

    loss: float = 5e-6
    gradient_norm: float = 1e-5
    weight_distance: float = 2.5e-6
    learning_rate: float = 1e-9
    growth: float = 0.1

    def allowed(self, quantity: Quantity, step: int) -> float:
        """The tolerance of a quantity at a step."""
        if quantity == "batch":
            return 0.0
        grows = 1.0 if quantity == "learning_rate" else 1.0 + self.growth * (step - 1)
        return float(getattr(self, quantity)) * grows


@dataclass(frozen=True)
class StepDifference:
    """Right minus left at one step.

    Attributes:
        step: Counted from 1.
        same_batch: Whether both saw the same texts and labels in the same order.
        learning_rate, loss, gradient_norm, weight_distance: Differences, in the quantity's own unit.
        beyond: The quantities that differ by more than float noise.
    """

    step: int
    same_batch: bool
    learning_rate: float
    loss: float
    gradient_norm: float
    weight_distance: float
    beyond: tuple[Quantity, ...]


@dataclass(frozen=True)
class TrainingParity:
    """What a comparison of two trainings found.

    Attributes:
        left, right: Their names.
        steps: One difference a step that both made.
        first_step: Where they first differ by more than noise; None where they agree throughout.
        quantity: What differs there first, in the order of a step.
        cause: Why; None where they agree.
        unequal_length: How many steps one made beyond the other.
        largest_loss_difference: Absolute, over all steps.
    """

    left: str
    right: str
    steps: tuple[StepDifference, ...]
    first_step: int | None
    quantity: Quantity | None
    cause: TrainingCause | None
    unequal_length: int
    largest_loss_difference: float

    @property
    def agree(self) -> bool:
        """Whether they are one training up to float noise, as far as both went."""
        return self.first_step is None


def training_parity(left: Recorded, right: Recorded, noise: Noise | None = None) -> TrainingParity:
    """Compare two trainings step by step and name the cause of their first difference.

    Args:
        left, right: Recorded by any two trainers.
        noise: What counts as float noise; by default what was measured in float32.

    Raises:
        InvalidValueError: ``no-steps``: one of them has no record.
    """
    for side in (left, right):
        if not side.steps:
            raise InvalidValueError(
                "no-steps", f"{side.name} has no step", expected="at least one", where=side.name
            )
    allowed = noise or Noise()
    pairs = list(zip(left.steps, right.steps, strict=False))
    steps = tuple(_difference(one, other, allowed) for one, other in pairs)
    first = next((place for place, step in enumerate(steps) if step.beyond), None)
    cause = None
    if first is not None:
        cause = first_cause(
            (left.name, left.plan, left.steps, left.start),
            (right.name, right.plan, right.steps, right.start),
            first,
            steps[first].beyond,
        )
    return TrainingParity(
        left.name,
        right.name,
        steps,
        None if first is None else steps[first].step,
        None if first is None else steps[first].beyond[0],
        cause,
        abs(len(left.steps) - len(right.steps)),
        max((abs(step.loss) for step in steps if math.isfinite(step.loss)), default=0.0),
    )


def _difference(left: StepRecord, right: StepRecord, noise: Noise) -> StepDifference:
    same = left.batch_sha256 == right.batch_sha256
    beyond: list[Quantity] = [] if same else ["batch"]
    for quantity in QUANTITIES[1:]:
        one, other = float(getattr(left, quantity)), float(getattr(right, quantity))
        scale = max(abs(one), abs(other), 1.0 if quantity == "loss" else 0.0)
        # Negated: what is not a number agrees with nothing.
        if not abs(other - one) <= noise.allowed(quantity, left.step) * scale:
            beyond.append(quantity)
    return StepDifference(
        left.step,
        same,
        right.learning_rate - left.learning_rate,
        right.loss - left.loss,
        right.gradient_norm - left.gradient_norm,
        right.weight_distance - left.weight_distance,
        tuple(beyond),
    )
