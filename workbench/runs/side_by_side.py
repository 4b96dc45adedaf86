"""Several runs side by side: where their settings differ, their curves, their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import InvalidValueError
from workbench.runs.metrics import effective
from workbench.runs.record import Run

MIN_RUNS, MAX_RUNS = 2, 4


@dataclass(frozen=True)
class SideBySide:
    """Two to four runs.

    Args:
        runs: In the order asked for.
        differences: Setting, as a dotted path → its value in each run; None where a run has none.
        curves: Metric → for each run its points ``(step, value)``; a value that was not finite is None.
        results: Number in the results, as a dotted path → its value in each run; None where there is none.
    """

    runs: tuple[Run, ...]
    differences: Mapping[str, tuple[Any, ...]]
    curves: Mapping[str, tuple[tuple[tuple[int, float | None], ...], ...]]
    results: Mapping[str, tuple[float | None, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**self.__dict__, "runs": [run.to_dict() for run in self.runs]}


def side_by_side(
    runs: Sequence[Run],
    metrics: Sequence[Sequence[Mapping[str, Any]]],
    results: Sequence[Mapping[str, Any] | None],
) -> SideBySide:
    """Lay runs side by side.

    Args:
        runs: Two to four.
        metrics: The lines of each one's metrics.
        results: Each one's result, or None.

    Raises:
        InvalidValueError: ``runs-to-compare``.
    """
    if not MIN_RUNS <= len(runs) <= MAX_RUNS:
        raise InvalidValueError(
            "runs-to-compare", f"{len(runs)} runs", expected=f"{MIN_RUNS} to {MAX_RUNS}", fix="Select others"
        )
    curves = [_curves(effective(lines)) for lines in metrics]
    names = sorted({name for curve in curves for name in curve})
    flat = [flattened(result or {}) for result in results]
    numbers = [{name: value for name, value in one.items() if _is_number(value)} for one in flat]
    return SideBySide(
        tuple(runs),
        differences([{"kind": run.kind, **run.config} for run in runs]),
        {name: tuple(tuple(curve.get(name, ())) for curve in curves) for name in names},
        {
            name: tuple(one.get(name) for one in numbers)
            for name in sorted({name for one in numbers for name in one})
        },
    )


def differences(configs: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The settings in which configs differ.

    Example:
        >>> differences([{"lr": 1, "loss": {"name": "a"}}, {"lr": 1, "loss": {"name": "b"}}])
        {'loss.name': ('a', 'b')}
    """
    flat = [flattened(config) for config in configs]
    names = sorted({name for one in flat for name in one})
    rows = {name: tuple(one.get(name) for one in flat) for name in names}
    # By text: to JSON, 1 and True and 1.0 are three values.
    return {name: row for name, row in rows.items() if len({repr(value) for value in row}) > 1}


def flattened(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    """Nested dicts as one, by dotted path; lists stay as they are."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{head}{name}"
        if isinstance(value, Mapping) and value:
            found.update(flattened(value, f"{path}."))
        else:
            found[path] = value
    return found


def _curves(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[int, float | None]]]:
    found: dict[str, list[tuple[int, float | None]]] = {}
    for line in lines:
        for name, value in line.get("values", {}).items():
            if value is None or _is_number(value):
                found.setdefault(name, []).append((line["step"], value))
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
