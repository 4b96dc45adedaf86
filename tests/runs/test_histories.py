"""Random histories of starting, cancelling, killing, restarting: no run is ever stuck, and none is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.runs.harness import ANN, BEN, QUICK, counted, memory_folder, open_supervisor
from workbench.errors import InvalidValueError, WorkbenchError
from workbench.runs.owner import OPERATOR
from workbench.runs.record import Run
from workbench.runs.states import STATES, TRANSITIONS, State

LIMITS = replace(QUICK, running=2, queued_per_owner=3)
MAX_RUNS = 3
# What may happen to a state between two looks, any number of steps taken together.
REACHABLE: dict[State, set[State]] = {state: {state} for state in STATES}
for _ in STATES:
    for _from, _found in REACHABLE.items():
        _found.update(*(TRANSITIONS[step] for step in tuple(_found)))


class Histories(RuleBasedStateMachine):
    """Two owners, one home, supervisors that come and go."""

    @initialize()
    def open(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="tests-runs-", dir=memory_folder()))
        self.runs = open_supervisor(self.home, LIMITS, background=False)
        self.expected: dict[str, tuple[str, int]] = {}
        self.seen: dict[str, State] = {}

    def known(self, pick: int) -> tuple[str, str]:
        run_id = sorted(self.expected)[pick % len(self.expected)]
        return self.expected[run_id][0], run_id

    @precondition(lambda self: len(self.expected) < MAX_RUNS)
    @rule(owner=st.sampled_from([ANN, BEN]), steps=st.integers(0, 6), pause=st.sampled_from([0.0, 0.02]))
    def submit(self, owner: str, steps: int, pause: float) -> None:
        with suppress(WorkbenchError):
            run = self.runs.submit(owner, "count", {"steps": steps, "seed": owner, "step_seconds": pause})
            self.expected[run.id] = (owner, steps)

    @rule(pause=st.sampled_from([0.0, 0.02, 0.06]))
    def tick(self, pause: float) -> None:
        self.runs.tick()
        time.sleep(pause)

    @precondition(lambda self: self.expected)
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        owner, run_id = self.known(pick)
        before = self.runs.show(owner, run_id)
        after = self.runs.cancel(owner, run_id)
        assert after.stopping or not after.active
        assert self.runs.cancel(owner, run_id).state == after.state
        assert after.state == ("cancelled" if before.state == "queued" else before.state)

    @precondition(lambda self: self.expected)
    @rule(pick=st.integers(0, 99))
    def resume(self, pick: int) -> None:
        owner, run_id = self.known(pick)
        before = self.runs.show(owner, run_id)
        try:
            after = self.runs.resume(owner, run_id)
        except InvalidValueError as error:
            assert (error.code, before.state) == ("run-complete", "complete")
        except WorkbenchError as error:
            assert error.code == "too-many-queued"
        else:
            assert after.active

    @precondition(lambda self: 0 < len(self.expected) < MAX_RUNS)
    @rule(pick=st.integers(0, 99))
    def rerun(self, pick: int) -> None:
        owner, run_id = self.known(pick)
        with suppress(WorkbenchError):
            self.expected[self.runs.rerun(owner, run_id).id] = (owner, self.expected[run_id][1])

    @rule(number=st.sampled_from([signal.SIGKILL, signal.SIGTERM]))
    def kill_a_child(self, number: int) -> None:
        for child in self.runs._nursery._children.values():
            with suppress(ProcessLookupError):
                os.kill(child.identity.pid, number)
            return

    @rule(pause=st.sampled_from([0.0, 0.1]))
    def restart_the_supervisor(self, pause: float) -> None:
        self.runs.close()
        time.sleep(pause)
        self.runs = open_supervisor(self.home, LIMITS, background=False)

    @rule()
    def kill_everything(self) -> None:
        children = [child.identity.pid for child in self.runs._nursery._children.values()]
        self.runs.close()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.runs = open_supervisor(self.home, LIMITS, background=False)

    @invariant()
    def every_acknowledged_run_is_there(self) -> None:
        if not hasattr(self, "runs"):
            return
        found = {run.id: run for run in self.runs.list(OPERATOR)}
        assert set(found) >= set(self.expected)
        queued = sorted(run.place for run in found.values() if run.state == "queued")
        assert queued == list(range(1, len(queued) + 1))
        for run in found.values():
            assert run.state in REACHABLE[self.seen.get(run.id, "queued")]
            self.seen[run.id] = run.state
        for owner in (ANN, BEN):
            mine = [run for run in self.runs.list(owner) if run.state == "running"]
            assert len(mine) <= LIMITS.running_per_owner

    def teardown(self) -> None:
        """Whatever happened, every run comes to rest; resumed, every one gives the right result."""
        if not hasattr(self, "runs"):
            return
        try:
            self._come_to_rest()
            while left := [run for run in self.runs.list(OPERATOR) if run.state != "complete"]:
                for run in left:
                    with suppress(WorkbenchError):
                        self.runs.resume(OPERATOR, run.id)
                self._come_to_rest()
            for run_id, (owner, steps) in self.expected.items():
                assert self.runs.result(owner, run_id) == counted(steps, owner)
        finally:
            self.runs.close()
            shutil.rmtree(self.home)

    def _come_to_rest(self) -> list[Run]:
        end = time.monotonic() + 60
        while active := [run for run in self.runs.list(OPERATOR) if run.active]:
            assert time.monotonic() < end, f"stuck: {active}"
            self.runs.tick()
            time.sleep(0.01)
        return active


def _play(examples: int) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_no_history_leaves_a_run_stuck() -> None:
    _play(50)


@pytest.mark.full
def test_no_history_leaves_a_run_stuck_in_the_long_form() -> None:
    _play(500)
