"""Handing a training's figures to the loggers that people use, where they are installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from workbench.errors import MissingExtraError, UnknownNameError
from workbench.training.events import Evaluated, Event, Stepped


class Reporter(Protocol):
    """Takes numbers by name, and is closed at the end."""

    def log(self, values: dict[str, float], step: int) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Writes event files for TensorBoard into ``folder``."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(folder))

    def log(self, values: dict[str, float], step: int) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


class Trackio:
    """Logs to a run of trackio; a run that the user opened before is the user's to close."""

    def __init__(self, folder: Path) -> None:
        import trackio

        self.library: Any = trackio
        self.library.init(project="workbench", name=folder.name)

    def log(self, values: dict[str, float], step: int) -> None:
        """Add a row."""
        self.library.log({**values, "step": step})

    def close(self) -> None:
        """End the run."""
        self.library.finish()


class WeightsAndBiases:
    """Logs to the open run of wandb, or to a new one."""

    def __init__(self, folder: Path) -> None:
        import wandb

        self.library: Any = wandb
        self.opened = wandb.run is None
        if self.opened:
            wandb.init(project="workbench", name=folder.name)

    def log(self, values: dict[str, float], step: int) -> None:
        """Add a row."""
        self.library.log(values, step=step)

    def close(self) -> None:
        """End the run, if it was begun here."""
        if self.opened:
            self.library.finish()


class MLflow:
    """Logs to the active run of mlflow, or to a new one."""

    def __init__(self, folder: Path) -> None:
        import mlflow

        self.library: Any = mlflow
        self.opened = mlflow.active_run() is None
        if self.opened:
            mlflow.start_run(run_name=folder.name)

    def log(self, values: dict[str, float], step: int) -> None:
        """Add a point to each curve."""
        self.library.log_metrics(values, step=step)

    def close(self) -> None:
        """End the run, if it was begun here."""
        if self.opened:
            self.library.end_run()


REPORTERS: dict[str, Callable[[Path], Reporter]] = {
    "tensorboard": TensorBoard,
    "trackio": Trackio,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
}


def open_reporters(names: Sequence[str], folder: Path) -> list[Reporter]:
    """Open the reporters of some names.

    Args:
        names: Keys of ``REPORTERS``.
        folder: For files, and its name for the run's.

    Raises:
        UnknownNameError: ``reporter-unknown``.
        MissingExtraError: ``reporter-missing``: the package is not installed.
    """
    unknown = [name for name in names if name not in REPORTERS]
    if unknown:
        raise UnknownNameError(
            "reporter-unknown",
            f"report_to holds {unknown[0]!r}",
            expected=f"names of {', '.join(REPORTERS)}",
            where="fit",
        )
    opened: list[Reporter] = []
    for name in names:
        try:
            opened.append(REPORTERS[name](folder))
        except ImportError as error:
            for reporter in opened:
                reporter.close()
            raise MissingExtraError(
                "reporter-missing",
                f"{name} is not installed",
                fix=f"pip install {name}, or leave it out of report_to",
                where="fit, report_to",
            ) from error
    return opened


def report(reporters: Sequence[Reporter], event: Event) -> None:
    """Hand the numbers of a step or an evaluation to the reporters."""
    if isinstance(event, Stepped | Evaluated):
        for reporter in reporters:
            reporter.log(_numbers(event), event.global_step)


def _numbers(event: Stepped | Evaluated) -> dict[str, float]:
    if isinstance(event, Evaluated):
        return {f"eval/{name}": value for name, value in event.metrics.items() if value is not None}
    values = {"train/tokens_per_second": event.tokens_per_second, "train/epoch": float(event.epoch)}
    for name, numbers in (
        ("loss", event.losses),
        ("learning_rate", event.learning_rates),
        ("gradient_norm", event.gradient_norms),
    ):
        for place, number in enumerate(numbers):
            # One objective is the usual case, and its curve bears the usual name.
            values[f"train/{name}" if len(numbers) == 1 else f"train/{name}_{place}"] = number
    return values
