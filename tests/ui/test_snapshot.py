"""Events fold into one snapshot, in the order of the page whatever the order of arrival."""

from __future__ import annotations

import numpy as np

from tests.compare.columns import encoded, floor_of
from tests.ui.made_up import columns, compare
from workbench.compare.results import ColumnFailed, Progress
from workbench.errors import ModelSourceError
from workbench.ui.snapshot import Snapshot, fold

_ROWS = np.eye(3, 4)


def test_a_whole_comparison_folds_into_what_its_last_event_holds():
    wanted = columns("own", "upstream", "manual", pooling="cls")
    snapshot = Snapshot(texts=("a", "b", "c"), requested=wanted)
    for event in compare(
        wanted, ("a", "b", "c"), speed_rounds=3, speed_budget_seconds=1.0, cancelled=lambda: False
    ):
        before = snapshot
        snapshot = fold(snapshot, event)
        assert snapshot is not before
    assert snapshot.comparison is not None
    assert snapshot.agreements == snapshot.comparison.agreements
    assert snapshot.speeds == snapshot.comparison.speeds
    assert snapshot.progress is None
    assert snapshot.pairs() == (("own", "upstream"), ("own", "manual"), ("upstream", "manual"))
    assert snapshot.agreement("manual", "own") is snapshot.agreement("own", "manual")


def test_columns_keep_the_order_and_colour_of_the_page():
    snapshot = Snapshot(requested=columns("own", "upstream", "manual"))
    for label in ("manual", "own"):
        snapshot = fold(snapshot, encoded(label, _ROWS))
    assert [column.column.label for column in snapshot.columns] == ["own", "manual"]
    assert [snapshot.colour(label) for label in ("own", "upstream", "manual", "unknown")] == [0, 1, 2, 0]
    assert snapshot.column("upstream") is None
    # The same column again replaces the first.
    assert len(fold(snapshot, encoded("own", _ROWS)).columns) == 2


def test_failures_progress_and_floor_are_kept_and_empty_tuples_change_nothing():
    snapshot = Snapshot(requested=columns("own"))
    error = ModelSourceError("gone", "gone")
    snapshot = fold(snapshot, ColumnFailed("own", error))
    snapshot = fold(snapshot, Progress("speed", "own", 1, 2))
    snapshot = fold(snapshot, floor_of(1e-7))
    assert snapshot.failures == {"own": error}
    assert snapshot.progress is not None and snapshot.noise_floor is not None
    assert fold(snapshot, ()) == snapshot
