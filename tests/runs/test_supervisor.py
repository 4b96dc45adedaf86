"""The supervisor: the queue, cancelling, resuming, limits, owners, and every way in which a child may end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.runs.harness import ANN, BEN, QUICK, counted, open_supervisor, until, wait_for_step
from workbench.errors import FolderWriteError, InvalidValueError, UnknownNameError, WorkbenchError
from workbench.runs import layout
from workbench.runs.clock import Clock
from workbench.runs.owner import OPERATOR, new_owner
from workbench.runs.process import identify
from workbench.runs.record import Run
from workbench.runs.supervisor import Supervisor


@pytest.fixture
def runs(home: Path) -> Supervisor:
    with open_supervisor(home) as supervisor:
        yield supervisor


def finished(runs: Supervisor, run: Run, owner: str = ANN) -> Run:
    ended = runs.wait(owner, run.id, 60)
    assert not ended.active, ended
    return ended


def slow(runs: Supervisor, owner: str = ANN, **more: object) -> Run:
    return runs.submit(owner, "count", {"steps": 10_000, "step_seconds": 0.005, **more})


def code_of(error: pytest.ExceptionInfo[WorkbenchError]) -> str:
    return error.value.code


def test_a_run_from_start_to_end(runs: Supervisor, home: Path) -> None:
    run = runs.submit(ANN, "count", {"steps": 7, "seed": "x"}, name="첫 번째 ✨", note="two\nlines")
    assert (run.state, run.place, run.name, run.owner) == ("queued", 1, "첫 번째 ✨", run.owner)
    ended = finished(runs, run)
    assert (ended.state, ended.step, ended.total, ended.attempt) == ("complete", 7, 7, 1)
    assert (
        ended.reason is None and ended.seconds > 0 and ended.created_at <= ended.started_at <= ended.ended_at
    )
    assert runs.result(ANN, run.id) == counted(7, "x")
    assert ended.loss == counted(7, "x")["sum"] / 7
    lines = runs.metrics_since(ANN, run.id).lines
    assert [line["step"] for line in lines] == list(range(1, 8))
    folder = layout.run_folder(home, run.id)
    found = {path.name for path in folder.iterdir()}
    assert found >= {"config.json", "run.json", "metrics.jsonl", "log.txt", "checkpoints", "result.json"}


def test_one_at_a_time_in_order_with_places(home: Path) -> None:
    with open_supervisor(home, background=False) as runs:
        first, second, third = (runs.submit(owner, "count", {"steps": 2}) for owner in (ANN, BEN, ANN))
        assert [first.place, second.place, third.place] == [1, 2, 3]
        runs.tick()
        assert [runs.show(OPERATOR, run.id).place for run in (first, second, third)] == [0, 1, 2]
        assert runs.show(ANN, first.id).state == "running"
        order = []
        until(lambda: runs.tick() or order.extend(
            run.id for run in runs.list(OPERATOR, state="running") if run.id not in order
        ) or len(runs.list(OPERATOR, state="complete")) == 3)  # fmt: skip
    assert order == [first.id, second.id, third.id]


def test_an_owner_runs_one_at_a_time_and_others_pass(home: Path) -> None:
    with open_supervisor(home, replace(QUICK, running=2), background=False) as runs:
        first, second = slow(runs), slow(runs)
        other = slow(runs, BEN)
        runs.tick()
        states = [runs.show(OPERATOR, run.id).state for run in (first, second, other)]
        assert states == ["running", "queued", "running"]
        for run in (second, first, other):
            runs.cancel(OPERATOR, run.id)
        until(lambda: runs.tick() or not [run for run in runs.list(OPERATOR) if run.active])


def test_an_owner_may_queue_three(home: Path) -> None:
    with open_supervisor(home, replace(QUICK, queued=4), background=False) as runs:
        slow(runs)
        runs.tick()
        waiting = [slow(runs) for _ in range(3)]
        with pytest.raises(WorkbenchError) as refusal:
            slow(runs)
        assert code_of(refusal) == "too-many-queued"
        runs.cancel(ANN, waiting[1].id)
        slow(runs)
        # A cancelled run cannot come back around the limit either.
        with pytest.raises(WorkbenchError) as refusal:
            runs.resume(ANN, waiting[1].id)
        assert code_of(refusal) == "too-many-queued"
        slow(runs, BEN)
        with pytest.raises(WorkbenchError) as refusal:
            slow(runs, BEN)
        assert code_of(refusal) == "queue-full"
        for run in runs.list(OPERATOR):
            runs.cancel(OPERATOR, run.id)
        until(lambda: runs.tick() or not [run for run in runs.list(OPERATOR) if run.active])


def test_cancel_keeps_a_checkpoint_and_resume_goes_on(runs: Supervisor) -> None:
    run = runs.submit(ANN, "count", {"steps": 60, "step_seconds": 0.02, "checkpoint_every": 1000})
    wait_for_step(runs, run, 3)
    begun = time.monotonic()
    assert runs.cancel(ANN, run.id).stopping
    asked_at = runs.metrics_since(ANN, run.id).lines[-1]["step"]
    assert runs.cancel(ANN, run.id).stopping
    ended = finished(runs, run)
    # One step to hear it, one that was under way; the time is generous towards a busy machine.
    assert ended.step <= asked_at + 2 and time.monotonic() - begun < 10
    assert (ended.state, ended.reason, ended.stopping) == ("cancelled", None, False)
    assert list((runs.run_folder(ANN, run.id) / "checkpoints").iterdir())
    assert runs.cancel(ANN, run.id).state == "cancelled"
    again = runs.resume(ANN, run.id)
    assert (again.id, again.state, again.ended_at) == (run.id, "queued", "")
    assert runs.resume(ANN, run.id).active
    ended = finished(runs, run)
    assert (ended.state, ended.attempt, ended.step) == ("complete", 2, 60)
    assert runs.result(ANN, run.id) == counted(60)
    lines = runs.metrics_since(ANN, run.id).lines
    assert [line["resumed_from"] for line in lines if "resumed_from" in line] != [0]
    assert sorted(line["step"] for line in lines if "step" in line) == list(range(1, 61))
    with pytest.raises(InvalidValueError) as refusal:
        runs.resume(ANN, run.id)
    assert code_of(refusal) == "run-complete"
    assert runs.cancel(ANN, run.id).state == "complete"


def test_cancel_at_once_and_while_it_waits(runs: Supervisor) -> None:
    first, second = slow(runs), slow(runs)
    assert runs.cancel(ANN, second.id).state == "cancelled"
    runs.cancel(ANN, first.id)
    assert finished(runs, first).state == "cancelled"


def test_a_deaf_run_is_killed_with_its_helpers(home: Path) -> None:
    with open_supervisor(home, replace(QUICK, grace_seconds=0.3)) as runs:
        run = runs.submit(ANN, "deaf", {})
        helper = runs.run_folder(ANN, run.id) / "helper"
        until(lambda: helper.exists() and helper.read_text())
        runs.cancel(ANN, run.id)
        assert finished(runs, run).state == "cancelled"
        until(lambda: identify(int(helper.read_text())) is None)


def test_a_run_that_hangs_at_its_exit_does_not_hold_the_queue(home: Path) -> None:
    with open_supervisor(home, replace(QUICK, grace_seconds=0.2)) as runs:
        run = finished(runs, runs.submit(ANN, "lingers", {}))
        assert (run.state, runs.result(ANN, run.id)) == ("complete", {"done": True})


@pytest.mark.parametrize(
    ("kind", "config", "state", "code"),
    [
        ("refuses", {}, "failed", "loss-not-finite"),
        ("breaks", {}, "failed", "job-error"),
        ("not_finite", {}, "failed", "result-not-finite"),
        ("eats", {"bytes": 8 << 30}, "failed", "out-of-memory"),
        ("killed", {"signal": int(signal.SIGKILL)}, "failed", "killed"),
        ("killed", {"signal": int(signal.SIGSEGV)}, "failed", "crashed"),
        ("killed", {"signal": int(signal.SIGHUP)}, "interrupted", "shut-down"),
        ("spins", {}, "failed", "cpu-limit"),
        ("fills", {}, "failed", "disk-full"),
    ],
)
def test_every_end_has_its_reason(
    kind: str, config: dict[str, int], state: str, code: str, home: Path
) -> None:
    limits = replace(QUICK, address_space_bytes=4 << 30, cpu_seconds=1)
    with open_supervisor(home, limits) as runs:
        ended = finished(runs, runs.submit(ANN, kind, config))
        assert ended.reason is not None
        assert (ended.state, ended.reason.code) == (state, code)
        assert ended.resumable
        # The app is as it was.
        assert finished(runs, runs.submit(ANN, "count", {"steps": 1})).state == "complete"
        if kind == "not_finite":
            (line,) = runs.metrics_since(ANN, ended.id).lines
            assert line["values"] == {"loss": None, "lr": None}
            assert line["reasons"] == {"loss": "nan", "lr": "inf"}
            assert runs.result(ANN, ended.id) is None and ended.loss is None
        if kind == "breaks":
            assert "ZeroDivisionError: all of it" in runs.log_tail(ANN, ended.id)


def test_memory_that_the_system_took_back_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kills = iter(range(100))
    monkeypatch.setattr("workbench.runs.child.kills_for_memory", lambda: next(kills))
    monkeypatch.setattr("workbench.runs.nursery.kills_for_memory", lambda: -1)
    with open_supervisor(home) as runs:
        ended = finished(runs, runs.submit(ANN, "killed", {"signal": int(signal.SIGKILL)}))
        assert ended.reason is not None
        assert ended.reason.code == "out-of-memory" and "smaller batch" in ended.reason.message


def test_time_and_steps_are_limited(home: Path) -> None:
    with open_supervisor(home / "time", replace(QUICK, wall_seconds=0.5)) as runs:
        ended = finished(runs, runs.submit(ANN, "count", {"steps": 10_000, "step_seconds": 0.2}))
        assert ended.reason is not None
        assert (ended.state, ended.reason.code) == ("failed", "time-limit")
    with open_supervisor(home / "steps", replace(QUICK, steps=50)) as runs:
        ended = finished(runs, runs.submit(ANN, "count", {"steps": 60}))
        assert ended.reason is not None
        assert (ended.state, ended.reason.code) == ("failed", "step-limit")


def test_durations_do_not_follow_the_date(home: Path) -> None:
    hours = iter(range(24, 0, -1))
    clock = Clock(now=lambda: f"2026-01-01T{next(hours, 0):02d}:00:00")
    with open_supervisor(home, clock=clock) as runs:
        ended = finished(runs, runs.submit(ANN, "count", {"steps": 2}))
    assert ended.started_at < ended.created_at
    assert 0 < ended.seconds < 30


def test_a_foreign_run_does_not_exist(runs: Supervisor) -> None:
    run = finished(runs, runs.submit(ANN, "count", {"steps": 1}, name="mine"))
    for owner in (BEN, new_owner(), "", "x", "A" * 32, run.owner):
        assert runs.list(owner) == []
        for call in (
            runs.show, runs.cancel, runs.resume, runs.delete, runs.metrics_since, runs.log_tail, runs.result,
            runs.rerun, runs.run_folder, runs.annotate,
        ):  # fmt: skip
            with pytest.raises(UnknownNameError) as foreign:
                call(owner, run.id)
            with pytest.raises(UnknownNameError) as missing:
                call(owner, "20260101-000000-00000000")
            assert str(foreign.value).replace(run.id, "") == str(missing.value).replace(
                "20260101-000000-00000000", ""
            )
    assert [found.id for found in runs.list(ANN)] == [run.id]
    assert ANN not in layout.database(runs.folder).read_bytes().decode("latin-1")
    with pytest.raises(InvalidValueError) as refusal:
        runs.submit("guess", "count", {})
    assert code_of(refusal) == "owner-secret"


@pytest.mark.parametrize(
    "run_id", ["../../etc", "/etc/passwd", "", ".", "a\0b", "x" * 5000, "' OR 1=1 --", None, 5]
)
def test_an_id_is_no_path(run_id: str, runs: Supervisor) -> None:
    for call in (runs.show, runs.cancel, runs.delete, runs.metrics_since, runs.run_folder):
        with pytest.raises(UnknownNameError) as refusal:
            call(OPERATOR, run_id)
        assert code_of(refusal) == "run-unknown"


def test_a_double_click_starts_once(runs: Supervisor, home: Path) -> None:
    first = runs.submit(ANN, "count", {"steps": 1}, key="start-1")
    second = runs.submit(ANN, "count", {"steps": 2}, key="start-1")
    other = runs.submit(BEN, "count", {"steps": 1}, key="start-1")
    assert first.id == second.id != other.id
    assert len(list(layout.runs_folder(home).iterdir())) == 2


def test_a_double_click_on_a_full_queue_finds_its_run(home: Path) -> None:
    with open_supervisor(home, replace(QUICK, queued=1), starts=False) as runs:
        first = runs.submit(ANN, "count", {}, key="k")
        assert runs.submit(ANN, "count", {}, key="k") == first


def test_what_a_run_started_ends_with_it(runs: Supervisor) -> None:
    run = finished(runs, runs.submit(ANN, "leaves", {}))
    assert run.state == "complete"
    helper = runs.run_folder(ANN, run.id) / "helper"
    until(lambda: identify(int(helper.read_text())) is None)


def test_a_request_to_stop_outlives_its_supervisor(home: Path) -> None:
    with open_supervisor(home) as runs:
        run = slow(runs)
        wait_for_step(runs, run)
        # On record, and killed before the child heard of it.
        runs._store.change(run.id, stop="cancel")
    with open_supervisor(home) as runs:
        assert finished(runs, run).state == "cancelled"


def test_a_deletion_that_cannot_be_recorded_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_supervisor(home, starts=False) as runs:
        run = runs.submit(ANN, "count", {})

        def refuse(run_id: str) -> None:
            raise FolderWriteError("disk-full", "the disk is full")

        monkeypatch.setattr(runs._store, "delete", refuse)
        with pytest.raises(FolderWriteError):
            runs.delete(ANN, run.id)
        assert runs.show(ANN, run.id) == run and (runs.run_folder(ANN, run.id) / "run.json").exists()


def test_rerun_takes_settings_and_files(runs: Supervisor, home: Path) -> None:
    source = home / "upload"
    source.write_text("a,b\n")
    run = runs.submit(ANN, "environment", {"x": 1}, name="n", inputs={"train.csv": source})
    source.unlink()
    finished(runs, run)
    again = finished(runs, runs.rerun(ANN, run.id, key="k"))
    assert (again.config, again.name, again.rerun_of) == ({"x": 1}, "n", run.id)
    result = runs.result(ANN, again.id)
    assert result is not None and result["inputs"] == {"train.csv": "a,b\n"}


def test_a_child_gets_no_secret(home: Path) -> None:
    names = (
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "MY_PAT",
        "OAUTH_CLIENT_SECRET",
        "CUDA_API_KEY",
        "DATABASE_URL",
    )
    secrets = dict.fromkeys(names, "hf_x")
    with open_supervisor(home, environment={**os.environ, **secrets, "OMP_NUM_THREADS": "1"}) as runs:
        run = finished(runs, runs.submit(ANN, "environment", {}))
        result = runs.result(ANN, run.id)
    assert result is not None
    assert not set(result["names"]) & set(secrets)
    assert {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "OMP_NUM_THREADS", "PATH"} <= set(result["names"])
    assert result["session"] is True
    assert not {"torch", "numpy", "gradio", "sqlite3"} & set(result["modules"])


def test_a_child_gives_way_to_the_app_as_a_process_and_as_a_session(home: Path) -> None:
    with open_supervisor(home, limits=replace(QUICK, niceness=7)) as runs:
        run = finished(runs, runs.submit(ANN, "environment", {}))
        result = runs.result(ANN, run.id)
    assert result is not None
    assert result["niceness"] == 7
    assert result["session_niceness"] in (7, None)


def test_delete(runs: Supervisor, home: Path) -> None:
    run = slow(runs)
    wait_for_step(runs, run)
    with pytest.raises(InvalidValueError) as refusal:
        runs.delete(ANN, run.id)
    assert code_of(refusal) == "run-active"
    runs.cancel(ANN, run.id)
    finished(runs, run)
    runs.delete(ANN, run.id)
    assert runs.list(ANN) == [] and list(layout.runs_folder(home).iterdir()) == []


def test_names_and_notes(runs: Supervisor) -> None:
    run = runs.submit(ANN, "count", {"steps": 0}, name="'; DROP TABLE runs; --")
    assert runs.annotate(ANN, run.id, note="안녕 %_ ✨").note == "안녕 %_ ✨"
    assert runs.annotate(ANN, run.id, name="").name == ""
    assert [found.id for found in runs.list(ANN, text="%_")] == [run.id]
    assert runs.list(ANN, text="x%") == [] and runs.list(ANN, text="' OR 1=1") == []
    for values, code in (
        ({"note": "x" * (1 << 20)}, "run-text-too-long"),
        ({"name": "x" * 201}, "run-text-too-long"),
        ({"name": "a\nb"}, "run-text-character"),
        ({"note": "a\0b"}, "run-text-character"),
        ({"note": "\ud800"}, "run-text-character"),
    ):
        with pytest.raises(InvalidValueError) as refusal:
            runs.annotate(ANN, run.id, **values)
        assert code_of(refusal) == code


def test_unknown_kinds_are_refused_with_the_known_ones(runs: Supervisor) -> None:
    with pytest.raises(UnknownNameError, match="count") as refusal:
        runs.submit(ANN, "os.system", {})
    assert code_of(refusal) == "run-kind"


def test_a_run_goes_on_without_its_supervisor(home: Path) -> None:
    with open_supervisor(home) as runs:
        run = runs.submit(ANN, "count", {"steps": 40, "step_seconds": 0.02})
        wait_for_step(runs, run)
    with open_supervisor(home) as runs:
        assert runs.show(ANN, run.id).state == "running"
        ended = finished(runs, run)
        assert (ended.state, ended.attempt) == ("complete", 1)
        assert runs.result(ANN, run.id) == counted(40)
        assert ended.seconds >= 40 * 0.02


def test_a_run_that_died_alone_is_interrupted(home: Path) -> None:
    with open_supervisor(home) as runs:
        run = runs.submit(ANN, "count", {"steps": 60, "step_seconds": 0.02})
        wait_for_step(runs, run, 2)
        pid = next(iter(runs._nursery._children.values())).identity.pid
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    with open_supervisor(home) as runs:
        found = runs.show(ANN, run.id)
        assert found.state == "interrupted" and found.reason is not None and found.resumable
        assert found.seconds > 0
        runs.resume(ANN, run.id)
        assert finished(runs, run).state == "complete"
        assert runs.result(ANN, run.id) == counted(60)


def test_cancel_reaches_a_child_of_an_earlier_supervisor(home: Path) -> None:
    with open_supervisor(home) as runs:
        run = slow(runs)
        wait_for_step(runs, run)
    with open_supervisor(home) as runs:
        runs.cancel(ANN, run.id)
        assert finished(runs, run).state == "cancelled"


def test_one_supervisor_a_home(home: Path) -> None:
    with open_supervisor(home), pytest.raises(WorkbenchError) as refusal:
        open_supervisor(home)
    assert code_of(refusal) == "supervisor-elsewhere"


def test_a_number_given_anew_is_not_taken_for_the_child(home: Path) -> None:
    with open_supervisor(home, background=False, starts=False) as runs:
        run = runs.submit(ANN, "count", {"steps": 1})
        # This very process has the number, and was born at another time.
        runs._store.change(run.id, "running", pid=os.getpid(), pid_start="1@elsewhere", attempt=1)
    with open_supervisor(home, background=False, starts=False) as runs:
        assert runs.show(ANN, run.id).state == "interrupted"
