"""A training on its way: what it is made of, where it stands, and who is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.models.protocols import TrainableModel
from workbench.training import resume
from workbench.training.bars import Bars
from workbench.training.distributed import rank
from workbench.training.events import Event
from workbench.training.objective import Objective
from workbench.training.position import Position
from workbench.training.reporting import Reporter, report
from workbench.training.row_gradients import RowGradients
from workbench.training.settings import FitSettings
from workbench.training.speed import Speedometer

logger = logging.getLogger(__name__)

Evaluator = Callable[..., Any]


@dataclass
class Run:
    """A training on its way: its living parts, its plan, its position, and what it has written."""

    training: resume.Training
    settings: FitSettings
    evaluator: Evaluator | None
    steps_per_epoch: int
    position: Position
    notices: list[str]
    reporters: list[Reporter]
    bars: Bars
    speed: Speedometer
    packed: bool
    row_gradients: RowGradients
    resumed_from: int | None = None
    output: Path | None = None
    checkpoint: Path | None = None
    checkpoint_step: int = -1
    started: float = field(default_factory=time.monotonic)

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole training."""
        return self.steps_per_epoch * self.settings.epochs

    @property
    def model(self) -> TrainableModel:
        """The model that is trained."""
        return self.training.model

    @property
    def objectives(self) -> Sequence[Objective]:
        """In the order in which they take turns."""
        return self.training.objectives

    def tell(self, event: Event) -> None:
        """Hand an event to whoever listens; in rank 0 alone."""
        if rank() == 0:
            report(self.reporters, event)
            if self.settings.progress is not None:
                self.settings.progress(event)

    def close(self) -> None:
        """Let go of the terminal and the loggers, however the training ended."""
        self.bars.close()
        for reporter in self.reporters:
            reporter.close()

    def note(self, text: str) -> None:
        """Something that the user should know."""
        if text not in self.notices:
            self.notices.append(text)
            logger.warning(text)


def set_training(run: Run) -> None:
    for objective in run.objectives:
        objective.loss.train()
