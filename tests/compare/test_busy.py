"""What other processes used: by made-up looks, and by a real process that burns a core."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from workbench.compare import busy
from workbench.compare.busy import BusyMeter, Seen, other_processes, used_between


def test_a_span_counts_what_was_used_in_it_alone():
    before = {(1, 0.0): Seen("idle", 100.0), (2, 0.0): Seen("build", 7.0)}
    after = {(1, 0.0): Seen("idle", 100.0), (2, 0.0): Seen("build", 9.0), (3, 5.0): Seen("build", 1.0)}
    assert used_between(before, after) == {"idle": 0.0, "build": 3.0}


def test_a_process_that_has_ended_counts_with_its_heir_for_the_span_alone():
    # The compiler had used 50 s before, and 2 s in the span; its shell has ended too.
    before = {
        (1, 0.0): Seen("init", 10.0),
        (2, 0.0): Seen("shell", 5.0, parent=1),
        (3, 0.0): Seen("compiler", 50.0, parent=2),
    }
    after = {(1, 0.0): Seen("init", 10.0 + 5.0 + 52.0)}
    assert used_between(before, after) == {"init": pytest.approx(2.0)}


def test_a_number_that_is_used_again_is_another_process():
    before = {(5, 1.0): Seen("old", 1000.0)}
    after = {(5, 2.0): Seen("new", 0.5)}
    assert used_between(before, after) == {"new": 0.5}


def test_spans_add_up_and_the_gap_between_them_does_not_count(monkeypatch):
    looks = iter(
        [
            {(1, 0.0): Seen("a", 0.0)},
            {(1, 0.0): Seen("a", 1.0)},
            {(1, 0.0): Seen("a", 50.0)},
            {(1, 0.0): Seen("a", 50.5)},
        ]
    )
    clock = iter([0.0, 5.0, 100.0, 105.0])
    monkeypatch.setattr(busy.time, "perf_counter", lambda: next(clock))
    meter = BusyMeter(cores=2, look=lambda: next(looks))
    for _ in range(2):
        meter.begin()
        meter.end()
    found = meter.found()
    assert found.share == pytest.approx(1.5 / 20) and found.seconds == 10.0
    assert found.names == (("a", pytest.approx(0.075)),)
    assert not found.too_busy


def test_nothing_measured_is_nothing_used():
    assert BusyMeter(2, look=dict).found().share == 0.0


def test_our_own_work_does_not_count_and_a_strangers_does():
    # A grandchild that has outlived its parent is no child of ours any more.
    program = (
        "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nend = time.time() + 1.5\n"
        "print(os.getpid(), flush=True)\nwhile time.time() < end: pass"
    )
    started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    stranger = int(started.stdout.readline())
    before = other_processes()
    until = time.process_time() + 0.4
    while time.process_time() < until:
        pass
    after = other_processes()
    assert os.getpid() not in {pid for pid, _ in after}
    assert stranger in {pid for pid, _ in before}
    used = sum(used_between(before, after).values())
    assert used > 0.1
    started.wait()
