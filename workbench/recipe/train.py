"""One training from its config to a saved model, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import InvalidValueError
from workbench.persistence.atomic import writing
from workbench.recipe.config import TrainingConfig, config_to_yaml, read_config
from workbench.recipe.prepare import Prepared, prepare
from workbench.training import TrainingResult
from workbench.training.events import Progress

# What a run's folder holds. The model and the checkpoints come from fit.
CONFIG_FILE = "config.yaml"
MODEL_FOLDER = "model"
CHECKPOINT_FOLDER = "checkpoints"


@dataclass(frozen=True)
class Trained:
    """A training that has ended.

    Attributes:
        prepared: Its parts; the model in memory is the last one.
        result: What ``fit`` tells.
        model_folder: Where the best model lies; None where the training was cancelled before there was one.
    """

    prepared: Prepared
    result: TrainingResult
    model_folder: Path | None


def train(
    config: TrainingConfig,
    folder: Path,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    show_progress_bar: bool = False,
) -> Trained:
    """Train with this package's ``fit``.

    Args:
        config: What to train; its ``trainer`` has to be ``own``.
        folder: New or empty; where ``resume``, one that a training left behind.
        progress: Given the events of ``fit``.
        stop: Asked after each step.
        resume: Go on from the newest whole checkpoint.
        report_to: Trackers, see ``FitSettings``.
        show_progress_bar: Bars on the terminal.

    Raises:
        WorkbenchError: Whatever is wrong with config, data, model or folder.
    """
    if config.trainer != "own":
        raise InvalidValueError("trainer-not-own", repr(config.trainer), expected="'own'", where="trainer")
    check_folder(folder, resume)
    prepared = prepare(config)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG_FILE).write_text(config_to_yaml(config), encoding="utf-8")
    result = fit_prepared(
        prepared,
        folder,
        progress=progress,
        stop=stop,
        resume=resume,
        report_to=report_to,
        show_progress_bar=show_progress_bar,
    )
    return Trained(prepared, result, result.output_path)


def fit_prepared(
    prepared: Prepared,
    folder: Path,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    resume: bool = False,
    report_to: Sequence[str] = (),
    show_progress_bar: bool = False,
    packed: bool = True,
) -> TrainingResult:
    """Call ``fit`` as the config says; arguments as ``train``, and ``packed`` as ``fit``."""
    config = prepared.config
    return prepared.model.fit(
        [(prepared.loader, prepared.loss)],
        evaluator=prepared.evaluator,
        epochs=prepared.epochs,
        steps_per_epoch=prepared.steps_per_epoch,
        scheduler=config.scheduler,
        warmup_steps=config.warmup_steps(prepared.total_steps),
        optimizer_params={"lr": config.learning_rate},
        weight_decay=config.weight_decay,
        evaluation_steps=config.evaluation_steps,
        output_path=folder / MODEL_FOLDER,
        max_grad_norm=config.max_grad_norm,
        show_progress_bar=show_progress_bar,
        checkpoint_path=folder / CHECKPOINT_FOLDER if config.checkpoint_steps else None,
        checkpoint_save_steps=config.checkpoint_steps,
        checkpoint_save_total_limit=config.checkpoints_kept,
        seed=config.seed,
        precision=config.precision,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        early_stopping_patience=config.early_stopping_patience,
        resume_from_checkpoint=resume,
        progress=progress,
        report_to=report_to,
        stop=stop,
        packed=packed,
    )


def resumed_config(folder: Path) -> TrainingConfig:
    """The config of a training that was interrupted in ``folder``.

    Raises:
        InvalidValueError: ``no-run-here``, or a config that cannot be read.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise InvalidValueError(
            "no-run-here",
            f"{folder.name!r} holds no {CONFIG_FILE}",
            expected="the folder that was given to train as --out",
        )
    return read_config(path)


def check_folder(folder: Path, resume: bool) -> None:
    """Refuse a folder that a training would overwrite.

    Raises:
        InvalidValueError: ``folder-is-a-file``, ``folder-not-empty``.
    """
    entries = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise InvalidValueError("folder-is-a-file", f"{folder.name!r} is a file", expected="a folder")
    if entries and not resume:
        resumable = CONFIG_FILE in entries
        raise InvalidValueError(
            "folder-not-empty",
            f"{folder.name!r} holds {', '.join(entries[:3])}",
            expected="a new or empty folder",
            fix="Go on with it by resume, or choose another folder" if resumable else "Choose another folder",
            where="out",
        )
