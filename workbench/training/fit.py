"""The training itself: objectives in turn, step by step, with evaluation, checkpoints and a way to stop.

Read from the top: ``fit`` prepares, ``_train`` is the loop, and each function below is one thing it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from torch import nn

from workbench.errors import InvalidTypeError, TrainingError
from workbench.models.packed_columns import packing
from workbench.models.protocols import TrainableModel
from workbench.training.collate import Loader
from workbench.training.distributed import any_process
from workbench.training.evaluating import evaluate
from workbench.training.events import Finished, Stepped
from workbench.training.objective import train_step
from workbench.training.optimizers import set_rates
from workbench.training.preparing import checked_pairs, prepare, seed_all
from workbench.training.result import Status, TrainingResult, conditions
from workbench.training.run import Evaluator, Run, set_training
from workbench.training.saving import save_checkpoint, save_last
from workbench.training.schedules import Span, find_schedule
from workbench.training.settings import FitSettings


def fit(
    model: TrainableModel,
    train_objectives: Iterable[tuple[Loader, nn.Module]],
    evaluator: Evaluator | None,
    settings: FitSettings,
) -> TrainingResult:
    """Train a model; see ``SentenceTransformer.fit`` and ``FitSettings`` for what each argument means.

    Raises:
        WorkbenchError: Whatever is found wrong, before step 1 where it can be known then.
        TrainingError: ``loss-not-finite``, ``gradient-not-finite``, ``weights-not-finite``.

    Source: sentence-transformers 2.2.2's ``fit``.
    """
    pairs = checked_pairs(train_objectives)
    if evaluator is not None and not callable(evaluator):
        raise InvalidTypeError(
            "evaluator-not-callable", f"a {type(evaluator).__name__}", expected="an evaluator", where="fit"
        )
    seed_all(settings.seed)
    was_training = model.training
    try:
        run = prepare(model, pairs, evaluator, settings)
        try:
            with packing(model, run.packed):
                status = _train(run)
            save_last(run)
            result = _result(run, status)
        finally:
            run.close()
        run.tell(Finished(status, run.position.global_step, result.seconds, run.position.best_score))
        return result
    finally:
        model.train(was_training)


def _train(run: Run) -> Status:
    position, settings = run.position, run.settings
    while position.epoch < settings.epochs and not position.stopped_early:
        if position.step >= run.steps_per_epoch:
            # A fork with shorter epochs.
            position.epoch, position.step = position.epoch + 1, 0
            continue
        set_training(run)
        run.bars.start_epoch(position.epoch, position.step)
        while position.step < run.steps_per_epoch:
            _step(run)
            if position.step < run.steps_per_epoch and _due(position.step, settings.evaluation_steps):
                evaluate(run, position.step)
            at_end = position.step == run.steps_per_epoch
            if at_end:
                # The epoch's own evaluation, once, even where evaluation_steps falls on its end.
                evaluate(run, -1)
                _refuse_no_signal(run)
                position.epoch, position.step = position.epoch + 1, 0
            if settings.checkpoint_path is not None and _due(
                position.global_step, settings.checkpoint_save_steps
            ):
                save_checkpoint(run)
            if _cancelled(run) and position.epoch < settings.epochs:
                if settings.checkpoint_path is not None:
                    save_checkpoint(run)
                return "cancelled"
            if at_end or position.stopped_early:
                break
    if settings.checkpoint_path is not None:
        save_checkpoint(run)
    return "stopped early" if position.stopped_early else "complete"


def _step(run: Run) -> None:
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
                row_gradients=run.row_gradients,
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


def _refuse_no_signal(run: Run) -> None:
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


def _cancelled(run: Run) -> bool:
    asked = run.settings.stop is not None and bool(run.settings.stop())
    return any_process(asked, run.model.device)


def _due(step: int, every: int | None) -> bool:
    return bool(every) and step % int(every or 1) == 0


def _result(run: Run, status: Status) -> TrainingResult:
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
        conditions=conditions(
            run.model.device,
            settings.precision_on(run.model.device),
            settings.seed,
            packed=run.packed,
        ),
    )
