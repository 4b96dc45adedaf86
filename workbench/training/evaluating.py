"""Asking the evaluator in the middle of a training without leaving a trace in it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workbench.errors import InvalidTypeError
from workbench.evaluation.sequential import primary_score
from workbench.models.protocols import TrainableModel
from workbench.training.distributed import from_first, rank
from workbench.training.events import Evaluated
from workbench.training.random_state import capture_random_state, restore_random_state
from workbench.training.run import Run, set_training
from workbench.training.saving import save_model


@dataclass(frozen=True)
class Judgment:
    """What an evaluator said.

    Attributes:
        score: The primary metric; None where it is undefined.
        metrics: All by name.
        seconds: What it took.
    """

    score: float | None
    metrics: dict[str, float | None]
    seconds: float


@contextmanager
def undisturbed_random_state() -> Iterator[None]:
    """Let a block draw random numbers without changing which ones come after it."""
    tensors, document = capture_random_state()
    try:
        yield
    finally:
        restore_random_state(tensors, document)


def judge(
    evaluator: Callable[..., Any], model: TrainableModel, folder: Path | None, epoch: int, step: int
) -> Judgment:
    """Call an evaluator, whether it gives a dict as today or a float as in 2.x.

    Args:
        evaluator: ``evaluator(model, output_path=..., epoch=..., steps=...)``.
        model: In evaluation mode.
        folder: For its files; None for none.
        epoch: Counted from 0.
        step: In the epoch; -1 at its end.

    Raises:
        InvalidTypeError: ``evaluator-result``: neither a dict nor a number.
    """
    started = time.monotonic()
    with torch.no_grad():
        given = evaluator(model, output_path=None if folder is None else str(folder), epoch=epoch, steps=step)
    seconds = time.monotonic() - started
    if isinstance(given, Mapping):
        metrics = {str(name): _number(value) for name, value in given.items()}
        return Judgment(primary_score(evaluator, metrics), metrics, seconds)
    if given is not None and not hasattr(given, "__float__"):
        raise InvalidTypeError(
            "evaluator-result",
            f"{type(evaluator).__name__} gave a {type(given).__name__}",
            expected="a dict of metrics, or a number",
        )
    score = _number(given)
    return Judgment(score, {"score": score}, seconds)


def evaluate(run: Run, step: int) -> None:
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
                save_model(run)
    event = Evaluated(
        position.epoch, step, position.global_step, score, judgment.metrics, best, judgment.seconds
    )
    position.evaluations.append(event)
    _count_patience(run, score)
    run.tell(event)
    set_training(run)


def _count_patience(run: Run, score: float | None) -> None:
    position, settings = run.position, run.settings
    threshold = settings.early_stopping_threshold
    if score is not None and (position.best_waited is None or score > position.best_waited + threshold):
        position.best_waited, position.waited = score, 0
        return
    position.waited += 1
    if settings.early_stopping_patience is not None and position.waited >= settings.early_stopping_patience:
        position.stopped_early = True


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None
