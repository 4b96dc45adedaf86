"""Who is fastest, and the rules under which nobody is called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from workbench.compare.bench_results import BenchVerdict, Measured, case_name
from workbench.compare.bench_statistics import LEAST_ROUNDS, paired_ratio
from workbench.compare.busy import BUSY_SHARE, Busy


def with_ratios(measured: Sequence[Measured], baseline: str) -> list[Measured]:
    """Each figure with its ratio to the baseline: in float32, at its best batch size, same corpus and device.

    Where the baseline did not run in float32, the first of its precisions that ran is taken.
    """
    found = []
    for one in measured:
        rivals = [
            other
            for other in measured
            if other.variant.contender == baseline
            and (other.corpus, other.variant.device) == (one.corpus, one.variant.device)
        ]
        exact = [other for other in rivals if other.variant.precision == "float32"]
        first = rivals[0].variant.precision if rivals else ""
        pool = exact or [other for other in rivals if other.variant.precision == first]
        if not pool:
            found.append(one)
            continue
        best = min(pool, key=_median)
        found.append(replace(one, ratio=paired_ratio(best.seconds, one.seconds)))
    return found


def verdicts(measured: Sequence[Measured], busy: Mapping[str, Busy]) -> tuple[BenchVerdict, ...]:
    """One verdict for each corpus, device and precision, in the order in which they were measured.

    Of each contender its best batch size stands for it. The fastest is called the winner where the machine
    was quiet and its interval over every other contender lies above 1.
    """
    groups: dict[tuple[str, str, str], list[Measured]] = {}
    for one in measured:
        key = (one.corpus, one.variant.device, one.variant.precision)
        groups.setdefault(key, []).append(one)
    return tuple(_verdict(key, group, busy.get(case_name(key[0], key[1]))) for key, group in groups.items())


def _verdict(key: tuple[str, str, str], group: Sequence[Measured], busy: Busy | None) -> BenchVerdict:
    best: dict[str, Measured] = {}
    for one in sorted(group, key=_median):
        best.setdefault(one.variant.contender, one)
    ranking = list(best.values())
    first, others = ranking[0], ranking[1:]
    if not others:
        return BenchVerdict(*key, "", first.variant.label, "", None, "alone")
    # Not the second by its median, but the one that is hardest to tell from the first.
    ratios = {other.variant.label: paired_ratio(other.seconds, first.seconds) for other in others}
    nearest = min(ratios, key=lambda label: (not ratios[label].spans_one, ratios[label].low or 0.0))
    ratio = ratios[nearest]
    blank = BenchVerdict(*key, "", first.variant.label, nearest, ratio, "")
    if busy is not None and busy.too_busy:
        values = {
            "share": busy.share,
            "limit": BUSY_SHARE,
            "names": ", ".join(name for name, _ in busy.names),
        }
        return replace(blank, reason_key="busy", reason_values=values)
    if ratio.low is None:
        values = {"rounds": ratio.rounds, "least": LEAST_ROUNDS}
        return replace(blank, reason_key="few-rounds", reason_values=values)
    if ratio.spans_one:
        return replace(blank, reason_key="interval")
    return replace(blank, winner=first.variant.label, reason_key="winner")


def _median(one: Measured) -> float:
    return float(np.median(one.seconds))
