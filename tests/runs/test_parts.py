"""The small parts: states, owners, what is handed in, how an end is judged, exports, side by side, text."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runs.harness import ANN, BEN, open_supervisor
from workbench.errors import (
    DataFileError,
    InvalidTypeError,
    InvalidValueError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.runs import exports, layout, submission, text
from workbench.runs.files import get_json
from workbench.runs.limits import Limits
from workbench.runs.outcome import Outcome, judge, read_outcome
from workbench.runs.owner import OPERATOR, may_see, new_owner, owner_hash
from workbench.runs.queue import next_to_start
from workbench.runs.record import COLUMNS, Row, Run, row_from
from workbench.runs.side_by_side import differences, side_by_side
from workbench.runs.states import RESUMABLE, STATES, TRANSITIONS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=3
    ),
    max_leaves=8,
)  # fmt: skip
SETTINGS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), JSON, max_size=4)


def a_run(**values: Any) -> Run:
    fields: dict[str, Any] = {
        "id": "20260101-000000-00000000", "kind": "count", "name": "", "note": "", "state": "complete",
        "owner": "", "config": {}, "place": 0, "step": 3, "total": 3, "loss": 0.5,
        "seconds": 1.0, "attempt": 1,
        "stopping": False, "reason": None, "created_at": "", "started_at": "", "ended_at": "", "rerun_of": "",
    }  # fmt: skip
    return Run(**{**fields, **values})


def a_row(owner: str, position: int) -> Row:
    return Row(layout.new_run_id(), owner, "count", "{}", "", position)


def test_the_table_of_steps_is_closed() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert set().union(*TRANSITIONS.values()) <= set(STATES)
    assert frozenset({"cancelled", "failed", "interrupted"}) == RESUMABLE
    assert TRANSITIONS["complete"] == frozenset()


def test_an_owner_is_a_secret_of_128_bits() -> None:
    secrets = {new_owner() for _ in range(100)}
    assert len(secrets) == 100 and all(len(bytes.fromhex(secret)) == 16 for secret in secrets)
    secret = secrets.pop()
    assert may_see(secret, owner_hash(secret)) and may_see(OPERATOR, owner_hash(secret))
    for other in (secrets.pop(), "", owner_hash(secret), secret.upper(), f"{secret}\n", None, 5, b"x"):
        assert not may_see(other, owner_hash(secret))  # type: ignore[arg-type]


@given(st.text())
def test_only_our_ids_name_folders(run_id: str) -> None:
    if not layout.is_run_id(run_id):
        with pytest.raises(ValueError, match="not a run id"):
            layout.run_folder(Path("/home"), run_id)
    assert layout.run_folder(Path("/home"), layout.new_run_id()).parent == Path("/home/runs")


@pytest.mark.parametrize(
    "run_id", ["20260101-000000-0000000a\n", "٢0260101-000000-0000000a", "20260101-000000-0000000A"]
)
def test_look_alikes_of_ids_are_none(run_id: str) -> None:
    assert not layout.is_run_id(run_id)


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"a": float("nan")}, "run-config-value"),
        ({"a": {1: 2}}, "run-config-value"),
        ({"a": [{"b": {None: 1}}]}, "run-config-value"),
        pytest.param({"a": object()}, "run-config-value", id="an object"),
        ({"a": b"x"}, "run-config-value"),
        ({"a": "\ud800"}, "run-config-value"),
        ([], "run-config-value"),
        (None, "run-config-value"),
        ({"a": "x" * (1 << 20)}, "run-config-too-big"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_settings_are_json(config: Any, code: str) -> None:
    with pytest.raises((InvalidTypeError, InvalidValueError)) as refusal:
        submission.checked_config(config)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/passwd", "", "a", ".a.csv", "A.csv", "a.csv\n", "a/b.csv", "-.csv"]
)
def test_files_have_our_names(name: str, tmp_path: Path) -> None:
    (tmp_path / "up").write_text("x")
    with pytest.raises(DataFileError) as refusal:
        submission.copy_inputs({name: tmp_path / "up"}, tmp_path / "in")
    assert refusal.value.code == "run-input-name"


def test_files_are_regular_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    for source in (tmp_path / "link", tmp_path / "gone", tmp_path, Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(DataFileError) as refusal:
            submission.copy_inputs({"a.csv": source}, tmp_path / "in")
        assert refusal.value.code == "run-input-file"
    monkeypatch.setattr(submission, "INPUT_BYTES", 3)
    (tmp_path / "up").write_text("four")
    with pytest.raises(DataFileError) as refusal:
        submission.copy_inputs({"a.csv": tmp_path / "up"}, tmp_path / "in")
    assert refusal.value.code == "run-input-too-big"


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    with open_supervisor(tmp_path, background=False, starts=False) as runs:
        with pytest.raises(DataFileError):
            runs.submit(ANN, "count", {}, inputs={"a.csv": tmp_path / "channel.json", "b.csv": tmp_path})
        assert list(layout.runs_folder(tmp_path).iterdir()) == []


@pytest.mark.parametrize(
    ("outcome", "returncode", "stop", "state", "code"),
    [
        (Outcome("complete", 1), 0, "cancel", "complete", None),
        (Outcome("stopped", 1), 0, "cancel", "cancelled", None),
        (Outcome("stopped", 1), 0, "time-limit", "failed", "time-limit"),
        (Outcome("stopped", 1), 0, None, "interrupted", "shut-down"),
        (None, -9, "cancel", "cancelled", None),
        (None, -9, None, "failed", "killed"),
        (None, None, None, "interrupted", "interrupted"),
        (None, -15, None, "interrupted", "shut-down"),
        (None, 74, None, "failed", "disk-full"),
        (None, 1, None, "failed", "crashed"),
        (None, -11, None, "failed", "crashed"),
        (None, -64, None, "failed", "crashed"),
    ],
)
def test_judging_an_end(
    outcome: Outcome | None, returncode: int | None, stop: str | None, state: str, code: str | None
) -> None:
    found, reason = judge(outcome, returncode, stop)
    assert (found, reason.code if reason else None) == (state, code)


@settings(max_examples=40)
@given(data=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_what_a_child_leaves_is_read_whatever_it_holds(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "outcome.json"
    path.write_bytes(data)
    assert read_outcome(path, 1) is None
    assert row_from(get_json(path)) is None


@pytest.mark.parametrize("column", COLUMNS)
def test_a_record_with_a_wrong_column_is_none(column: str) -> None:
    good = a_row(owner_hash(ANN), 1).__dict__
    assert row_from(good) == Row(**good)
    assert row_from({**good, column: [1]}) is None
    assert row_from({**good, "other": 1}) is None
    assert row_from({**good, "state": "lost"}) is None


def test_whose_turn_it_is() -> None:
    a1, a2, b1 = a_row("a", 1), a_row("a", 2), a_row("b", 3)
    one, two = Limits(), Limits(running=2)
    assert next_to_start([a1, a2, b1], [], one) == a1
    assert next_to_start([a2, b1], [a1], one) is None
    assert next_to_start([a2, b1], [a1], two) == b1
    assert next_to_start([a2], [a1], two) is None
    assert next_to_start([a2], [a1], replace(two, running_per_owner=2)) == a2
    assert next_to_start([], [], one) is None


@settings(max_examples=60)
@given(config=SETTINGS, name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20))
def test_settings_go_out_and_come_back(config: dict[str, Any], name: str) -> None:
    run = a_run(config=config, name=name, note="two\nlines")
    expected = {"kind": "count", "name": name, "note": "two\nlines", "config": json.loads(json.dumps(config))}
    for written in (exports.to_yaml(run), exports.to_json(run)):
        assert json.dumps(exports.from_text(written)) == json.dumps(expected)


BOMB = "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a]\n" for n in range(30))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "run-settings-format"),
        ("- 1", "run-settings-format"),
        ("format: 2\nkind: count\nsettings: {}", "run-settings-format"),
        ("format: 1\nkind: count", "run-settings-format"),
        ("format: 1\nkind: 5\nsettings: {}", "run-settings-format"),
        ("format: 1\nkind: count\nsettings: {}\nother: 1", "run-settings-format"),
        ("format: 1\nkind: count\nsettings: {when: 2026-01-01}", "run-config-value"),
        ("format: 1\nkind: count\nsettings: {x: .nan}", "run-config-value"),
        ("format: 1\nkind: count\nsettings: {1: 2}", "run-config-value"),
        ("format: 1\nkind: !!python/object/apply:os.system ['true']\nsettings: {}", "run-settings-broken"),
        ("{", "run-settings-broken"),
        ("[" * 5000, "run-settings-broken"),
        (BOMB, "run-settings-broken"),
        ("x" * (1 << 21), "run-settings-too-big"),
        ("a: \0", "run-settings-broken"),
    ],
    ids=lambda value: str(value)[:40].encode("unicode_escape").decode(),
)
def test_foreign_settings_are_refused(written: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as refusal:
        exports.from_text(written)
    assert refusal.value.code == code


def test_what_differs_between_settings() -> None:
    one = {"lr": 1, "same": [1], "loss": {"name": "a", "scale": 20}}
    two = {"lr": 1.0, "same": [1], "loss": {"name": "b", "scale": 20}, "new": None}
    assert differences([one, two]) == {"loss.name": ("a", "b"), "lr": (1, 1.0)}


def test_two_runs_side_by_side() -> None:
    lines = [{"step": n, "values": {"loss": 1.0 / n}} for n in (1, 2, 3)]
    lines = [*lines, {"resumed_from": 2}, {"step": 3, "values": {"loss": None}}]
    found = side_by_side(
        [a_run(), a_run(config={"lr": 1})], [lines, []], [{"eval": {"p": 0.5, "n": "x"}}, None]
    )
    assert found.differences == {"lr": (None, 1)}
    assert found.curves == {"loss": (((1, 1.0), (2, 0.5), (3, None)), ())}
    assert found.results == {"eval.p": (0.5, None)}
    json.dumps(found.to_dict(), allow_nan=False)
    for count in (0, 1, 5):
        with pytest.raises(InvalidValueError, match="runs-to-compare"):
            side_by_side([a_run()] * count, [[]] * count, [None] * count)


def test_the_words_of_the_command_line(tmp_path: Path) -> None:
    with open_supervisor(tmp_path) as runs:
        assert text.list_runs(runs) == "No runs."
        ids = [
            runs.submit(owner, "count", {"steps": steps}, name="a\u202eb \x1b"[:4], note="n").id
            for owner, steps in ((ANN, 3), (BEN, 4))
        ]
        for run_id in ids:
            runs.wait(OPERATOR, run_id, 30)
        listed = text.list_runs(runs)
        assert listed.splitlines()[0].split() == ["id", "state", "steps", "time", "name"]
        assert all(run_id in listed for run_id in ids) and "\u202e" not in listed
        assert [run["id"] for run in json.loads(text.list_runs(runs, as_json=True))] == [*reversed(ids)]
        assert text.list_runs(runs, state="failed") == "No runs."
        with pytest.raises(UnknownNameError, match="run-state"):
            text.list_runs(runs, state="lost")
        shown = text.show_run(runs, ids[0])
        assert "complete" in shown and "3/3" in shown and '"sum"' in shown
        assert json.loads(text.show_run(runs, ids[0], as_json=True))["result"] is not None
        assert text.cancel_run(runs, ids[0]) == f"{ids[0]} complete"
        with pytest.raises(InvalidValueError, match="run-complete"):
            text.resume_run(runs, ids[0])
        table = text.compare_runs(runs, ids)
        assert "steps" in table and "settings that differ" in table and "loss" in table
        found = json.loads(text.compare_runs(runs, ids, as_json=True))
        assert found["differences"] == {"steps": [3, 4]} and len(found["curves"]["loss"][1]) == 4
        with pytest.raises(UnknownNameError, match="run-unknown"):
            text.show_run(runs, "../../etc/passwd")


def test_a_stopped_run_is_resumed_from_the_command_line(tmp_path: Path) -> None:
    with open_supervisor(tmp_path, background=False, starts=False) as runs:
        run_id = runs.submit(ANN, "count", {"steps": 2}).id
        assert text.cancel_run(runs, run_id) == f"{run_id} cancelled"
    with open_supervisor(tmp_path) as runs:
        assert text.resume_run(runs, run_id) in (f"{run_id} running", f"{run_id} complete")
        assert runs.wait(OPERATOR, run_id, 30).state == "complete"


def test_a_time_is_read_at_a_glance() -> None:
    assert [text.duration(seconds) for seconds in (0, 59.9, 61, 3725.4)] == [
        "0:00:00",
        "0:00:59",
        "0:01:01",
        "1:02:05",
    ]


def test_the_command_line_for_runs_loads_nothing_heavy() -> None:
    code = (
        "import sys, workbench.runs.text, workbench.runs.connect, workbench.runs.exports\n"
        "print(sorted({'torch', 'numpy', 'gradio', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
