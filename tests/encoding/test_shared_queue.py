"""One queue for several threads: everything is done once, errors come out, thread counts are put back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from workbench.encoding.shared_queue import available_threads, run_shared


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_every_item_once_and_in_more_than_one_thread() -> None:
    done: list[tuple[int, str, int]] = []

    def work(item: int) -> None:
        time.sleep(0.002)
        done.append((item, threading.current_thread().name, torch.get_num_threads()))

    run_shared(range(40), work)
    assert sorted(item for item, _, _ in done) == list(range(40))
    assert len({name for _, name, _ in done}) == 3
    assert {count for _, _, count in done} == {1}
    assert torch.get_num_threads() == 3 == available_threads()


def test_one_item_keeps_all_intra_op_threads() -> None:
    counts: list[int] = []
    run_shared([1], lambda _: counts.append(torch.get_num_threads()))
    run_shared([], lambda _: counts.append(-1))
    assert counts == [3]


def test_an_error_ends_the_run_and_is_raised() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        if item == 5:
            raise ValueError("the fifth")
        time.sleep(0.001)
        done.append(item)

    with pytest.raises(ValueError, match="the fifth"):
        run_shared(range(1000), work)
    assert len(done) < 100
    assert torch.get_num_threads() == 3
