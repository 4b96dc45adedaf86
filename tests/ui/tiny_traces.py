"""Live pipelines around a tiny model in place of the page's own, for tests of the Trace page."""

from __future__ import annotations

from typing import Any

from tests.trace.tiny_pipelines import sound
from workbench.errors import InvalidValueError
from workbench.trace.faults import inject
from workbench.trace.pipelines import manual_pipeline
from workbench.ui.trace_backend import Live


def live(name: str, faults: Any = ()) -> Live:
    """A sound tiny pipeline, or one with faults."""
    steps = inject(sound("bert"), faults)
    return Live(manual_pipeline(steps, name), steps.tokenizer)


def open_side(form: Any, name: str, faults: Any = ()) -> Live:
    """In place of ``trace_backend.open_side``: a length below the model's is the fault that it stands for."""
    if form.model == "missing":
        raise InvalidValueError("model-missing", "No such model")
    short = ("max-length-short",) if form.max_length == 128 else ()
    return live(name, (*short, *faults))
