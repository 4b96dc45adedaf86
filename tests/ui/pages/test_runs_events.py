"""The events of the Runs page: only what has changed is sent, and an error leaves the page as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from tests.runs.harness import ANN, BEN, QUICK, until
from workbench.errors import UnknownNameError
from workbench.runs.supervisor import Supervisor
from workbench.ui import runs_home
from workbench.ui.app import build_app
from workbench.ui.pages import runs_events as events
from workbench.ui.pages.runs_handlers import ROWS


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "home", limits=QUICK) as opened:
        monkeypatch.setattr(runs_home, "runs", lambda: opened)
        yield opened


def _request(**query):
    return SimpleNamespace(query_params=query, headers={})


def _wish(seen, *, owner=ANN, text="", state="", rows=ROWS, opened="", chosen=()):
    return ("en", owner, text, state, rows, opened, list(chosen), seen)


def _done(runs, **more):
    return runs.wait(ANN, runs.submit(ANN, "count", {"steps": 3}, **more).id, 60)


def test_a_new_visitor_gets_a_secret_and_an_empty_list(runs):
    changes = events.arrive("en", "", _request())
    assert len(changes["owner"]) == 32 and "No run here yet" in changes["table"]
    assert changes["panel"] == gr.update(visible=False)
    assert events.arrive("en", changes["owner"], _request())["owner"] == changes["owner"]


def test_a_link_opens_the_run_of_its_owner_alone(runs):
    run = _done(runs, name="mine", note="a note")
    changes = events.arrive("ko", ANN, _request(run=run.id))
    assert changes["opened"] == run.id and "완료" in changes["facts"]
    assert (changes["name"], changes["note"]) == ("mine", "a note")
    for owner, link in ((BEN, run.id), (ANN, "../../etc"), (ANN, "20260101-000000-00000000")):
        changes = events.arrive("en", owner, _request(run=link))
        assert changes["opened"] == "" and run.name not in changes["facts"]


def test_a_tick_sends_only_what_changed_and_stops_when_nothing_goes_on(runs):
    run = runs.submit(ANN, "count", {"steps": 60, "step_seconds": 0.02}, name="slow")
    changes = events.arrive("en", ANN, _request(run=run.id))
    assert changes["timer"].active
    until(lambda: runs.show(ANN, run.id).step > 3)
    ticked = events.tick(*_wish(changes["seen"], opened=run.id))
    assert {"table", "facts", "curves"} <= set(ticked)
    # Name and note may be half written just now.
    assert not {"name", "note", "opened", "panel", "timer"} & set(ticked)
    runs.wait(ANN, run.id, 60)
    last = events.tick(*_wish(ticked["seen"], opened=run.id))
    assert not last["timer"].active and "complete" in last["table"]
    assert set(events.tick(*_wish(last["seen"], opened=run.id))) == {"seen"}


def test_a_tick_that_fails_says_so_once_and_stops(runs, monkeypatch):
    def away():
        raise UnknownNameError("run-unknown", "x")

    monkeypatch.setattr(runs_home, "runs", away)
    changes = events.tick(*_wish({}))
    assert "run-unknown" in changes["notices"] and not changes["timer"].active


def test_choosing_and_filtering_and_more(runs):
    one, two = _done(runs, name="one"), _done(runs, name="two")
    seen = events.arrive("en", ANN, _request())["seen"]
    language, *rest = _wish(seen)
    chosen = events.choose_runs(language, [one.id, two.id], *rest)
    assert chosen["chosen"] == [one.id, two.id] and chosen["compared"] == gr.update(visible=True)
    assert "Their settings are the same" in chosen["differences"]
    found = events.filtered(*_wish(seen, text="two", rows=300))
    assert found["rows"] == ROWS and "one" not in found["table"]
    assert events.more(*_wish(seen))["rows"] == 2 * ROWS


def test_deleting_is_asked_for_once_more_and_closes_the_run(runs):
    run = _done(runs)
    seen = events.arrive("en", ANN, _request(run=run.id))["seen"]
    assert events.ask("en", True)["sure"] == gr.update(visible=True)
    language, *rest = _wish(seen, opened=run.id, chosen=[run.id])
    changes = events.act(language, "delete_sure", "", *rest)
    assert changes["opened"] == "" and changes["chosen"] == []
    assert changes["panel"] == gr.update(visible=False)
    assert runs.list(ANN) == []


def test_an_error_is_told_and_nothing_else_changes(runs):
    run = _done(runs)
    language, *rest = _wish({}, opened=run.id, owner=BEN)
    mine = _wish({}, opened=run.id)[1:]
    for changes, code in (
        (events.act(language, "cancel", "", *rest), "run-unknown"),
        (events.save(language, "mine", "", *rest), "run-unknown"),
        (events.take(language, "yaml", *rest), "run-unknown"),
        (events.act(language, "resume", "", *mine), "run-complete"),
        (events.save(language, "a\x07b", "", *mine), "run-text-character"),
        (events.filtered(*_wish("not a mapping")), "not-a-look"),
        (events.choose_runs(language, [], *mine[:-1], 5), "not-a-look"),
    ):
        assert set(changes) == {"told"} and f"[{code}]" in changes["told"]


def test_name_and_note_are_saved_and_a_file_is_written(runs):
    run = _done(runs)
    language, *rest = _wish({}, opened=run.id)
    changes = events.save(language, "the name", "the note", *rest)
    assert changes["name"] == "the name" and "the name" in changes["table"]
    assert "Name and note are kept." in changes["told"]
    assert runs.show(ANN, run.id).note == "the note"
    taken = events.take(language, "yaml", *rest)
    assert Path(taken["file"]).read_text().startswith("format: 1") and taken["told"] == ""


def test_every_language_says_everything_anew(runs):
    run = _done(runs)
    seen = events.arrive("en", ANN, _request(run=run.id))["seen"]
    _, *rest = _wish(seen, opened=run.id)
    spoken = events.speak("ko", *rest)
    assert "완료" in spoken["table"] and "손실" in spoken["curves"]


def test_the_page_is_a_route_whose_events_are_light_and_private():
    app = build_app()
    own = [event for event in app.fns.values() if event.page == "runs"]
    assert len(own) > 15
    assert all(not event.queue or event.fn is None for event in own)
    assert all(event.api_visibility == "private" for event in own)
