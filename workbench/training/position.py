"""Where a training stands: the part of its state that is numbers and lists, for a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.errors import CheckpointError
from workbench.training.events import Evaluated, Stepped

# A figure of a step → whether there is one an objective. As tensors, since a long training has many steps.
_FIGURES = {
    "epoch": False,
    "step": False,
    "global_step": False,
    "losses": True,
    "learning_rates": True,
    "gradient_norms": True,
    "tokens": False,
}
# What the clock said: not among the tensors, which are the same in every run.
_CLOCK = ("tokens_per_second", "seconds_left")
_WHOLE = ("epoch", "step", "global_step", "tokens")


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
        evaluations: Every evaluation's figures.
        steps: Every step's.
    """

    epoch: int = 0
    step: int = 0
    global_step: int = 0
    best_score: float | None = None
    waited: int = 0
    best_waited: float | None = None
    stopped_early: bool = False
    evaluations: list[Evaluated] = field(default_factory=list)
    steps: list[Stepped] = field(default_factory=list)

    def tensors(self) -> dict[str, Tensor]:
        """Figure → one row a step. Shape ``(steps,)`` or ``(steps, objectives)``; float64 or int64."""
        return {
            name: torch.tensor(
                [getattr(step, name) for step in self.steps],
                dtype=torch.int64 if name in _WHOLE else torch.float64,
            )
            for name in _FIGURES
            if self.steps
        }

    def document(self) -> dict[str, Any]:
        """The rest, as JSON can hold it."""
        values = {name: value for name, value in vars(self).items() if name not in ("steps", "evaluations")}
        clock = {name: [getattr(step, name) for step in self.steps] for name in _CLOCK}
        return {**values, "evaluations": [asdict(e) for e in self.evaluations], "clock": clock}

    @classmethod
    def read(cls, tensors: Mapping[str, Tensor], document: Any) -> Position:
        """What ``tensors`` and ``document`` gave.

        Raises:
            CheckpointError: ``checkpoint-damaged``.
        """
        try:
            values = dict(document)
            values["evaluations"] = [Evaluated(**evaluation) for evaluation in values["evaluations"]]
            steps = _steps(tensors, values.pop("clock"))
            return cls(**values, steps=steps)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(
                "checkpoint-damaged", f"the position cannot be read: {error}", where="position"
            ) from error


def _steps(tensors: Mapping[str, Tensor], clock: Mapping[str, list[float]]) -> list[Stepped]:
    if not tensors:
        return []
    columns: dict[str, list[Any]] = {name: tensors[name].tolist() for name in _FIGURES}
    columns |= {name: clock[name] for name in _CLOCK}
    steps = []
    for row in zip(*columns.values(), strict=True):
        values: dict[str, Any] = {
            name: tuple(value) if _FIGURES.get(name) else value
            for name, value in zip(columns, row, strict=True)
        }
        steps.append(Stepped(**values))
    return steps
