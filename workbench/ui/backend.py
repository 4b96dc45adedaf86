"""The doors to the rooms below that need torch: each opens on its first use, so that the page opens first."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.compare.results import Column, Event
from workbench.contenders.contract import Settings, TokenView
from workbench.contenders.registry import contender_kind
from workbench.persistence.source import BUNDLED

DEFAULT_MODEL = BUNDLED
_SLICE_SECONDS = 0.0005


def compare(
    columns: Sequence[Column],
    texts: Sequence[str],
    *,
    speed_rounds: int,
    speed_budget_seconds: float,
    cancelled: Callable[[], bool],
) -> Iterator[Event]:
    """Run a comparison; see ``workbench.compare.run.run_comparison``."""
    from workbench.compare.run import run_comparison

    yield from run_comparison(
        columns,
        texts,
        speed_rounds=speed_rounds,
        speed_budget_seconds=speed_budget_seconds,
        cancelled=cancelled,
    )


def settings_for(model: str, **overrides: Any) -> Settings:
    """What a model implies, with some settings overridden; the model is fetched and checked for it.

    Raises:
        WorkbenchError: The model cannot be found or is not admitted, or a setting does not fit it.
    """
    from workbench.compare.settings import settings_for
    from workbench.models.folder import open_model

    return settings_for(open_model(model), **overrides)


def token_view(column: Column, text: str) -> TokenView:
    """The tokens of one text as a column's pipeline sees them; the pipeline is open already as a rule."""
    from workbench.compare.pool import SHARED
    from workbench.models.folder import open_model

    return SHARED.open(column.contender, open_model(column.model), column.settings).token_view(text)


def peak_memory_mb(column: Column, texts: Sequence[str]) -> float:
    """Peak memory of a column in a child process of its own, in megabytes."""
    from workbench.compare.memory import peak_memory_mb
    from workbench.contenders.contract import ModelPaths
    from workbench.models.folder import open_model

    model = open_model(column.model)
    return peak_memory_mb(column.contender, ModelPaths(model.root, model.encoder), column.settings, texts)


def code_of(column: Column, texts: Sequence[str]) -> str:
    """A script in plain code of the column's library that gives its vectors."""
    return contender_kind(column.contender).code(column.model, column.settings, texts)


def gpu_name() -> str | None:
    """Name of the GPU, or None."""
    from workbench.compare.conditions import gpu_name

    return gpu_name()


def warm_up() -> threading.Thread:
    """Open the first column in the background while the visitor's browser is still loading the page."""
    thread = threading.Thread(target=_open_first_column, name="warm-up", daemon=True)
    thread.start()
    return thread


def _open_first_column() -> None:
    # Importing holds the interpreter in slices of this length. The server hands a page's many files over
    # between two slices, so short ones let the browser start while the libraries load.
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SLICE_SECONDS)
    try:
        from workbench.compare.pool import SHARED
        from workbench.compare.settings import settings_for
        from workbench.models.folder import open_model

        model = open_model(DEFAULT_MODEL)
        SHARED.open("own", model, settings_for(model))
    finally:
        sys.setswitchinterval(usual)
