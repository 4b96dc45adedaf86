"""Interleaving, budget and arithmetic of the timing, on contenders whose time is made up."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from tests.compare.columns import FakeContender
from workbench.compare import interleaved
from workbench.compare.results import Progress, Speed
from workbench.compare.speed import measure_speed
from workbench.contenders.contract import Settings, TokenCount
from workbench.errors import Cancelled

TEXTS = [f"text {index}" for index in range(100)]


class Clock:
    """Time that passes only when a contender works: ``seconds`` by its name, call by call."""

    def __init__(self, seconds: dict[str, list[float]], log: list[tuple[str, int]]) -> None:
        self.seconds = {name: itertools.cycle(values) for name, values in seconds.items()}
        self.log = log
        self.now = 0.0
        self.seen = 0

    def perf_counter(self) -> float:
        for name, count in self.log[self.seen :]:
            self.now += next(self.seconds[name]) if count == len(TEXTS) else 0.0
        self.seen = len(self.log)
        return self.now


def timed(
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[str, list[float]],
    rounds: int = 5,
    budget: float = 1e9,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[tuple[Speed, ...], list[tuple[str, int]], list[Progress]]:
    log: list[tuple[str, int]] = []
    monkeypatch.setattr(interleaved, "time", Clock(seconds, log))
    contenders = {name: FakeContender(name, Settings(threads=3), log=log) for name in seconds}
    counts = {name: [TokenCount(5, 9, 0)] * len(TEXTS) for name in seconds}
    events = list(
        measure_speed(contenders, TEXTS, counts, rounds=rounds, budget_seconds=budget, cancelled=cancelled)
    )
    assert isinstance(events[-1], tuple)
    return events[-1], log, [event for event in events if isinstance(event, Progress)]


def test_rounds_are_interleaved_after_a_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    _, log, progress = timed(monkeypatch, {"a": [1.0], "b": [1.0], "c": [1.0]}, rounds=2)
    assert log[:3] == [("a", 64), ("b", 64), ("c", 64)]
    assert log[3:] == [(name, 100) for name in "abcabc"]
    assert [(event.label, event.done, event.total) for event in progress][-1] == ("c", 2, 2)
    assert len(progress) == 9


def test_the_figures_are_those_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.5, 0.1, 0.9, 0.3, 0.2]
    (found,), _, _ = timed(monkeypatch, {"a": seconds})
    assert found.rounds == 5
    assert found.p50_ms == pytest.approx(np.median(seconds) * 1000)
    assert found.p95_ms == pytest.approx(np.percentile(seconds, 95) * 1000)
    assert found.sentences_per_second == pytest.approx(100 / 0.3)
    assert found.tokens_per_second == pytest.approx(500 / 0.3)
    assert (found.device, found.threads, found.peak_memory_mb) == ("cpu", 3, None)


def test_no_round_is_begun_that_the_budget_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = timed(monkeypatch, {"a": [1.0], "b": [1.0]}, rounds=50, budget=7.0)
    assert [row.rounds for row in found] == [3, 3]
    found, _, _ = timed(monkeypatch, {"a": [9.0]}, rounds=50, budget=1.0)
    assert found[0].rounds == 1


def test_it_stops_between_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        timed(monkeypatch, {"a": [1.0], "b": [1.0]}, cancelled=lambda: next(answers))
