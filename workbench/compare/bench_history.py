"""One benchmark over time: earlier results of the same plan beside the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.compare.bench_results import BenchResult, Measured
from workbench.compare.bench_statistics import Ratio, ratio_of_ratios


@dataclass(frozen=True)
class Change:
    """One variant on one corpus, earlier and now.

    Attributes:
        corpus, label: Of what.
        before, now: Ratios to the baseline.
        change: ``now`` over ``before``: above 1, the lead over the baseline has grown. What slows the whole
            machine down cancels out.
    """

    corpus: str
    label: str
    before: Ratio
    now: Ratio
    change: Ratio


@dataclass(frozen=True)
class Earlier:
    """An earlier result of the same plan.

    Attributes:
        date_utc: When it was taken.
        differences: What was not the same: name → (before, now), such as ``cpu`` or ``torch``.
        same_machine: Whether processor, cores and GPU are the same.
        busy: Whether other processes were too busy in one of the two.
        changes: Of the variants that both have.
    """

    date_utc: str
    differences: tuple[tuple[str, str, str], ...]
    same_machine: bool
    busy: bool
    changes: tuple[Change, ...]


def over_time(now: BenchResult, earlier: Sequence[BenchResult]) -> tuple[Earlier, ...]:
    """Compare a result with earlier ones of the same plan, the newest first; other plans are left out."""
    same = [one for one in earlier if one.plan_hash == now.plan_hash]
    return tuple(
        _earlier(now, one) for one in sorted(same, key=lambda one: one.conditions.date_utc, reverse=True)
    )


def _earlier(now: BenchResult, before: BenchResult) -> Earlier:
    differences = _differences(now, before)
    known = {_key(one): one for one in before.measured}
    changes = []
    for one in now.measured:
        old = known.get(_key(one))
        if old is not None and old.ratio is not None and one.ratio is not None:
            changes.append(
                Change(
                    one.corpus,
                    one.variant.label,
                    old.ratio,
                    one.ratio,
                    ratio_of_ratios(one.ratio, old.ratio),
                )
            )
    return Earlier(
        before.conditions.date_utc,
        differences,
        not {name for name, _, _ in differences} & {"cpu", "cores", "gpu"},
        any(busy.too_busy for result in (now, before) for busy in result.busy.values()),
        tuple(changes),
    )


def _key(one: Measured) -> tuple[str, str]:
    return one.corpus, one.variant.label


def _differences(now: BenchResult, before: BenchResult) -> tuple[tuple[str, str, str], ...]:
    """What was another one: machine, Python, packages, the model's files."""
    sides = []
    for result in (before, now):
        found = result.conditions
        sides.append(
            {
                "cpu": found.cpu,
                "cores": str(found.cores),
                "gpu": found.gpu or "–",
                "python": found.python,
                "model files": result.model_sha256[:12],
                **found.versions,
            }
        )
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    return tuple(
        (name, sides[0].get(name, "–"), sides[1].get(name, "–"))
        for name in names
        if sides[0].get(name) != sides[1].get(name)
    )
