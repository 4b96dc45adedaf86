"""A comparison made without a model: the events a real one would give, over embeddings drawn by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.compare.columns import floor_of
from workbench.compare.agreement import agreements
from workbench.compare.results import (
    Column,
    ColumnFailed,
    Comparison,
    Conditions,
    Coverage,
    EncodedColumn,
    Event,
    Progress,
    Speed,
)
from workbench.contenders.contract import Settings, TokenCount, TokenView
from workbench.errors import Cancelled, ModelSourceError
from workbench.ui.pages.compare_handlers import Plan, Timing, snapshots
from workbench.ui.snapshot import Snapshot

DIM = 6
CONDITIONS = Conditions(
    versions={"torch": "2.13.0", "transformers": "5.23.0"},
    cpu="A processor <b>",
    cores=2,
    gpu=None,
    python="3.11.7",
    date_utc="2026-11-23T10:00:00+00:00",
)


def settings_for(model: str, **overrides: Any) -> Settings:
    """The settings of a made-up model; one named ``missing`` cannot be found."""
    if model == "missing":
        raise ModelSourceError("model-folder-missing", "the folder 'missing' does not exist")
    return replace(Settings(), **overrides)


def embeddings(texts: Sequence[str], settings: Settings) -> NDArray[np.float32]:
    """One row a text, by its hash; pooling, length and normalisation show in it."""
    rows = []
    for text in texts:
        read = " ".join(text.split()[: settings.max_length])
        digest = hashlib.sha256(f"{read}|{settings.pooling}".encode("utf-8", "replace")).digest()
        rows.append(np.frombuffer(digest[:DIM], dtype=np.uint8) / 128 - 1.0)
    matrix = np.array(rows, dtype=np.float64).reshape(len(texts), DIM)
    if settings.normalize:
        matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix.astype(np.float32)


def encode(column: Column, texts: Sequence[str]) -> EncodedColumn:
    """One column; a token a word."""
    settings = column.settings
    counts = tuple(
        TokenCount(min(len(text.split()), settings.max_length), len(text.split()), 0) for text in texts
    )
    return EncodedColumn(column, embeddings(texts, settings), counts, "0" * 64, 0.05)


def compare(
    columns: Sequence[Column],
    texts: Sequence[str],
    *,
    speed_rounds: int,
    speed_budget_seconds: float,
    cancelled: Callable[[], bool],
) -> Iterator[Event]:
    """As ``workbench.compare.run.run_comparison`` would; a column of the model ``broken`` fails."""
    done: list[EncodedColumn] = []
    failures = {}
    coverage = []
    for column in columns:
        if cancelled():
            raise Cancelled
        yield Progress("encoding", column.label, len(texts), len(texts))
        if column.model == "broken":
            failures[column.label] = ModelSourceError("model-broken", "<i>broken</i>")
            yield ColumnFailed(column.label, failures[column.label])
            continue
        done.append(encode(column, texts))
        yield done[-1]
        cut = sum(done[-1].truncated)
        coverage.append(Coverage(column.label, 0.0, 1.0, cut, len(texts), 0, ""))
        yield coverage[-1]
    floor = floor_of(1e-7, *done)
    yield floor
    agreed = agreements(done, floor)
    yield agreed
    speeds = tuple(
        Speed(one.column.label, speed_rounds, 100.0 + place, 900.0, 80.0, 90.0, "cpu", 2)
        for place, one in enumerate(done)
        if speed_rounds
    )
    yield speeds
    yield Comparison(tuple(texts), tuple(done), failures, floor, agreed, tuple(coverage), speeds, CONDITIONS)


def columns(*contenders: str, **settings: Any) -> tuple[Column, ...]:
    """One column a contender; ``settings`` are those of the last."""
    made = [Column(name, name, "all-MiniLM-L6-v2", Settings()) for name in contenders]
    last = made[-1]
    return (*made[:-1], replace(last, settings=replace(last.settings, **settings)))


def final_snapshot(texts: Sequence[str], wanted: Sequence[Column]) -> Snapshot:
    """What is on show after a comparison, folded from the events themselves.

    The caller has put ``compare`` in the place of the backend's.
    """
    plan = Plan(tuple(wanted), tuple(wanted), {})
    return list(snapshots(plan, texts, Timing(5, 1.0), lambda: False))[-1][0]


def token_view(column: Column, text: str) -> TokenView:
    """A token a word, numbered by place."""
    words = tuple(text.split()[: column.settings.max_length])
    return TokenView(words, tuple(range(len(words))), (1,) * len(words))
