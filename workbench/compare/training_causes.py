"""Why two trainings part: a closed table, read from what was recorded and only then from the plans."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.contenders.train_contract import StepRecord, TrainPlan

CauseName = Literal[
    "order",
    "schedule",
    "initial-weights",
    "loss-reduction",
    "loss-formula",
    "precision",
    "dropout-stream",
    "accumulation",
    "clipping",
    "decay-groups",
    "unknown",
]
Side = tuple[str, TrainPlan, Sequence[StepRecord], tuple[str, ...]]
"""Name, plan, steps, digests of the first weights."""

# Two ratios that are one: the loss scaled by a constant scales its gradient by the same.
_SAME_RATIO = 1e-3
_NO_RATIO = 1e-2
# Relative difference of the gradients that reach the optimizer.
_SAME_LENGTH = 1e-4

SENTENCES: Mapping[CauseName, str] = {
    "order": "The two saw different batches at step {step}: other rows, or the same in another order.",
    "schedule": "The learning rates differ at step {step}: "
    "{left} took {left_rate:.4g}, {right} {right_rate:.4g}.",
    "initial-weights": "The trainings began from different weights, before any step was made.",
    "loss-reduction": "One loss is {ratio:.4g} times the other and so is its gradient: "
    "the rows or micro-batches of a step are summed on one side and averaged on the other.",
    "loss-formula": "The losses are of different formulas: "
    "{left} minimises {left_value}, {right} {right_value}.",
    "precision": "The forward passes compute in different precision: {left} in {left_value}, "
    "{right} in {right_value}.",
    "dropout-stream": "Dropout zeroes other activations on the two sides: {left} has {left_value}, "
    "{right} {right_value}.",
    "accumulation": "A step is made of another number of batches: {left} takes {left_value}, "
    "{right} {right_value}.",
    "clipping": "Gradients up to step {step} were shortened differently: {left} to {left_value}, "
    "{right} to {right_value}.",
    "decay-groups": "Up to step {step} gradients and learning rates were the same and the weights moved "
    "differently: weight decay takes hold of other parameters or with another strength "
    "({left} {left_value}, {right} {right_value}).",
    "unknown": "The {quantity} parts at step {step} with the same batch and learning rate, and neither the "
    "records nor the plans say why.",
}


@dataclass(frozen=True)
class TrainingCause:
    """Why two trainings part.

    Attributes:
        name: A key of ``SENTENCES``.
        sentence: In English.
        evidence: ``"recorded"`` where the figures alone say it, ``"planned"`` where they leave several
            causes open and the plans differ in this one.
        values: What the sentence was made with, for other languages.
        also: Other causes that the plans leave open.
    """

    name: CauseName
    sentence: str
    evidence: Literal["recorded", "planned"]
    values: Mapping[str, object]
    also: tuple[CauseName, ...] = ()


def first_cause(left: Side, right: Side, place: int, beyond: Sequence[str]) -> TrainingCause:
    """Name the cause of the first difference.

    Args:
        left, right: The two trainings.
        place: Index of the first step at which they differ.
        beyond: What differs there by more than noise, in the order of a step.
    """
    one, other = left[2][place], right[2][place]
    if beyond[0] == "batch":
        if left[1].accumulation != right[1].accumulation:
            return _planned(["accumulation", "order"], left, right, place, beyond)
        return _recorded("order", left, right, place)
    if beyond[0] == "learning_rate":
        return _recorded(
            "schedule", left, right, place, left_rate=one.learning_rate, right_rate=other.learning_rate
        )
    if place == 0 and beyond[0] in ("loss", "gradient_norm"):
        return _at_the_start(left, right, beyond)
    return _on_the_way(left, right, place, beyond)


def _at_the_start(left: Side, right: Side, beyond: Sequence[str]) -> TrainingCause:
    """The first forward or backward pass differs: no update can be to blame."""
    if left[3] and right[3] and not _one_holds_the_other(left[3], right[3]):
        return _recorded("initial-weights", left, right, 0)
    if left[1].loss != right[1].loss:
        return _planned(["loss-formula"], left, right, 0, beyond)
    ratio = _constant_ratio(left[2], right[2])
    if ratio is not None:
        return _recorded("loss-reduction", left, right, 0, ratio=ratio)
    open_causes: list[CauseName] = []
    if left[1].precision != right[1].precision:
        open_causes.append("precision")
    if _dropout_differs(left[1], right[1]):
        # It moves a loss by percents, rounding by less than one.
        loud = abs(right[2][0].loss - left[2][0].loss) > _NO_RATIO * abs(left[2][0].loss)
        open_causes.insert(0 if loud else len(open_causes), "dropout-stream")
    return _planned(open_causes, left, right, 0, beyond)


def _on_the_way(left: Side, right: Side, place: int, beyond: Sequence[str]) -> TrainingCause:
    """The first passes agree, and so did batches and rates: what is left is how gradients became updates."""
    clipped = _shortened_differently(left, right, place)
    decays = left[1].weight_decay != right[1].weight_decay
    if clipped:
        return _recorded("clipping", left, right, place, also=("decay-groups",) if decays else ())
    moved = beyond[0] == "weight_distance"
    if moved:
        # Same gradients, same lengths, same rates, another place: decoupled decay is all that is left.
        return _recorded("decay-groups", left, right, place)
    open_causes: list[CauseName] = ["decay-groups"] if decays else []
    if left[1].dropout or right[1].dropout:
        open_causes.append("dropout-stream")
    if left[1].precision != right[1].precision:
        open_causes.append("precision")
    return _planned(open_causes, left, right, place, beyond)


def _one_holds_the_other(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """A library may load tensors that another leaves away, such as an unused pooler."""
    return set(left) <= set(right) or set(right) <= set(left)


def _constant_ratio(left: Sequence[StepRecord], right: Sequence[StepRecord]) -> float | None:
    """The factor by which loss and gradient of step 1 are both scaled; None where there is none."""
    one, other = left[0], right[0]
    if min(abs(one.loss), one.gradient_norm, abs(other.loss), other.gradient_norm) <= 0:
        return None
    losses, norms = other.loss / one.loss, other.gradient_norm / one.gradient_norm
    if not math.isfinite(losses) or not math.isfinite(norms) or abs(losses - 1) < _NO_RATIO:
        return None
    return losses if abs(losses - norms) <= _SAME_RATIO * abs(losses) else None


def _dropout_differs(left: TrainPlan, right: TrainPlan) -> bool:
    # With dropout on both sides the masks are drawn by each library in its own order.
    return left.dropout or right.dropout


def _shortened_differently(left: Side, right: Side, place: int) -> bool:
    for one, other in zip(left[2][: place + 1], right[2][: place + 1], strict=True):
        a = min(one.gradient_norm, _limit(left[1]))
        b = min(other.gradient_norm, _limit(right[1]))
        if abs(a - b) > _SAME_LENGTH * max(a, b):
            return True
    return False


def _limit(plan: TrainPlan) -> float:
    return math.inf if plan.max_grad_norm is None else plan.max_grad_norm


def _recorded(
    name: CauseName,
    left: Side,
    right: Side,
    place: int,
    also: tuple[CauseName, ...] = (),
    **values: object,
) -> TrainingCause:
    return _cause(name, "recorded", left, right, place, also, values)


def _planned(
    names: Sequence[CauseName], left: Side, right: Side, place: int, beyond: Sequence[str]
) -> TrainingCause:
    first, *others = names or ["unknown"]
    values = {"quantity": beyond[0].replace("_", " ")}
    return _cause(first, "planned", left, right, place, tuple(others), values)


def _cause(
    name: CauseName,
    evidence: Literal["recorded", "planned"],
    left: Side,
    right: Side,
    place: int,
    also: tuple[CauseName, ...],
    values: Mapping[str, object],
) -> TrainingCause:
    filled = {
        "step": left[2][place].step,
        "left": left[0],
        "right": right[0],
        "left_value": _fact(name, left[1]),
        "right_value": _fact(name, right[1]),
        **values,
    }
    return TrainingCause(name, SENTENCES[name].format(**filled), evidence, filled, also)


def _fact(name: CauseName, plan: TrainPlan) -> str:
    """What a plan says on the matter of a cause."""
    facts = {
        "loss-formula": f"{plan.loss.name} {dict(plan.loss.arguments) or ''}".strip(),
        "precision": plan.precision,
        "dropout-stream": f"it on with seed {plan.seed}" if plan.dropout else "it off",
        "accumulation": str(plan.accumulation),
        "clipping": "none" if plan.max_grad_norm is None else f"{plan.max_grad_norm:g}",
        "decay-groups": f"{plan.weight_decay:g}",
    }
    return facts.get(name, "")
