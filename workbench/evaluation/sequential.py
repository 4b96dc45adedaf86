"""Several evaluators, one after the other, as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.evaluation.evaluator import Metrics, SentenceEvaluator
from workbench.models.protocols import Encoder

SCORE = "sequential_score"


def last_score(scores: Sequence[float | None]) -> float | None:
    """The primary metric of the last evaluator."""
    return scores[-1]


class SequentialEvaluator(SentenceEvaluator):
    """Calls evaluators in turn; the primary metric, ``sequential_score``, is made of theirs.

    Where two give a metric of one name, the later one's is put under ``evaluator_<place>_<name>``.

    Args:
        evaluators: Each gives a dict of metrics, or a float as in 2.x.
        main_score_function: From their primary metrics to one score; the last one by default. Undefined
            where it is given an undefined score that it cannot take.

    Raises:
        InvalidValueError: No evaluators.
        InvalidTypeError: One that cannot be called.

    Source: sentence-transformers' class of this name, where the later one of two metrics overwrites.
    """

    def __init__(
        self,
        evaluators: Iterable[Callable[..., Any]],
        main_score_function: Callable[[list[float | None]], float | None] = last_score,
    ) -> None:
        super().__init__()
        self.evaluators = list(evaluators)
        self.main_score_function = main_score_function
        if not self.evaluators:
            raise InvalidValueError("evaluators-empty", "no evaluator came", expected="at least one")
        for place, evaluator in enumerate(self.evaluators):
            if not callable(evaluator):
                raise InvalidTypeError(
                    "evaluator-not-callable",
                    f"a {type(evaluator).__name__}",
                    expected="evaluator(model, output_path, epoch, steps)",
                    where=f"evaluators[{place}]",
                )

    def __call__(
        self, model: Encoder, output_path: str | Path | None = None, epoch: int = -1, steps: int = -1
    ) -> Metrics:
        """All metrics of all evaluators, and ``sequential_score``; arguments as for each of them."""
        results: Metrics = {}
        undefined: dict[str, str] = {}
        notices: list[str] = []
        scores: list[float | None] = []
        for place, evaluator in enumerate(self.evaluators):
            given = evaluator(model, output_path, epoch, steps)
            metrics: Mapping[str, Any] = (
                given if isinstance(given, Mapping) else {f"evaluator_{place}": given}
            )
            scores.append(primary_score(evaluator, metrics))
            for metric, value in metrics.items():
                key = f"evaluator_{place}_{metric}" if metric in results else metric
                results[key] = value
                if reason := getattr(evaluator, "undefined", {}).get(metric):
                    undefined[key] = reason
            notices += getattr(evaluator, "notices", ())
        results[SCORE] = self._score(scores)
        if results[SCORE] is None:
            undefined[SCORE] = "the score that it is made of is undefined"
        self.primary_metric, self.undefined, self.notices = SCORE, undefined, tuple(notices)
        return results

    def texts(self) -> list[str]:
        """The texts of all evaluators."""
        return [
            text
            for evaluator in self.evaluators
            if isinstance(evaluator, SentenceEvaluator)
            for text in evaluator.texts()
        ]

    def _score(self, scores: list[float | None]) -> float | None:
        if None in scores and self.main_score_function is not last_score:
            return None
        score = self.main_score_function(scores)
        return float(score) if score is not None and np.isfinite(score) else None


def primary_score(evaluator: Any, metrics: Mapping[str, Any]) -> float | None:
    """The score by which an evaluator chooses the best model; the first metric where it names none.

    Raises:
        UnknownNameError: It names a metric that it did not give.
        InvalidValueError: It gave no metric.
    """
    if not metrics:
        raise InvalidValueError(
            "no-metrics", f"{type(evaluator).__name__} gave no metric", expected="at least one"
        )
    name = getattr(evaluator, "primary_metric", None) or next(iter(metrics))
    # A float of 2.x stands under a name of its own.
    if name not in metrics and len(metrics) > 1:
        raise UnknownNameError(
            "primary-metric-missing",
            f"primary_metric of {type(evaluator).__name__} is {name!r}",
            expected=f"one of {', '.join(metrics)}",
        )
    value = metrics.get(name, next(iter(metrics.values())))
    return float(value) if value is not None and np.isfinite(value) else None
