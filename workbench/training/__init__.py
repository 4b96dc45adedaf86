"""Training: the classic ``fit`` over any loaders, losses and evaluators, exact and resumable."""

from workbench.training.events import CheckpointSaved, Evaluated, Event, Finished, Started, Stepped
from workbench.training.fit import fit
from workbench.training.result import TrainingResult
from workbench.training.settings import FitSettings

__all__ = [
    "CheckpointSaved",
    "Evaluated",
    "Event",
    "Finished",
    "FitSettings",
    "Started",
    "Stepped",
    "TrainingResult",
    "fit",
]
