"""The base of the evaluators: a model in, a dict of metrics out, one row in a CSV file."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.errors import InvalidTypeError
from workbench.evaluation.metrics.score import Score, Undefined
from workbench.evaluation.results_file import append_row, file_name_part
from workbench.models.protocols import Encoder

logger = logging.getLogger(__name__)

Metrics = dict[str, float | None]
"""Name of a metric → value; None where it is undefined."""

FEW_EXAMPLES = 30
"""Below so many examples a note says that the figures mean little."""


@dataclass(frozen=True)
class Measured:
    """What an evaluator found out in one call.

    Attributes:
        metrics: Name without the evaluator's name → score.
        primary: The metric by which the best model is chosen.
        columns: Column of the CSV file → score, without ``epoch`` and ``steps``.
        notices: What the reader should be told about this call.
    """

    metrics: Mapping[str, Score]
    primary: str
    columns: Mapping[str, Score]
    notices: tuple[str, ...] = ()


class SentenceEvaluator:
    """Scores a model on data that it holds. Children give `measure`, or a ``__call__`` of their own.

    A child with its own ``__call__(model, output_path, epoch, steps)`` may return a dict, or a float as in
    2.x; it need not call this ``__init__``.

    Args:
        name: Put before the metrics' names and into the CSV file's.
        csv_file: Name of the CSV file.
        write_csv: Whether to write one where a call gives an output path.

    Attributes:
        primary_metric: Key of the metric by which the best model is chosen; None before the first call.
        greater_is_better: Always so: an error is given as its negative.
        undefined: Key of each undefined metric of the last call → the reason.
        notices: What the reader should be told about the data and the last call.

    Source: sentence-transformers' ``SentenceEvaluator``.
    """

    greater_is_better: bool = True
    primary_metric: str | None = None
    undefined: Mapping[str, str] = MappingProxyType({})
    notices: tuple[str, ...] = ()
    name: str = ""

    def __init__(self, name: str = "", csv_file: str = "", write_csv: bool = True) -> None:
        if not isinstance(name, str):
            raise InvalidTypeError(
                "evaluator-name-not-a-string",
                f"name is a {type(name).__name__}",
                expected="a string",
                fix="Arguments after the classic ones go by name, such as similarity_fn_names=[...]",
            )
        self.name = name
        self.csv_file = file_name_part(csv_file)
        self.write_csv = write_csv
        self.data_notices: tuple[str, ...] = ()

    def __call__(
        self, model: Encoder, output_path: str | Path | None = None, epoch: int = -1, steps: int = -1
    ) -> Metrics:
        """Measure ``model``.

        Args:
            model: Whatever encodes.
            output_path: Folder for the CSV file; None writes none.
            epoch: The epoch, for the CSV file; -1 outside training.
            steps: The step in the epoch; -1 at its end.

        Returns:
            Metric → value; None where it is undefined, with the reason in ``undefined``.

        Raises:
            InvalidValueError: ``embedding-not-finite``: the model gives NaN or infinity.
            FolderWriteError: The CSV file cannot be written.
        """
        folder = None if output_path is None else Path(output_path)
        measured = self.measure(model, folder, epoch, steps)
        if folder is not None and self.write_csv and measured.columns:
            append_row(
                folder / self.csv_file,
                ["epoch", "steps", *measured.columns],
                [epoch, steps, *(_number(score) for score in measured.columns.values())],
            )
        self.notices = self.data_notices + measured.notices
        self.undefined = {
            self._key(metric): score.reason
            for metric, score in measured.metrics.items()
            if isinstance(score, Undefined)
        }
        self.primary_metric = measured.primary
        metrics = {metric: _number(score) for metric, score in measured.metrics.items()}
        prefixed = self.prefix_name_to_metrics(metrics, self.name)
        logger.info("%s, epoch %s, step %s: %s", self.csv_file or type(self).__name__, epoch, steps, prefixed)
        return prefixed

    def measure(self, model: Encoder, output_path: Path | None, epoch: int, steps: int) -> Measured:
        """Compute the metrics of one call; arguments as `__call__`.

        Raises:
            NotImplementedError: A child gave neither this nor a ``__call__``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither measure nor __call__")

    def prefix_name_to_metrics(self, metrics: Mapping[str, Any], name: str) -> Metrics:
        """Put ``name_`` before every metric and before ``primary_metric``; NaN becomes None.

        Source: sentence-transformers' method of this name, for evaluators written on top of it.
        """
        prefix = f"{name}_" if name else ""
        if self.primary_metric is not None and not self.primary_metric.startswith(prefix):
            self.primary_metric = prefix + self.primary_metric
        return {prefix + metric: _number(value) for metric, value in metrics.items()}

    def texts(self) -> list[str]:
        """The texts that this evaluator judges by, for the check that training has not seen them."""
        return []

    def _key(self, metric: str) -> str:
        return f"{self.name}_{metric}" if self.name else metric


def few_examples_notice(count: int, what: str) -> tuple[str, ...]:
    """A note where there are too few examples for the figures to mean much."""
    if count >= FEW_EXAMPLES:
        return ()
    return (f"Only {count} {what}: a figure over fewer than {FEW_EXAMPLES} means little",)


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, Undefined):
        return None
    number = float(value)
    return number if np.isfinite(number) else None
