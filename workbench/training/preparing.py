"""From the arguments of ``fit`` to a training that can take its first step, everything checked on the way."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.models.protocols import TrainableModel
from workbench.training import resume
from workbench.training.bars import Bars
from workbench.training.collate import Loader
from workbench.training.data_checks import batches_in, check_objective
from workbench.training.distributed import rank, share_weights
from workbench.training.events import Started
from workbench.training.fingerprint import fingerprint
from workbench.training.loader_state import ReplayedLoader
from workbench.training.objective import Objective
from workbench.training.optimizers import base_rates, build_optimizer
from workbench.training.packed import choose_packed, row_gradients_of
from workbench.training.position import Position
from workbench.training.reporting import open_reporters
from workbench.training.row_gradients import RowGradients
from workbench.training.run import Evaluator, Run
from workbench.training.settings import FitSettings
from workbench.training.speed import Speedometer


def checked_pairs(train_objectives: Iterable[tuple[Loader, nn.Module]]) -> list[tuple[Loader, nn.Module]]:
    try:
        pairs = [(loader, loss) for loader, loss in train_objectives]
    except (TypeError, ValueError) as error:
        raise InvalidTypeError(
            "objectives-not-pairs",
            f"train_objectives is a {type(train_objectives).__name__}",
            expected="a list of (DataLoader, loss)",
            fix="Write train_objectives=[(train_dataloader, train_loss)]",
            where="fit",
        ) from error
    if not pairs:
        raise InvalidValueError(
            "objectives-empty", "no objective came", expected="at least one (DataLoader, loss)", where="fit"
        )
    for number, (loader, loss) in enumerate(pairs):
        if not isinstance(loss, nn.Module) or not hasattr(loader, "__iter__"):
            raise InvalidTypeError(
                "objectives-not-pairs",
                f"a {type(loader).__name__} and a {type(loss).__name__}",
                expected="a DataLoader, then a loss",
                where=f"fit, train_objectives[{number}]",
            )
    return pairs


def prepare(
    model: TrainableModel,
    pairs: Sequence[tuple[Loader, nn.Module]],
    evaluator: Evaluator | None,
    settings: FitSettings,
) -> Run:
    precision = settings.precision_on(model.device)
    notices: list[str] = []
    objectives = []
    for number, (loader, loss) in enumerate(pairs):
        name = f"objective {number} ({type(loss).__name__})"
        notices += check_objective(loader, loss, name)
        loss.to(model.device)
        optimizer = build_optimizer(
            loss, settings.optimizer_class, settings.optimizer_params, settings.weight_decay
        )
        resumable = settings.checkpoint_path is not None or settings.resumes
        replayed = ReplayedLoader(loader, must_resume=resumable)
        objectives.append(Objective(name, loader, replayed, loss, optimizer, base_rates(optimizer)))
    steps = _steps_per_epoch(objectives, settings)
    share_weights([objective.loss for objective in objectives])
    scaler = torch.amp.GradScaler(model.device.type, enabled=precision == "fp16")
    packed, reason = choose_packed(model, settings.packed)
    if reason:
        notices.append(f"The columns of a batch run one by one and padded: {reason}")
    facts = fingerprint(objectives, model, settings, steps, packed)
    run = Run(
        resume.Training(model, objectives, scaler, facts),
        settings,
        evaluator,
        steps,
        Position(),
        [],
        open_reporters(settings.report_to, _report_folder(settings)) if rank() == 0 else [],
        Bars(settings.epochs, steps, shown=settings.show_progress_bar and rank() == 0),
        Speedometer(),
        packed,
        row_gradients_of(model, [objective.loss for objective in objectives])
        if packed
        else RowGradients(None),
    )
    for text in notices:
        run.note(text)
    if settings.warmup_steps >= run.total_steps and settings.scheduler.lower() != "constantlr":
        run.note(
            f"warmup_steps is {settings.warmup_steps:g} and the training has {run.total_steps} steps: "
            "the learning rate never reaches its full value"
        )
    _resume(run)
    run.tell(
        Started(
            run.total_steps,
            steps,
            settings.epochs,
            run.position.global_step,
            tuple(type(objective.loss).__name__ for objective in objectives),
            tuple(run.notices),
        )
    )
    return run


def _steps_per_epoch(objectives: Sequence[Objective], settings: FitSettings) -> int:
    """Optimizer steps of an epoch: as many as the smallest loader's batches fill, rounded up."""
    if settings.steps_per_epoch:
        return int(settings.steps_per_epoch)
    batches = min(batches_in(objective.loader, objective.name) for objective in objectives)
    return -(-batches // settings.gradient_accumulation_steps)


def _report_folder(settings: FitSettings) -> Path:
    base = settings.output_path or settings.checkpoint_path
    return Path(base) / "eval" / "runs" if base is not None else Path("runs")


def _resume(run: Run) -> None:
    if not run.settings.resumes:
        return
    found = resume.find(run.settings)
    if found is None:
        run.note("There is no checkpoint yet: the training begins at the first step")
        return
    for text in found.notices:
        run.note(text)
    run.position, notices = resume.restore(run.training, found, run.settings.resume_fork)
    for text in notices:
        run.note(text)
    run.resumed_from, run.checkpoint = found.step, found.folder
    run.checkpoint_step = found.step if run.settings.checkpoint_path is not None else -1


def seed_all(seed: int | None) -> None:
    """Seed Python, numpy and torch; each process draws numbers of its own."""
    if seed is None:
        return
    value = (int(seed) + rank()) % 2**32
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)
