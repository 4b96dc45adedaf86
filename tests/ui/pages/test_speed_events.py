"""The Speed page's form, events and view, on made-up results and a real supervisor."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.made_up_bench import CONDITIONS, PLAN, SECONDS, made_up
from tests.models.tiny import write_upstream
from tests.runs.harness import ANN, BEN, QUICK, wait_for_step
from workbench.compare.bench_plan import BenchPlan, checked_plan
from workbench.compare.bench_results import bench_dict, bench_from_dict
from workbench.errors import WorkbenchError
from workbench.runs.supervisor import Supervisor
from workbench.ui import runs_home
from workbench.ui.pages import speed_events as events
from workbench.ui.pages.speed_form import DEFAULTS, FIELDS, own_texts, wish_of
from workbench.ui.pages.speed_view import status_html, verdict_html

_WORKER = (sys.executable, "-P", "-m", "tests.runs.made_up_worker")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_upstream(tmp_path_factory.mktemp("tiny") / "model", "bert"))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "home", limits=QUICK, worker=_WORKER) as opened:
        monkeypatch.setattr(runs_home, "runs", lambda: opened)
        monkeypatch.setattr(events, "runs", lambda: opened)
        yield opened


def form(**changes: Any) -> list[Any]:
    return [changes.get(name, DEFAULTS[name]) for name in FIELDS]


def request(**query: str) -> Any:
    return SimpleNamespace(query_params=query, headers={})


def stored(runs: Supervisor, result: Any) -> str:
    """A complete run with a chosen result."""
    run = runs.submit(ANN, "bench", {"result": bench_dict(result)}, name="made up")
    assert runs.wait(ANN, run.id, 60).state == "complete"
    return run.id


def test_the_untouched_form_is_the_default_plan() -> None:
    assert wish_of(form()).plan == BenchPlan()
    assert checked_plan(wish_of(form()).settings()["plan"]) == BenchPlan()


def test_texts_go_along_as_a_file_and_not_in_the_settings() -> None:
    wish = wish_of(form(corpora=["yours"], pasted="one\n\n  \n두 번째\n", device="both", batch_sizes=["8"]))
    assert wish.plan.own_texts == ("one", "두 번째") and wish.plan.devices == ("cpu", "cuda")
    assert "own_texts" not in wish.settings()["plan"]
    with wish.inputs() as files:
        assert json.loads(files["texts.json"].read_text()) == ["one", "두 번째"]
    with wish_of(form()).inputs() as files:
        assert files == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"contenders": []}, "bench-empty"),
        ({"contenders": "own"}, "not-a-list"),
        ({"corpora": ["yours"]}, "bench-without-texts"),
        ({"corpora": ["yours"], "pasted": "a\n" * 1001}, "bench-too-many-texts"),
        ({"corpora": ["yours"], "file": "/etc/passwd"}, "not-an-upload"),
        ({"device": "tpu"}, "unknown-choice"),
        ({"batch_sizes": ["x"]}, "not-a-number"),
        ({"rounds": 2.5}, "not-whole"),
        ({"rounds": None}, "not-a-number"),
        ({"words": 1}, "setting-range"),
        ({"model": 3}, "not-text"),
        ({"baseline": "manual", "contenders": ["own"]}, "bench-baseline"),
    ],
)
def test_what_is_wrong_in_the_form_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        wish_of(form(**changes))
    assert caught.value.code == code


@given(
    st.sampled_from(FIELDS), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()), st.floats())
)
def test_any_value_of_a_control_is_a_plan_or_a_refusal(name: str, value: Any) -> None:
    try:
        assert isinstance(wish_of(form(**{name: value})).plan, BenchPlan)
    except WorkbenchError as error:
        assert error.code


def test_pasted_lines_are_texts() -> None:
    assert own_texts("a\n b \n", None) == ["a", " b "]
    assert own_texts(None, "") == []


def test_an_error_of_the_form_is_told_and_nothing_starts(runs: Supervisor) -> None:
    changes = events.start("en", ANN, "key", "search", *form(contenders=[]))
    assert set(changes) == {"error"} and "bench-empty" in changes["error"]
    assert runs.list(ANN) == []


def test_a_measurement_is_started_once_watched_cancelled_and_found_again(runs: Supervisor, tiny: str) -> None:
    fields = form(
        contenders=["own"], baseline="own", model=tiny, rounds=120, budget_seconds=3000, words=20_000,
        memory=False, tradeoff=False,
    )  # fmt: skip
    # The model's folder is held to the app's root elsewhere; here it is the one that the test made.
    changes = events.start("en", ANN, "key", "search", *fields)
    assert changes["error"] == "", changes["error"]
    run_id = changes["state.run"]
    assert events.start("en", ANN, "key", "search", *fields)["state.run"] == run_id
    assert len(runs.list(ANN)) == 1
    assert changes["timer"].active and changes["result_panel"] == gr.update(visible=False)
    wait_for_step(runs, runs.show(ANN, run_id))
    found = events.poll("ko", ANN, run_id, "", "search")
    assert "남음" in found["status"]
    again = events.poll("ko", ANN, run_id, found["state.seen"], "search")
    assert set(again) == {"status", "state.run", "state.seen"}
    assert events.arrive("en", ANN, "search", request())["state.run"] == run_id
    # Nobody else sees it.
    assert "state.run" not in events.arrive("en", BEN, "search", request(run=run_id))
    events.cancel("en", ANN, run_id, "search")
    runs.wait(ANN, run_id, 60)
    ended = events.poll("en", ANN, run_id, "", "search")
    assert "Cancelled" in ended["status"] and not ended["timer"].active


def test_a_failed_measurement_says_why(runs: Supervisor) -> None:
    run = runs.submit(ANN, "bench", {"plan": {"model": "no-such-model"}})
    runs.wait(ANN, run.id, 60)
    assert "no-such-model" in events.poll("en", ANN, run.id, "", "search")["status"]


def test_a_result_is_shown_beside_its_older_ones_and_taken_away(runs: Supervisor) -> None:
    before = replace(CONDITIONS, date_utc="2026-10-01T00:00:00+00:00")
    slower = {**SECONDS, "own": tuple(1.25 * one for one in SECONDS["own"])}
    old = stored(runs, made_up(slower, conditions=before))
    new = stored(runs, made_up())
    stored(runs, made_up(plan=replace(PLAN, words=7)))
    changes = events.open_earlier("en", ANN, new, "bytes")
    assert changes["error"] == "" and changes["result_panel"] == gr.update(visible=True)
    assert "times as fast" in changes["verdict"]
    assert "2026-10-01" in changes["earlier"] and "1.25" in changes["earlier"]
    assert len(changes["earlier_choice"]["choices"]) == 3
    assert changes["tradeoff_plot"].layout.xaxis.title.text == "bytes a vector"
    assert changes["command"].startswith("python -m workbench bench")
    assert "def upstream():" in changes["program"]
    assert "No earlier result" in events.open_earlier("en", ANN, old, "bytes")["earlier"]
    assert events.arrive("en", ANN, "x", request(run=new))["state.run"] == new
    taken = json.loads(Path(events.DOWNLOADS["json"]("en", ANN, new)).read_text(encoding="utf-8"))
    assert bench_from_dict(taken).plan_hash == made_up().plan_hash
    rows = Path(events.DOWNLOADS["csv"]("en", ANN, new)).read_bytes()
    assert rows.startswith(b"\xef\xbb\xbf") and rows.count(b"\n") == 8


@pytest.mark.parametrize("run_id", ["", None, 3, "../../etc", "20260101-000000-00000000"])
def test_a_run_that_is_none_leaves_the_page_as_it_is(runs: Supervisor, run_id: Any) -> None:
    for event in (events.cancel, events.show_again, events.open_earlier):
        changes = event("en", ANN, run_id, "search")
        assert set(changes) <= {"error"}
    assert not events.poll("en", ANN, run_id, "", "search")["timer"].active


def test_a_run_of_another_kind_is_not_shown(runs: Supervisor) -> None:
    run = runs.submit(ANN, "count", {"steps": 1})
    runs.wait(ANN, run.id, 60)
    changes = events.arrive("en", ANN, "search", request(run=run.id))
    assert "state.run" not in changes and "not here" in changes["error"]


def test_the_runs_page_leads_here(runs: Supervisor) -> None:
    from workbench.ui.pages.runs_handlers import look
    from workbench.ui.pages.runs_handlers import wish_of as run_wish

    run_id = stored(runs, made_up())
    shown = look(runs, run_wish("ko", ANN, opened=run_id)).markup
    facts = shown["facts"]
    assert "own · float32 · 32" in shown["result"] and "100.0" in shown["result"]
    assert "plan_hash" not in shown["result"]
    assert f"speed?run={run_id}&amp;lang=ko" in facts and "속도 페이지" in facts


@pytest.mark.parametrize(
    ("result", "told", "tone"),
    [
        (made_up(), "times as fast as upstream", "good"),
        (made_up(busy=0.4), "other processes used 40%", "warn"),
        (made_up({name: found[:2] for name, found in SECONDS.items()}), "2 rounds are too few", "warn"),
        (made_up({"upstream": SECONDS["upstream"]}), "only upstream (32) was measured", "wait"),
        (made_up({}), "Nothing could be measured", "warn"),
    ],
    ids=["winner", "busy", "few", "alone", "nothing"],
)
def test_the_verdict_is_the_winner_or_the_reason(result: Any, told: str, tone: str) -> None:
    found = verdict_html(result, "en")
    assert told in found and f" {tone}" in found
    assert verdict_html(result, "ko") != found


def test_every_state_has_its_words(runs: Supervisor) -> None:
    run = runs.submit(ANN, "count", {"steps": 1})
    done = runs.wait(ANN, run.id, 60)
    for language in ("en", "ko"):
        for state in ("queued", "running", "complete", "failed", "cancelled", "interrupted"):
            assert status_html(replace(done, state=state), [], language)
        running = replace(done, state="running", total=1000, step=10)
        for stage in range(8):
            line = {"step": 10, "values": {"stage": float(stage), "seconds_left": 12.4}}
            assert "12" in status_html(running, [line], language)
        assert status_html(replace(running, stopping=True), [], language)
