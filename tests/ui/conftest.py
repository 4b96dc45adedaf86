"""The page's backend without a model, for every test of the UI that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.ui import made_up
from workbench.compare.results import Column
from workbench.ui import backend
from workbench.ui.snapshot import Snapshot


@pytest.fixture
def made_up_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons, settings and tokens by hash; no torch, no model."""
    monkeypatch.setattr(backend, "compare", made_up.compare)
    monkeypatch.setattr(backend, "settings_for", made_up.settings_for)
    monkeypatch.setattr(backend, "token_view", made_up.token_view)
    monkeypatch.setattr(backend, "gpu_name", lambda: None)
    monkeypatch.setattr(backend, "peak_memory_mb", lambda column, texts: 321.0)


@pytest.fixture
def snapshot_of(made_up_backend: None) -> Callable[[Sequence[str], Sequence[Column]], Snapshot]:
    """Texts and columns → the snapshot after their comparison."""
    return made_up.final_snapshot
