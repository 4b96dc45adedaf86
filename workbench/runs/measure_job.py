"""The job that measures: three real steps of a training, what the whole will cost, and what it could show."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any

from workbench.runs.job import JobContext

STEPS = 3
# The first step pays for what every later one finds ready.
_WARM = 1


def measure(context: JobContext) -> Mapping[str, Any] | None:
    """Measure a training before it is begun.

    Settings: ``training`` (a ``TrainingConfig``), ``seeds``, ``others``.

    Returns:
        ``steps`` of one training, ``seconds_per_step``, ``judge_seconds`` (one model on the held-out part),
        ``memory_mb`` (peak of this process), ``seeds``, how many ``others``, and ``smallest``: the smallest
        difference that the held-out data could show, or None where that is not known.

    Raises:
        WorkbenchError: Whatever is wrong with the settings, the data or the model.
    """
    from workbench.compare.proof import smallest_before_training
    from workbench.recipe.judge import base_model, leak_facts
    from workbench.recipe.prepare import prepare
    from workbench.runs.job_config import training_config

    config = training_config(context)
    prepared = prepare(config)
    marks = [time.perf_counter()]

    def hear(event: object) -> None:
        from workbench.training.events import Stepped

        if isinstance(event, Stepped):
            marks.append(time.perf_counter())
            context.report(event.global_step, STEPS + 1)

    prepared.model.fit(
        [(prepared.loader, prepared.loss)],
        epochs=1,
        steps_per_epoch=min(STEPS, prepared.total_steps),
        optimizer_params={"lr": config.learning_rate},
        warmup_steps=0,
        show_progress_bar=False,
        precision=config.precision,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        seed=config.seed,
        progress=hear,
        stop=context.stop,
    )
    if context.stop():
        return None
    spans = [after - before for before, after in itertools.pairwise(marks)]
    kept = spans[_WARM:] or spans
    begun = time.perf_counter()
    found = smallest_before_training(
        prepared.examples.test, base_model(config), leak=leak_facts(config, prepared.examples)
    )
    return {
        "steps": prepared.total_steps,
        "seconds_per_step": sum(kept) / len(kept),
        "judge_seconds": time.perf_counter() - begun,
        "memory_mb": _peak_memory_mb(),
        "seeds": context.config.get("seeds", 1),
        "others": len(context.config.get("others") or ()),
        "smallest": None
        if found is None or found.smallest is None
        else {
            "smallest": found.smallest,
            "metric": found.metric,
            "power": found.power,
            "items": found.items,
        },
    }


def _peak_memory_mb() -> float:
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
