"""Where a training stands: the part of its state that is numbers and lists, as a document and back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from workbench.errors import CheckpointError
from workbench.training.events import Evaluated, Stepped


@dataclass
class Position:
    """How far a training has come, and what was seen on the way.

    Attributes:
        epoch: Of the next step, counted from 0.
        step: Steps made in that epoch.
        global_step: Steps made in all.
        best_score: Highest defined score; None before the first.
        waited: Evaluations since the score last rose enough, for early stopping.
        best_waited: Score that patience counts from.
        stopped_early: Whether patience ran out.
        steps: Every step's figures.
        evaluations: Every evaluation's.
    """

    epoch: int = 0
    step: int = 0
    global_step: int = 0
    best_score: float | None = None
    waited: int = 0
    best_waited: float | None = None
    stopped_early: bool = False
    steps: list[Stepped] = field(default_factory=list)
    evaluations: list[Evaluated] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON; an infinite gradient norm of a skipped step, which JSON has no word for, is null."""
        values = asdict(self)
        for step in values["steps"]:
            step["gradient_norms"] = [n if math.isfinite(n) else None for n in step["gradient_norms"]]
        return values

    @classmethod
    def read(cls, document: Any) -> Position:
        """What ``document`` gave.

        Raises:
            CheckpointError: ``checkpoint-damaged``.
        """
        try:
            values = dict(document)
            values["steps"] = [Stepped(**_step(step)) for step in values["steps"]]
            values["evaluations"] = [Evaluated(**evaluation) for evaluation in values["evaluations"]]
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                "checkpoint-damaged", f"the position cannot be read: {error}", where="position.json"
            ) from error


def _step(values: dict[str, Any]) -> dict[str, Any]:
    lists = {name: tuple(values[name]) for name in ("losses", "learning_rates")}
    norms = tuple(math.inf if norm is None else norm for norm in values["gradient_norms"])
    return {**values, **lists, "gradient_norms": norms}
