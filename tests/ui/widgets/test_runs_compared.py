"""Runs side by side, from real proofs: every number of a row is the proof's own, and nothing is markup."""

from __future__ import annotations

import re

import pytest

from tests.compare.test_proof import proof
from workbench.compare.proof_report import proof_dict
from workbench.runs.record import Run
from workbench.ui.widgets.html import decimal
from workbench.ui.widgets.run_facts import facts_html, log_html, result_html, seconds_left
from workbench.ui.widgets.run_table import best_score, outcomes_of, run_table, what_of
from workbench.ui.widgets.runs_compared import metrics_html

_EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def found():
    return proof()


@pytest.fixture(scope="module")
def result(found):
    training = {"way": "own", "seed": 42, "best_score": 0.8125, "final_loss": 0.25, "seconds": 3.5}
    return {
        "trainings": [training, {**training, "best_score": None}],
        "proofs": [{"way": "own", **proof_dict(found)}],
    }


def _run(**more):
    training = {"loss": {"name": "CoSENTLoss"}, "data": {"source": "support-desk"}, "model": {"name": "m"}}
    values = {
        "id": "20260101-000000-0a0a0a0a", "kind": "train", "name": "", "note": "", "state": "complete",
        "owner": "x", "config": {"training": training, "ways": ["own", "upstream"], "seeds": 3}, "place": 0,
        "step": 9, "total": 9, "loss": 0.5, "seconds": 61.0, "attempt": 1, "stopping": False, "reason": None,
        "created_at": "2026-01-01T00:00:00.000+00:00", "started_at": "", "ended_at": "", "rerun_of": "",
    }  # fmt: skip
    return Run(**{**values, **more})


def test_metrics_stand_with_the_intervals_of_their_proofs(found, result):
    markup = metrics_html([result, None, result], ["one", "two", "three"], "en")
    first = found.differences[0]
    assert first.metric == found.primary and first.low is not None and first.high is not None
    cells = [decimal(float(one)) for one in (first.reference_score, first.candidate_score, first.value)]
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    assert markup.count(row) == 2
    assert f"{decimal(first.low)} … {decimal(first.high)}" in markup
    assert markup.count(">better<") == 2 and "two" not in markup
    assert "나아짐" in metrics_html([result], ["one"], "ko")


def test_an_undefined_interval_is_told(found, result):
    proofs = [{**result["proofs"][0], "differences": [
        {**result["proofs"][0]["differences"][0], "low": None, "high": None, "value": None}]}]  # fmt: skip
    assert "undefined" in metrics_html([{"proofs": proofs}], ["one"], "en")


def test_runs_without_a_proof_say_so():
    for results in ([None, {}], [{"proofs": []}], [{"proofs": ["odd"]}]):
        assert "None of these runs" in metrics_html(results, ["one", "two"], "en")


def test_a_row_tells_what_a_run_does_and_what_came_of_it(result):
    run = _run()
    assert what_of(run, "en") == "own + upstream · CoSENTLoss · support-desk · m · 3 seeds"
    # What was left out is told by its default.
    bare = what_of(_run(config={"training": {}}), "en")
    assert bare.startswith("own · MultipleNegativesRankingLoss · support-desk · ")
    assert best_score(result) == 0.8125 and outcomes_of(result) == ["better"]
    row = run_table([run], {run.id: result}, "en")
    assert "0.8125" in row and ">better<" in row and "0:01:01" in row
    assert "loss 0.5" in run_table([run], {}, "en")


def test_the_time_left_follows_the_pace_of_the_newest_reports():
    lines = [{"step": step, "seconds": 2.0 * step, "attempt": 1, "values": {}} for step in range(1, 6)]
    running = _run(state="running", step=5, total=105)
    assert seconds_left(running, lines) == 200.0
    assert "about 0:03:20 left" in facts_html(running, "en", lines)
    assert "being judged" in facts_html(_run(state="running", step=5, total=5), "en", lines)
    again = [*lines, {"step": 6, "seconds": 1.0, "attempt": 2}]
    for run, reports in ((running, lines[:1]), (_run(), lines), (_run(state="running", total=0), lines),
                         (_run(state="running", total=9, attempt=2), again)):  # fmt: skip
        assert seconds_left(run, reports) is None


def test_a_result_lists_its_trainings(result):
    markup = result_html(result, "en")
    assert "0.8125" in markup and ">–<" in markup and ">42<" in markup and ">better<" in markup
    assert result_html(None, "en") == "" and "sum" in result_html({"sum": 5}, "en")


def test_whatever_a_config_holds_it_is_a_line_of_text():
    for config in ({}, {"training": None}, {"training": {"loss": 5}, "ways": "own", "seeds": "many"}):
        assert isinstance(what_of(_run(config=config), "en"), str)
    evil = {"training": {"loss": {"name": _EVIL}, "data": {"source": _EVIL}}, "ways": [_EVIL], "seeds": 2}
    run = _run(config=evil, name=_EVIL, kind="train")
    shown = run_table([run], {}, "en") + facts_html(run, "en") + log_html(_EVIL, "en")
    shown += metrics_html([{"proofs": [{"way": _EVIL}]}], ["x"], "en")
    assert "<script" not in shown


def test_the_log_shows_what_a_bar_last_said_and_not_more_than_its_end():
    assert "50%" not in log_html("10%\r50%\r100%\n", "en") and "100%" in log_html("10%\r50%\r100%\n", "en")
    long = log_html("\n".join(f"line {number}" for number in range(1000)), "en")
    assert len(re.findall("line ", long)) == 200 and "line 999" in long
