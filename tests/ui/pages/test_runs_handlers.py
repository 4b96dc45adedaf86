"""What the Runs page shows, over a real supervisor whose children count; no browser, no torch."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from tests.runs.harness import ANN, BEN, QUICK, until
from workbench.errors import InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.runs.exports import to_python
from workbench.runs.supervisor import Supervisor
from workbench.ui.pages.runs_handlers import ACTIONS, ROWS, annotate, ids_of, look, wish_of
from workbench.ui.run_files import run_file
from workbench.ui.run_reports import REPORTS, Reports
from workbench.ui.widgets.run_table import MAX_COMPARED, run_table

_SLOW = {"steps": 400, "step_seconds": 0.05}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    with Supervisor(tmp_path_factory.mktemp("home"), limits=replace(QUICK, running=2, queued=500)) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(runs):
    """Two complete runs of Ann that differ in their seed."""
    found = [
        runs.submit(ANN, "count", {"steps": 5, "seed": seed}, name=f"seed {seed}", note="of the plan")
        for seed in (1, 2)
    ]
    return [runs.wait(ANN, run.id, 60) for run in found]


def _wish(**more):
    return replace(wish_of("en", ANN), **more)


def test_the_table_lists_my_runs_and_nobody_elses(runs, finished):
    shown = look(runs, _wish()).markup["table"]
    assert all(run.id in shown and run.name in shown for run in finished)
    assert shown.count("complete") >= 2 and "5 / 5" in shown
    others = look(runs, wish_of("en", BEN)).markup["table"]
    assert not any(run.id in others for run in finished)


def test_an_opened_run_shows_everything_and_only_to_its_owner(runs, finished):
    run = finished[0]
    view = look(runs, _wish(opened=run.id))
    assert view.run == run and view.visible["panel"]
    assert run.id in view.markup["facts"] and "seed 1" in view.markup["facts"]
    assert "<svg" in view.markup["curves"] and "Loss" in view.markup["curves"]
    assert str(runs.result(ANN, run.id)["word"]) in view.markup["result"]
    theirs = look(runs, replace(_wish(opened=run.id), owner=BEN))
    assert theirs.run is None and not theirs.visible["panel"]
    assert run.id not in "".join(theirs.markup.values())


def test_a_filter_takes_text_and_state(runs, finished):
    assert finished[1].id not in look(runs, _wish(text="seed 1")).markup["table"]
    assert finished[0].id in look(runs, _wish(text="seed 1")).markup["table"]
    assert "No run here yet" in look(runs, _wish(state="failed")).markup["table"]
    with pytest.raises(InvalidValueError, match="run-text-too-long"):
        look(runs, _wish(text="x" * 1000))


def test_two_runs_lie_side_by_side_by_their_difference(runs, finished):
    view = look(runs, _wish(chosen=tuple(run.id for run in finished)))
    assert ">seed<" in view.markup["differences"] and ">steps<" not in view.markup["differences"]
    assert view.markup["overlaid"].count("<path") == 2
    assert "cv-line c1" in view.markup["overlaid"]
    sums = [f"{runs.result(ANN, run.id)['sum']:,}" for run in finished]
    assert all(one in view.markup["metrics"] for one in sums)
    one = look(runs, _wish(chosen=(finished[0].id,)))
    assert "Tick 2 to 4" in one.markup["differences"] and not one.markup["overlaid"]
    # Of someone else's runs nothing is compared.
    theirs = look(runs, replace(_wish(chosen=tuple(run.id for run in finished)), owner=BEN))
    assert not theirs.visible["compared"]


def test_the_fifth_box_cannot_be_ticked(runs, finished):
    four = tuple(run.id for run in finished) * 2
    assert len(ids_of([*four, "20260101-000000-00000000"])) == 3
    assert len(ids_of([f"20260101-000000-0000000{place}" for place in range(9)])) == MAX_COMPARED
    shown = look(runs, _wish(chosen=tuple(run.id for run in finished))).markup["table"]
    assert shown.count('checked=""') == 2 and "disabled" not in shown
    many = run_table(runs.list(ANN), {}, "en", chosen=("a", "b", "c", "d"))
    assert many.count("disabled") == many.count("checkbox") > 0
    assert ids_of("text") == () and ids_of([None, 5, "../etc", ["x"]]) == ()


def test_a_run_is_watched_cancelled_resumed_and_done_again(runs):
    run = runs.submit(ANN, "count", _SLOW, name="slow")
    until(lambda: runs.show(ANN, run.id).step > 2)
    view = look(runs, _wish(opened=run.id))
    assert view.active and view.visible["cancel"] and not view.visible["delete"]
    assert "running" in view.markup["table"] and "wb-bar" in view.markup["table"]
    before = len(REPORTS.lines(runs, ANN, run.id))
    until(lambda: len(REPORTS.lines(runs, ANN, run.id)) > before)

    wish = ACTIONS["cancel"](runs, _wish(opened=run.id), "")
    runs.wait(ANN, run.id, 60)
    view = look(runs, wish)
    assert view.visible["resume"] and view.visible["rerun"] and not view.visible["cancel"]
    reached = runs.show(ANN, run.id).step

    ACTIONS["resume"](runs, wish, "")
    until(lambda: runs.show(ANN, run.id).attempt == 2 and runs.show(ANN, run.id).step > reached)
    steps = [line["step"] for line in REPORTS.lines(runs, ANN, run.id)]
    assert steps == list(range(1, len(steps) + 1))
    ACTIONS["cancel"](runs, wish, "")
    runs.wait(ANN, run.id, 60)

    again = ACTIONS["rerun"](runs, wish, "key-1")
    assert again.opened != run.id
    assert ACTIONS["rerun"](runs, wish, "key-1").opened == again.opened
    assert runs.show(ANN, again.opened).rerun_of == run.id
    assert run.id in look(runs, again).markup["facts"]
    runs.cancel(ANN, again.opened)
    runs.wait(ANN, again.opened, 60)
    left = ACTIONS["delete_sure"](runs, replace(again, chosen=(again.opened, run.id)), "")
    assert left.opened == "" and left.chosen == (run.id,)
    with pytest.raises(UnknownNameError):
        runs.show(ANN, again.opened)


def test_nobody_else_can_do_anything_to_a_run(runs, finished):
    theirs = replace(_wish(opened=finished[0].id), owner=BEN)
    for action in ACTIONS.values():
        with pytest.raises(UnknownNameError, match="run-unknown"):
            action(runs, theirs, "")
    with pytest.raises(UnknownNameError, match="run-unknown"):
        annotate(runs, theirs, "mine", "")
    for kind in ("yaml", "python", "proof"):
        with pytest.raises(UnknownNameError, match="run-unknown"):
            run_file(runs, BEN, finished[0].id, kind)
    with pytest.raises(UnknownNameError, match="run-unknown"):
        REPORTS.lines(runs, BEN, finished[0].id)
    with pytest.raises(UnknownNameError, match="run-unknown"):
        REPORTS.result(runs, BEN, finished[0])


def test_waiting_runs_show_their_place(runs):
    slow = [runs.submit(ANN, "count", _SLOW) for _ in range(3)]
    until(lambda: runs.show(ANN, slow[0].id).state == "running")
    shown = look(runs, _wish()).markup["table"]
    assert "queued, place 1" in shown and "queued, place 2" in shown
    assert "대기 2번째" in look(runs, _wish(language="ko")).markup["table"]
    for run in reversed(slow):
        runs.cancel(ANN, run.id)
    for run in slow:
        runs.wait(ANN, run.id, 60)


def test_more_rows_are_shown_at_a_click(runs):
    assert len(runs.list(ANN)) > 2
    view = look(runs, _wish(rows=2))
    assert view.markup["table"].count("data-open") == 2 and view.visible["more"]
    view = look(runs, _wish(rows=100))
    assert view.markup["table"].count("data-open") == len(runs.list(ANN)) and not view.visible["more"]


def test_a_failed_run_says_why_and_no_name_is_markup(runs):
    run = runs.submit(ANN, "count", {"steps": -1}, name="<img src=x onerror=alert(1)>", note="<b>")
    runs.wait(ANN, run.id, 60)
    view = look(runs, _wish(opened=run.id, chosen=(run.id,)))
    assert "It failed:" in view.markup["facts"] and "count-setting" in view.markup["facts"]
    assert "<img" not in "".join(view.markup.values())


def test_name_and_note_are_kept_and_checked(runs, finished):
    wish = _wish(opened=finished[1].id)
    run = annotate(runs, wish, "  new name ", "line one\nline two")
    assert (run.name, run.note) == ("new name", "line one\nline two")
    annotate(runs, wish, "seed 2", "of the plan")
    with pytest.raises(InvalidTypeError, match="not-text"):
        annotate(runs, wish, {"a": 1}, "")
    with pytest.raises(InvalidValueError, match="run-text-too-long"):
        annotate(runs, wish, "x" * 201, "")


def test_a_wish_of_anything_is_a_wish():
    wish = wish_of(None, None, None, {"x": 1}, "many", 7, {"a": 1})
    assert (wish.language, wish.state, wish.rows, wish.opened, wish.chosen) == ("en", None, ROWS, "", ())
    assert len(wish.owner) == 32
    assert wish_of("ko", ANN, " a ", "failed", 10**9).rows == 3_000
    with pytest.raises(InvalidTypeError, match="not-text"):
        wish_of("en", ANN, ["text"])


def test_settings_program_and_proofs_can_be_taken(runs, finished):
    run = finished[0]
    settings = yaml.safe_load(run_file(runs, ANN, run.id, "yaml").read_text())
    assert settings["settings"] == {"steps": 5, "seed": 1} and settings["kind"] == "count"
    with pytest.raises(InvalidValueError, match="run-without-program"):
        run_file(runs, ANN, run.id, "python")
    with pytest.raises(UnknownNameError, match="proof-missing"):
        run_file(runs, ANN, run.id, "proof")
    for kind in ("exe", None, 5):
        with pytest.raises(UnknownNameError, match="unknown-format"):
            run_file(runs, ANN, run.id, kind)
    folder = runs.run_folder(ANN, run.id)
    (folder / "proof-own.html").write_text("<p>own</p>")
    assert run_file(runs, ANN, run.id, "proof").read_text() == "<p>own</p>"
    (folder / "proof-upstream.html").write_text("<p>upstream</p>")
    (folder / "proof-evil.html").symlink_to("/etc/passwd")
    packed = zipfile.ZipFile(run_file(runs, ANN, run.id, "proof"))
    assert packed.namelist() == ["proof-own.html", "proof-upstream.html"]


def test_reports_of_runs_looked_at_long_ago_are_let_go(runs, finished):
    few = Reports(max_lines=7)
    for run in (*finished, *finished):
        assert [line["step"] for line in few.lines(runs, ANN, run.id)] == [1, 2, 3, 4, 5]
        assert sum(len(kept.lines) for kept in few._kept.values()) <= 7


def test_the_program_of_a_training_holds_its_settings_and_compiles(finished):
    config = {"training": {"epochs": 2, "data": {"source": "support-desk"}}, "ways": ["own"], "seeds": 3}
    tree = ast.parse(to_python(replace(finished[0], kind="train", config=config)))
    found = {
        one.targets[0].id: ast.literal_eval(one.value)
        for one in tree.body
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    assert found == {"SETTINGS": config["training"], "WAYS": ["own"], "SEEDS": 3}


def test_of_a_run_with_several_trainings_the_first_is_overlaid(runs, finished, monkeypatch):
    lines = [
        {"step": step, "total": 4, "values": {"loss": 1.0 * step, "way": 0, "seed": 42 + (step > 2)}}
        for step in range(1, 5)
    ]
    trained = [replace(run, kind="train", config={"ways": ["own"], "seeds": 2}) for run in finished]
    monkeypatch.setattr(runs, "show", lambda owner, run_id: next(r for r in trained if r.id == run_id))
    monkeypatch.setattr(REPORTS, "lines", lambda *_: lines)
    view = look(runs, _wish(opened=trained[0].id, chosen=tuple(run.id for run in trained)))
    assert "own · 42" in view.markup["curves"] and "own · 43" in view.markup["curves"]
    assert view.markup["overlaid"].count("<path") == 2
    assert "the first is drawn: own · 42, own · 42" in view.markup["overlaid"]
