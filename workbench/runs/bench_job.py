"""The job that measures speed: a benchmark in a process of its own, its result in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.errors import DataFileError
from workbench.runs.files import get_json
from workbench.runs.job import JobContext

# Texts that were brought come along under this name, as a JSON list.
TEXTS_FILE = "texts.json"
# Progress is told in so many parts of the whole, which are seconds of unequal work.
PARTS = 1000
# Stages by number: a report holds numbers alone.
STAGES = ("open", "first", "rounds", "shares", "quality", "peak", "tradeoff", "memory")


def bench(context: JobContext) -> Mapping[str, Any] | None:
    """Measure a plan.

    Settings: ``plan``, fields of a ``BenchPlan``; ``own_texts`` come as the file ``texts.json``.

    Returns:
        The result as ``compare.bench_results.bench_dict`` writes it.

    Raises:
        WorkbenchError: Whatever is wrong with the plan, the texts or the model.
    """
    from workbench.compare.bench import run_bench
    from workbench.compare.bench_plan import checked_plan
    from workbench.compare.bench_results import BenchResult, bench_dict

    values = dict(context.config.get("plan") or {})
    if (context.inputs / TEXTS_FILE).exists():
        values["own_texts"] = _texts(get_json(context.inputs / TEXTS_FILE))
    if context.attempt > 1:
        # What was measured before a stop was measured under other conditions: all of it is done anew.
        context.resumed(0)
    reached = 0
    for event in run_bench(checked_plan(values), cancelled=context.stop):
        if isinstance(event, BenchResult):
            context.report(PARTS, PARTS, seconds_left=0.0)
            return bench_dict(event)
        reached = max(reached, min(PARTS - 1, round(event.done * PARTS)))
        context.report(
            reached, PARTS, seconds_left=event.seconds_left, stage=float(STAGES.index(event.stage))
        )
    return None


def _texts(found: object) -> list[str]:
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise DataFileError("bench-texts-broken", "something else", expected="a list of texts")
    return found
