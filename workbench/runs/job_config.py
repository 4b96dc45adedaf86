"""The training that a job's settings ask for, as this machine runs it."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.recipe.config import TrainingConfig, checked_config
from workbench.runs.environment import on_zero_gpu
from workbench.runs.job import JobContext


def training_config(context: JobContext) -> TrainingConfig:
    """The config under ``training``: its file looked up among those that came with the run, its device set.

    On ZeroGPU that is the CPU, whatever was asked for: a GPU is lent there to calls of the page alone.

    Raises:
        InvalidValueError: ``config-invalid``.
    """
    config = checked_config(context.config.get("training") or {})
    source = config.data.source
    if source.startswith("input:"):
        # It lies under a name of ours.
        data = config.data.model_copy(update={"source": str(context.inputs / Path(source[6:]).name)})
        config = config.model_copy(update={"data": data})
    return config.model_copy(update={"device": "cpu"}) if on_zero_gpu(os.environ) else config
