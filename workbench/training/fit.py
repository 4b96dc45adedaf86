"""The training itself: objectives in turn, step by step, with evaluation, checkpoints and a way to stop.

Read from the top: ``fit`` prepares, ``_train`` is the loop, and each function below is one thing it does.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.errors import InvalidTypeError, InvalidValueError, TrainingError
from workbench.models.protocols import TrainableModel
from workbench.training import resume
from workbench.training.bars import Bars
from workbench.training.collate import Loader
from workbench.training.data_checks import batches_in, check_objective
from workbench.training.distributed import any_process, from_first, rank, share_weights, wait_for_all
from workbench.training.evaluating import Judgment, judge, undisturbed_random_state
from workbench.training.events import CheckpointSaved, Evaluated, Event, Finished, Started, Stepped
from workbench.training.fingerprint import fingerprint
from workbench.training.loader_state import ReplayedLoader
from workbench.training.objective import Objective, train_step
from workbench.training.optimizers import base_rates, build_optimizer, set_rates
from workbench.training.position import Position
from workbench.training.reporting import Reporter, open_reporters, report
from workbench.training.result import Status, TrainingResult, conditions
from workbench.training.schedules import Span, find_schedule
from workbench.training.settings import FitSettings
from workbench.training.speed import Speedometer

logger = logging.getLogger(__name__)

Evaluator = Callable[..., Any]


@dataclass
class _Run:
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
    resumed_from: int | None = None
    output: Path | None = None
    checkpoint: Path | None = None
    checkpoint_step: int = -1
    started: float = field(default_factory=time.monotonic)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.settings.epochs

    @property
    def model(self) -> TrainableModel:
        return self.training.model

    @property
    def objectives(self) -> Sequence[Objective]:
        return self.training.objectives

    def tell(self, event: Event) -> None:
        """Hand an event to whoever listens; in rank 0 alone."""
        if rank() == 0:
            report(self.reporters, event)
            if self.settings.progress is not None:
                self.settings.progress(event)

    def note(self, text: str) -> None:
        """Something that the user should know."""
        if text not in self.notices:
            self.notices.append(text)
            logger.warning(text)


def fit(
    model: TrainableModel,
    train_objectives: Iterable[tuple[Loader, nn.Module]],
    evaluator: Evaluator | None,
    settings: FitSettings,
) -> TrainingResult:
    """Train a model; see ``SentenceTransformer.fit`` for the meaning of every argument.

    Raises:
        WorkbenchError: Whatever is found wrong, before step 1 where it can be known then.
        TrainingError: ``loss-not-finite``, ``gradient-not-finite``, ``weights-not-finite``.

    Source: sentence-transformers 2.2.2's ``fit``.
    """
    pairs = _checked_pairs(train_objectives)
    if evaluator is not None and not callable(evaluator):
        raise InvalidTypeError(
            "evaluator-not-callable", f"a {type(evaluator).__name__}", expected="an evaluator", where="fit"
        )
    _seed(settings.seed)
    was_training = model.training
    try:
        run = _prepare(model, pairs, evaluator, settings)
        try:
            status = _train(run)
            _save_last(run)
            result = _result(run, status)
        finally:
            run.bars.close()
        run.tell(Finished(status, run.position.global_step, result.seconds, run.position.best_score))
        return result
    finally:
        model.train(was_training)


def _checked_pairs(train_objectives: Iterable[tuple[Loader, nn.Module]]) -> list[tuple[Loader, nn.Module]]:
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


def _prepare(
    model: TrainableModel,
    pairs: Sequence[tuple[Loader, nn.Module]],
    evaluator: Evaluator | None,
    settings: FitSettings,
) -> _Run:
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
    facts = fingerprint(objectives, model, settings, steps)
    run = _Run(
        resume.Training(model, objectives, scaler, facts),
        settings,
        evaluator,
        steps,
        Position(),
        [],
        open_reporters(settings.report_to, _report_folder(settings)) if rank() == 0 else [],
        Bars(settings.epochs, steps, shown=settings.show_progress_bar and rank() == 0),
        Speedometer(),
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


def _resume(run: _Run) -> None:
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


def _train(run: _Run) -> Status:
    position, settings = run.position, run.settings
    while position.epoch < settings.epochs and not position.stopped_early:
        if position.step >= run.steps_per_epoch:
            # A fork with shorter epochs.
            position.epoch, position.step = position.epoch + 1, 0
            continue
        _set_training(run)
        run.bars.start_epoch(position.epoch, position.step)
        while position.step < run.steps_per_epoch:
            _step(run)
            if position.step < run.steps_per_epoch and _due(position.step, settings.evaluation_steps):
                _evaluate(run, position.step)
            at_end = position.step == run.steps_per_epoch
            if at_end:
                # The epoch's own evaluation, once, even where evaluation_steps falls on its end.
                _evaluate(run, -1)
                _refuse_no_signal(run)
                position.epoch, position.step = position.epoch + 1, 0
            if settings.checkpoint_path is not None and _due(
                position.global_step, settings.checkpoint_save_steps
            ):
                _save_checkpoint(run)
            if _cancelled(run) and position.epoch < settings.epochs:
                if settings.checkpoint_path is not None:
                    _save_checkpoint(run)
                return "cancelled"
            if at_end or position.stopped_early:
                break
    if settings.checkpoint_path is not None:
        _save_checkpoint(run)
    return "stopped early" if position.stopped_early else "complete"


def _step(run: _Run) -> None:
    """One optimizer step of every objective, in turn."""
    position, settings = run.position, run.settings
    schedule = find_schedule(settings.scheduler)
    span = Span(settings.warmup_steps, run.total_steps)
    where = f"epoch {position.epoch}, step {position.step + 1}"
    started = time.monotonic()
    figures = []
    for objective in run.objectives:
        set_rates(objective.optimizer, objective.rates, schedule(objective.scheduled, span))
        figures.append(
            train_step(
                objective,
                run.model,
                run.training.scaler,
                precision=settings.precision_on(run.model.device),
                micro_batches=settings.gradient_accumulation_steps,
                max_grad_norm=settings.max_grad_norm,
                where=where,
            )
        )
    position.step += 1
    position.global_step += 1
    tokens = sum(figure.tokens for figure in figures)
    run.speed.add(time.monotonic() - started, tokens)
    step = Stepped(
        position.epoch,
        position.step,
        position.global_step,
        tuple(figure.loss for figure in figures),
        tuple(figure.learning_rate for figure in figures),
        tuple(figure.gradient_norm for figure in figures),
        tokens,
        run.speed.tokens_per_second,
        run.speed.seconds_for(run.total_steps - position.global_step),
    )
    position.steps.append(step)
    run.bars.step(step.losses)
    run.tell(step)


def _evaluate(run: _Run, step: int) -> None:
    """Ask the evaluator, tell the score, keep the best model; the training notices nothing of it."""
    if run.evaluator is None:
        return
    position, settings = run.position, run.settings
    judgment = Judgment(None, {}, 0.0)
    with undisturbed_random_state():
        if rank() == 0:
            folder = None
            if settings.output_path is not None:
                folder = Path(settings.output_path) / "eval"
                folder.mkdir(parents=True, exist_ok=True)
            run.model.train(False)
            judgment = judge(run.evaluator, run.model, folder, position.epoch, step)
            if settings.callback is not None:
                settings.callback(judgment.score, position.epoch, step)
        score = from_first(judgment.score, run.model.device)
        best = score is not None and (position.best_score is None or score > position.best_score)
        if best:
            position.best_score = score
            if settings.save_best_model:
                _save_model(run)
    event = Evaluated(
        position.epoch, step, position.global_step, score, judgment.metrics, best, judgment.seconds
    )
    position.evaluations.append(event)
    _count_patience(run, score)
    run.tell(event)
    _set_training(run)


def _count_patience(run: _Run, score: float | None) -> None:
    position, settings = run.position, run.settings
    threshold = settings.early_stopping_threshold
    if score is not None and (position.best_waited is None or score > position.best_waited + threshold):
        position.best_waited, position.waited = score, 0
        return
    position.waited += 1
    if settings.early_stopping_patience is not None and position.waited >= settings.early_stopping_patience:
        position.stopped_early = True


def _save_checkpoint(run: _Run) -> None:
    position = run.position
    if run.checkpoint_step == position.global_step:
        return
    _refuse_non_finite_weights(run)
    root = Path(str(run.settings.checkpoint_path))
    run.checkpoint = resume.save(run.training, position, root, run.settings.checkpoint_save_total_limit or 0)
    run.checkpoint_step = position.global_step
    run.tell(CheckpointSaved(position.global_step, run.checkpoint))


def _save_model(run: _Run) -> None:
    if run.settings.output_path is None:
        return
    _refuse_non_finite_weights(run)
    run.output = Path(run.settings.output_path)
    if rank() == 0:
        run.model.save(run.output)
    wait_for_all()


def _save_last(run: _Run) -> None:
    """What is saved at the end: the last model, unless an evaluator chose one."""
    _refuse_non_finite_weights(run)
    settings = run.settings
    whole = run.position.global_step >= run.total_steps or run.position.stopped_early
    if settings.output_path is None or not whole:
        return
    if run.evaluator is None:
        _save_model(run)
    elif settings.save_best_model and run.position.best_score is None:
        run.note("No evaluation gave a defined score: the last model was saved")
        _save_model(run)
    elif not settings.save_best_model:
        run.note("An evaluator was given and save_best_model is False: no model was saved to output_path")


def _refuse_non_finite_weights(run: _Run) -> None:
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


def _refuse_no_signal(run: _Run) -> None:
    """After an epoch: tell of batches that could teach nothing, and refuse where all were such."""
    for objective in run.objectives:
        if not objective.without_signal:
            continue
        if objective.without_signal == objective.batches:
            raise TrainingError(
                "nothing-to-learn",
                f"none of {objective.batches} batches could teach anything: {objective.reason}",
                fix="Choose a larger batch_size or a sampler that fits the loss",
                where=objective.name,
            )
        first = f"{objective.name}: some batches taught nothing: {objective.reason}"
        run.note(first)


def _cancelled(run: _Run) -> bool:
    asked = run.settings.stop is not None and bool(run.settings.stop())
    return any_process(asked, run.model.device)


def _set_training(run: _Run) -> None:
    for objective in run.objectives:
        objective.loss.train()


def _due(step: int, every: int | None) -> bool:
    return bool(every) and step % int(every or 1) == 0


def _seed(seed: int | None) -> None:
    """Seed Python, numpy and torch; each process draws numbers of its own."""
    if seed is None:
        return
    value = (int(seed) + rank()) % 2**32
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)


def _result(run: _Run, status: Status) -> TrainingResult:
    settings, position = run.settings, run.position
    return TrainingResult(
        status=status,
        steps=tuple(position.steps),
        evaluations=tuple(position.evaluations),
        best_score=position.best_score,
        global_step=position.global_step,
        total_steps=run.total_steps,
        steps_per_epoch=run.steps_per_epoch,
        resumed_from=run.resumed_from,
        seconds=time.monotonic() - run.started,
        output_path=run.output,
        checkpoint=run.checkpoint,
        notices=tuple(run.notices),
        conditions=conditions(run.model.device, settings.precision_on(run.model.device), settings.seed),
    )
