"""Opened contenders: one object for equal ones, the last used kept, one load at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.compare.columns import FakeContender
from workbench.compare.pool import ContenderPool
from workbench.contenders import registry
from workbench.contenders.contract import ModelPaths, Settings
from workbench.errors import InvalidValueError, UnknownNameError
from workbench.models.folder import CheckedModel


def model(sha256: str = "a") -> CheckedModel:
    return cast(CheckedModel, SimpleNamespace(admitted=SimpleNamespace(sha256=sha256), root="r", encoder="e"))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was opened, in order; two at once are an error."""
    calls: list[Any] = []
    inside = threading.Lock()

    def open_fake(paths: ModelPaths, settings: Settings) -> FakeContender:
        assert inside.acquire(blocking=False)
        time.sleep(0.01)
        calls.append((paths, settings))
        inside.release()
        return FakeContender("fake", settings)

    kind = replace(registry.CONTENDERS["manual"], open=open_fake)
    monkeypatch.setitem(registry.CONTENDERS, "fake", kind)
    return calls


def test_equal_ones_are_one_object(opened: list[Any]) -> None:
    pool = ContenderPool()
    first = pool.open("fake", model(), Settings())
    assert pool.open("fake", model(), Settings()) is first
    assert opened == [(ModelPaths("r", "e"), Settings())]  # type: ignore[arg-type]
    assert pool.open("fake", model(), Settings(pooling="cls")) is not first
    assert pool.open("fake", model("b"), Settings()) is not first
    assert len(opened) == len(pool) == 3


def test_the_one_used_longest_ago_goes(opened: list[Any]) -> None:
    pool = ContenderPool(most=2)
    one = pool.open("fake", model("1"), Settings())
    pool.open("fake", model("2"), Settings())
    assert pool.open("fake", model("1"), Settings()) is one
    pool.open("fake", model("3"), Settings())
    assert len(pool) == 2
    assert pool.open("fake", model("1"), Settings()) is one
    pool.open("fake", model("2"), Settings())
    assert len(opened) == 4


def test_many_threads_load_once(opened: list[Any]) -> None:
    pool = ContenderPool()
    got: list[Any] = []
    threads = [
        threading.Thread(target=lambda: got.append(pool.open("fake", model(), Settings()))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    assert len(got) == 8
    assert all(contender is got[0] for contender in got)


def test_what_fails_to_open_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(paths: ModelPaths, settings: Settings) -> FakeContender:
        raise InvalidValueError("nope", "no")

    monkeypatch.setitem(registry.CONTENDERS, "fake", replace(registry.CONTENDERS["manual"], open=refuse))
    pool = ContenderPool()
    with pytest.raises(InvalidValueError):
        pool.open("fake", model(), Settings())
    with pytest.raises(UnknownNameError):
        pool.open("theirs", model(), Settings())
    assert len(pool) == 0


def test_it_can_be_emptied(opened: list[Any]) -> None:
    pool = ContenderPool()
    pool.open("fake", model(), Settings())
    pool.clear()
    assert len(pool) == 0
