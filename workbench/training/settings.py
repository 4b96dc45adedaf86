"""The settings of a training, checked once: what ``fit`` takes beside the objectives and the evaluator."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.training.events import Progress
from workbench.training.schedules import find_schedule

Precision = Literal["fp32", "bf16", "fp16"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
DEFAULT_OPTIMIZER: Mapping[str, Any] = MappingProxyType({"lr": 2e-5})


@dataclass(frozen=True)
class FitSettings:
    """Arguments of ``SentenceTransformer.fit`` beside the objectives and the evaluator.

    Args:
        epochs: Passes over the smallest loader, or over ``steps_per_epoch`` steps.
        steps_per_epoch: Optimizer steps of an epoch; by default the batches of the smallest loader,
            divided by ``gradient_accumulation_steps`` and rounded up.
        scheduler: ``constantlr``, ``warmupconstant``, ``warmuplinear``, ``warmupcosine`` or
            ``warmupcosinewithhardrestarts``, in any case; it counts optimizer steps.
        warmup_steps: Steps in which the learning rate rises; more than there are is told in ``notices``.
        optimizer_class: Any class of ``torch.optim``; every objective has its own.
        optimizer_params: Its arguments.
        weight_decay: Of all parameters but biases and layer norms.
        evaluation_steps: Evaluate also after so many steps of an epoch; 0 for its end alone.
        output_path: Where the best model is saved, and under ``eval`` the evaluator's files; without an
            evaluator the last model.
        save_best_model: Whether the best model by the evaluator is saved.
        max_grad_norm: Longer gradients are shortened to it; None leaves them.
        use_amp: fp16 with a gradient scaler on a GPU, bf16 on a CPU; see ``precision``.
        callback: Called with score (None where undefined), epoch and steps after each evaluation.
        show_progress_bar: Whether to show the bars.
        checkpoint_path: Folder of the checkpoints.
        checkpoint_save_steps: Steps between two checkpoints; one more is written at the end.
        checkpoint_save_total_limit: Checkpoints that stay; 0 for all.
        seed: Seeds Python, numpy and torch; None leaves them as they are.
        precision: ``"fp32"``, ``"bf16"``, or on a GPU ``"fp16"``; weights stay as they are.
        gradient_accumulation_steps: Batches an optimizer step; their mean loss is descended.
        packed: Run all columns of a batch in one pass without padding, where model and loss allow it: the
            same loss up to rounding, in half the time. False pads column by column, which draws dropout in
            the order in which upstream draws it.
        early_stopping_patience: Stop after so many evaluations without a better score.
        early_stopping_threshold: By how much a score has to be better to count.
        resume_from_checkpoint: True for the newest whole checkpoint in ``checkpoint_path``, or one's
            folder. It goes on to the same weights, bit for bit, as without the interruption.
        resume_fork: Go on although settings differ from the checkpoint's.
        progress: Given an event of ``workbench.training`` at the start, each step, each evaluation, each
            checkpoint and the end.
        report_to: ``"tensorboard"``, ``"trackio"``, ``"wandb"``, ``"mlflow"``.
        stop: Asked after each step; True ends the training with a checkpoint, where there is a path,
            and a result whose ``status`` is ``"cancelled"``.

    Raises:
        InvalidValueError: A value out of range.
        InvalidTypeError: A value of another type.
        UnknownNameError: A schedule of no known name.
    """

    epochs: int = 1
    steps_per_epoch: int | None = None
    scheduler: str = "WarmupLinear"
    warmup_steps: int = 10000
    optimizer_class: type[torch.optim.Optimizer] = torch.optim.AdamW
    optimizer_params: Mapping[str, Any] = field(default_factory=lambda: DEFAULT_OPTIMIZER)
    weight_decay: float = 0.01
    evaluation_steps: int = 0
    output_path: str | Path | None = None
    save_best_model: bool = True
    max_grad_norm: float | None = 1
    use_amp: bool = False
    callback: Callable[[Any, int, int], Any] | None = None
    show_progress_bar: bool = True
    checkpoint_path: str | Path | None = None
    checkpoint_save_steps: int = 500
    checkpoint_save_total_limit: int = 0
    seed: int | None = None
    precision: Precision | None = None
    gradient_accumulation_steps: int = 1
    packed: bool = True
    early_stopping_patience: int | None = None
    early_stopping_threshold: float = 0.0
    resume_from_checkpoint: bool | str | Path = False
    resume_fork: bool = False
    progress: Progress | None = None
    report_to: Sequence[str] = ()
    stop: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        find_schedule(self.scheduler)
        for name, least in _COUNTS.items():
            # Frozen for the others: what came as 10.0 or as a numpy integer is a plain 10 from here on.
            object.__setattr__(self, name, _checked_count(name, getattr(self, name), least))
        for name in ("weight_decay", "early_stopping_threshold"):
            _check_number(name, getattr(self, name), 0.0)
        if self.max_grad_norm is not None:
            _check_number("max_grad_norm", self.max_grad_norm, 0.0, above=True)
        if not isinstance(self.packed, bool):
            raise _wrong_type("packed", self.packed, "True or False")
        for name in ("callback", "progress", "stop"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise _wrong_type(name, getattr(self, name), "a function")
        if not isinstance(self.optimizer_params, Mapping):
            raise _wrong_type("optimizer_params", self.optimizer_params, "a dict, such as {'lr': 2e-5}")
        if isinstance(self.report_to, str) or not isinstance(self.report_to, Sequence):
            raise _wrong_type("report_to", self.report_to, "a list of names, such as ['tensorboard']")
        if self.precision is not None and self.precision not in PRECISIONS:
            raise InvalidValueError(
                "precision-unknown",
                f"precision is {self.precision!r}",
                expected=f"one of {', '.join(PRECISIONS)}",
                where="fit",
            )
        if self.resume_from_checkpoint is True and self.checkpoint_path is None:
            raise InvalidValueError(
                "checkpoint-path-missing",
                "resume_from_checkpoint is True and checkpoint_path is not given",
                fix="Give checkpoint_path, or the checkpoint's folder as resume_from_checkpoint",
                where="fit",
            )

    def precision_on(self, device: torch.device) -> Precision:
        """What the forward pass computes in.

        Raises:
            InvalidValueError: ``precision-needs-a-gpu``: fp16 without a GPU.
        """
        chosen: Precision = self.precision or "fp32"
        if self.use_amp and self.precision is None:
            chosen = "fp16" if device.type == "cuda" else "bf16"
        if chosen == "fp16" and device.type != "cuda":
            raise InvalidValueError(
                "precision-needs-a-gpu",
                f"precision is 'fp16' and the model is on {device}",
                expected="'fp32' or 'bf16' there",
                fix="Choose precision='bf16', or move the model to a GPU",
                where="fit",
            )
        return chosen

    @property
    def resumes(self) -> bool:
        """Whether a checkpoint is asked for."""
        return self.resume_from_checkpoint is not False and self.resume_from_checkpoint is not None


# Name → smallest value; those marked so may also be None.
_COUNTS = {
    "epochs": 1,
    "steps_per_epoch": 0,
    "warmup_steps": 0,
    "evaluation_steps": 0,
    "checkpoint_save_steps": 0,
    "checkpoint_save_total_limit": 0,
    "gradient_accumulation_steps": 1,
    "early_stopping_patience": 1,
    "seed": 0,
}
# Classic code passes None for these.
_OPTIONAL = {
    "steps_per_epoch",
    "evaluation_steps",
    "checkpoint_save_steps",
    "checkpoint_save_total_limit",
    "early_stopping_patience",
    "seed",
}


def _checked_count(name: str, value: Any, least: int) -> Any:
    if value is None and name in _OPTIONAL:
        return None
    # Numpy's numbers too, which are no int.
    is_number = isinstance(value, int | float | np.integer) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise _wrong_type(name, value, "a whole number")
    # Classic code computes warm-up steps as 0.1 * steps, and often without int().
    if value != int(value) and name != "warmup_steps":
        raise _wrong_type(name, value, "a whole number")
    if value < least:
        raise InvalidValueError(
            f"{name.replace('_', '-')}-out-of-range",
            f"{name} is {value!r}",
            expected=f"{least} or more",
            where="fit",
        )
    return int(value) if value == int(value) else float(value)


def _check_number(name: str, value: object, least: float, *, above: bool = False) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, value, "a number")
    if math.isnan(value) or value < least or (above and value == least):
        raise InvalidValueError(
            f"{name.replace('_', '-')}-out-of-range",
            f"{name} is {value!r}",
            expected=f"a number above {least:g}" if above else f"{least:g} or more",
            where="fit",
        )


def _wrong_type(name: str, value: object, expected: str) -> InvalidTypeError:
    return InvalidTypeError(
        "argument-type", f"{name} is a {type(value).__name__}", expected=expected, where="fit"
    )
