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
from workbench.training.random_state import capture_random_state, restore_random_state


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


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None
