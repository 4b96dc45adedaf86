"""Writing checkpoints and models in the middle of a training, and never a weight that is not finite."""

from __future__ import annotations

from pathlib import Path

import torch

from workbench.errors import TrainingError
from workbench.training import resume
from workbench.training.distributed import rank, wait_for_all
from workbench.training.events import CheckpointSaved
from workbench.training.run import Run


def save_checkpoint(run: Run) -> None:
    position = run.position
    if run.checkpoint_step == position.global_step:
        return
    refuse_non_finite_weights(run)
    root = Path(str(run.settings.checkpoint_path))
    run.checkpoint = resume.save(run.training, position, root, run.settings.checkpoint_save_total_limit or 0)
    run.checkpoint_step = position.global_step
    run.tell(CheckpointSaved(position.global_step, run.checkpoint))


def save_model(run: Run) -> None:
    if run.settings.output_path is None:
        return
    refuse_non_finite_weights(run)
    run.output = Path(run.settings.output_path)
    if rank() == 0:
        run.model.save(run.output)
    wait_for_all()


def save_last(run: Run) -> None:
    """What is saved at the end: the last model, unless an evaluator chose one."""
    refuse_non_finite_weights(run)
    settings = run.settings
    whole = run.position.global_step >= run.total_steps or run.position.stopped_early
    if settings.output_path is None or not whole:
        return
    if run.evaluator is None:
        save_model(run)
    elif settings.save_best_model and run.position.best_score is None:
        run.note("No evaluation gave a defined score: the last model was saved")
        save_model(run)
    elif not settings.save_best_model:
        run.note("An evaluator was given and save_best_model is False: no model was saved to output_path")


def refuse_non_finite_weights(run: Run) -> None:
    for objective in run.objectives:
        for name, parameter in objective.loss.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingError(
                    "weights-not-finite",
                    f"{name} is not finite after step {run.position.global_step}; nothing was saved",
                    expected="finite weights",
                    fix="Lower the learning rate, and take the last checkpoint",
                    where=objective.name,
                )
