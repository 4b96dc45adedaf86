"""The events of the Train page called directly, with runs that a made-up supervisor keeps."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from tests.compare.test_proof_reading import proof as proof
from tests.ui.pages.test_train_form import values
from workbench.compare.proof_report import proof_dict
from workbench.errors import UnknownNameError
from workbench.persistence.source import resolve
from workbench.runs import train_job
from workbench.runs.exports import to_yaml
from workbench.runs.metrics import Metrics
from workbench.runs.owner import new_owner
from workbench.runs.record import Reason, Run
from workbench.ui import run_reports
from workbench.ui.pages import train_events as events
from workbench.ui.pages import train_live as live
from workbench.ui.pages import train_results as results
from workbench.ui.pages import train_setting_events as setting_events
from workbench.ui.pages import train_yaml_events as yaml_events

OWNER = "ab" * 16
_RUN = Run(
    id="20260101-000000-00000001", kind="train", name="", note="", state="queued", owner="", config={},
    place=1, step=0, total=0, loss=None, seconds=0.0, attempt=1, stopping=False, reason=None,
    created_at="", started_at="", ended_at="", rerun_of="",
)  # fmt: skip


class MadeUpRuns:
    """Keeps what was submitted; the states are set by the tests."""

    def __init__(self):
        self.runs, self.keys, self.results, self.lines, self.deleted = {}, {}, {}, {}, []
        self.notices = ()

    def submit(self, owner, kind, config, *, name="", key=None, inputs=None, **_):
        if (owner, key) in self.keys:
            return self.keys[owner, key]
        run = replace(
            _RUN, id=f"20260101-000000-{len(self.runs):08x}", kind=kind, config=config, name=name, owner=owner
        )
        self.runs[run.id] = self.keys[owner, key] = run
        self.inputs = {name: path.read_bytes() for name, path in (inputs or {}).items()}
        return run

    def show(self, owner, run_id):
        run = self.runs.get(run_id)
        if run is None or run.owner != owner:
            raise UnknownNameError("run-unknown", repr(run_id))
        return run

    def put(self, run_id, **changed):
        self.runs[run_id] = replace(self.runs[run_id], **changed)

    def list(self, owner, **_):
        return [run for run in self.runs.values() if run.owner == owner]

    def metrics_since(self, owner, run_id, offset=0):
        lines = self.lines.get(run_id, [])
        return Metrics(tuple(lines[offset:]), len(lines))

    def log_tail(self, owner, run_id, limit=0):
        self.show(owner, run_id)
        return "<b>loaded</b>\nready"

    def result(self, owner, run_id):
        self.show(owner, run_id)
        return self.results.get(run_id)

    def cancel(self, owner, run_id):
        self.show(owner, run_id)
        self.put(run_id, state="cancelled")
        return self.runs[run_id]

    def resume(self, owner, run_id):
        self.put(run_id, state="queued")
        return self.show(owner, run_id)

    def delete(self, owner, run_id):
        self.show(owner, run_id)
        self.deleted.append(run_id)


@pytest.fixture
def runs(monkeypatch):
    made = MadeUpRuns()
    for module in (events, live, results):
        monkeypatch.setattr(module, "runs", lambda: made)
    monkeypatch.setattr(live, "REPORTS", run_reports.Reports())
    monkeypatch.setattr(events, "notices_html", lambda language: "")
    return made


def arriving(query, owner=OWNER, language="en"):
    return events.arrive(language, owner, SimpleNamespace(query_params=query))


def test_a_press_counts_once_and_the_next_one_is_another_run(runs):
    first = events.start_own("en", OWNER, "k1", [], *values())
    again = events.start_own("en", OWNER, "k1", [], *values())
    other = events.start_own("en", OWNER, first["state.key"], [], *values())
    assert first["state.run"] == again["state.run"] != other["state.run"]
    assert len(runs.runs) == 2
    run = runs.runs[first["state.run"]]
    assert run.kind == "train"
    assert run.config["ways"] == ["own"]
    assert run.config["prove"] is True
    assert run.name == "MultipleNegativesRankingLoss · support desk, answers, en"
    assert "place 1" in first["status"]
    assert first["timer"].active


def test_training_every_way_is_offered_when_the_job_knows_several(runs, monkeypatch):
    assert arriving({})["button.ways"] == gr.update(visible=len(train_job.WAYS) > 1)
    monkeypatch.setattr(train_job, "WAYS", ("own", "upstream", "manual"))
    assert arriving({})["button.ways"] == gr.update(visible=True)
    begun = events.start_all("en", OWNER, "k", [], *values())
    assert runs.runs[begun["state.run"]].config["ways"] == ["own", "upstream", "manual"]
    alone = events.start_own("en", OWNER, "k", [], *values())
    assert alone["state.run"] != begun["state.run"]


def test_other_models_go_with_the_run_and_with_its_estimate(runs):
    asked = values(others=["a/b", "all-MiniLM-L6-v2"])
    begun = events.start_own("en", OWNER, "k", [], *asked)
    assert runs.runs[begun["state.run"]].config["others"] == ["a/b"]
    measured = events.measure("en", OWNER, "k", [], *asked)
    assert runs.runs[measured["state.measure"]].config["others"] == ["a/b"]
    result = {"steps": 1, "seconds_per_step": 1.0, "judge_seconds": 10.0, "memory_mb": 1.0, "seeds": 1}
    assert "30 s to judge" in results.estimate_html(result, "en")
    assert "50 s to judge" in results.estimate_html({**result, "others": 2}, "en")


def test_exported_settings_bring_their_other_models_back(runs):
    begun = events.start_own("en", OWNER, "k", [], *values(others=["a/b"], seeds=2))
    text = to_yaml(runs.runs[begun["state.run"]])
    back = yaml_events.apply_yaml("en", text, *values())
    assert (back["field.others"], back["field.seeds"]) == (["a/b"], 2)
    # A config alone says nothing of them.
    assert "field.others" not in yaml_events.apply_yaml("en", "epochs: 3", *values())


def test_pasted_rows_go_with_the_run_as_a_file(runs):
    changes = events.start_own("en", OWNER, "k", [], *values(source="paste", pasted="a\tb\nc\td"))
    run = runs.runs[changes["state.run"]]
    assert run.config["training"]["data"]["source"] == "input:pasted.csv"
    assert runs.inputs == {"pasted.csv": b"anchor,positive\r\na,b\r\nc,d\r\n"}


@pytest.mark.parametrize(
    ("changed", "place", "code"),
    [
        ({"source": "paste"}, "data_error", "nothing-pasted"),
        ({"dense": "x"}, "loss_note", "not-a-number"),
        ({"epochs": "x"}, "error", "not-a-number"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands_and_nothing_starts(runs, changed, place, code):
    changes = events.start_own("en", OWNER, "k", [], *values(**changed))
    assert code in changes[place]
    assert changes["error"]
    assert not runs.runs
    assert not any(name.startswith("field.") for name in changes)


def test_the_run_is_followed_to_its_end_and_the_clock_stops(runs):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    line = {"step": 3, "total": 28, "attempt": 1, "seconds": 2.0}
    told = {"loss": 0.5, "tokens_per_second": 1234.0, "seconds_left": 20.0, "way": 0, "seed": 42}
    runs.lines[run_id] = [{**line, "values": told}]
    runs.put(run_id, state="running", step=3, total=28)
    first = events.poll("en", OWNER, run_id, "", "")
    assert "Step 3 of 28" in first["status"]
    assert "1,234 tokens/s" in first["status"]
    assert "<svg" in first["curves"]
    assert "&lt;b&gt;loaded" in first["log"]
    again = events.poll("en", OWNER, run_id, "", first["state.seen"])
    assert "curves" not in again and "log" not in again
    assert again["timer"].active
    runs.put(run_id, state="failed", reason=Reason("out-of-memory", "The memory was not enough"))
    end = events.poll("ko", OWNER, run_id, "", first["state.seen"])
    assert "out-of-memory" in end["status"]
    assert not end["timer"].active
    assert end["button.resume"] == gr.update(visible=True)
    assert end["results"] == gr.update(visible=False)


def test_each_training_of_a_run_is_a_curve_of_its_own(runs):
    run = replace(_RUN, config={"ways": ["own", "upstream"]})
    lines = [
        {
            "step": step,
            "total": 8,
            "values": {"loss": 1.0, "way": (step - 1) // 4, "seed": 42 + (step - 1) // 2 % 2},
        }
        for step in range(1, 9)
    ]
    found = live.series_of(run, lines)
    assert list(found) == ["own · 42", "own · 43", "upstream · 42", "upstream · 43"]
    assert [[line["step"] for line in one] for one in found.values()] == [[1, 2]] * 4


def test_a_reload_finds_the_run_by_its_address_or_because_it_still_goes_on(runs):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    assert arriving({"run": run_id})["state.run"] == run_id
    assert arriving({})["state.run"] == run_id
    runs.put(run_id, state="complete")
    assert "state.run" not in arriving({})
    assert arriving({"run": run_id})["state.run"] == run_id


def test_another_browser_neither_sees_nor_stops_the_run(runs):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    stranger = new_owner()
    assert "state.run" not in arriving({"run": run_id}, stranger)
    assert "not there" in arriving({"run": run_id}, stranger)["error"]
    assert events.poll("en", stranger, run_id, "", "")["state.run"] == ""
    with pytest.warns(UserWarning, match="run-unknown"):
        events.cancel("en", stranger, run_id)
    assert runs.runs[run_id].state == "queued"
    new = arriving({}, "")["state.owner"]
    assert len(new) == 32


def test_cancel_and_resume_show_at_once_where_the_run_stands(runs):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    assert "Cancelled" in events.cancel("en", OWNER, run_id)["status"]
    assert events.resume("en", OWNER, run_id)["timer"].active


def test_a_measurement_leaves_an_estimate_and_no_run(runs):
    asked = events.measure("en", OWNER, "k", [], *values(seeds=3))
    run_id = asked["state.measure"]
    assert runs.runs[run_id].kind == "measure"
    runs.put(run_id, state="running")
    assert events.poll("en", OWNER, "", run_id, "")["timer"].active
    runs.put(run_id, state="complete")
    runs.results[run_id] = {
        "steps": 28, "seconds_per_step": 0.5, "judge_seconds": 4.0, "memory_mb": 812.4, "seeds": 3,
        "smallest": {"smallest": 0.04, "metric": "ndcg@10", "power": 0.8, "items": 172},
    }  # fmt: skip
    end = events.poll("en", OWNER, "", run_id, "")
    assert "84 steps of 0.50 s: about 42 s to train with 3 seeds" in end["estimate"]
    assert "172 items could show a difference of 0.0400 in ndcg@10 in 80%" in end["estimate"]
    assert runs.deleted == [run_id]
    assert not end["timer"].active


def test_an_estimate_whose_page_was_closed_is_found_at_the_next_visit(runs):
    old = events.measure("en", OWNER, "k1", [], *values())["state.measure"]
    new = events.measure("en", OWNER, "k2", [], *values())["state.measure"]
    # The made-up runs are listed as they came; the supervisor lists the newest first.
    runs.list = lambda owner, **_: [runs.runs[one] for one in (new, old) if runs.runs[one].owner == owner]
    runs.put(old, state="complete")
    done = arriving({})
    assert done["state.measure"] == new and done["timer"].active
    assert runs.deleted == [old]
    assert "state.measure" not in arriving({}, new_owner())
    runs.put(new, state="complete")
    runs.results[new] = {
        "steps": 2, "seconds_per_step": 0.5, "judge_seconds": 4.0, "memory_mb": 8.0, "seeds": 1,
        "smallest": None,
    }  # fmt: skip
    assert "2 steps of 0.50 s" in events.poll("en", OWNER, "", new, "")["estimate"]
    assert runs.deleted[-1] == new
    # Another tab of the same visitor sees nothing of it any more, and no error.
    del runs.runs[new]
    late = events.poll("en", OWNER, "", new, "")
    assert (late["state.measure"], late["estimate"]) == ("", "") and not late["timer"].active


def test_a_measurement_goes_on_beside_a_run_that_has_ended(runs):
    run = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    runs.put(run, state="failed")
    asked = events.measure("en", OWNER, "k", [], *values())["state.measure"]
    there = arriving({"run": run})
    assert (there["state.run"], there["state.measure"]) == (run, asked) and there["timer"].active


def test_yaml_goes_out_and_comes_back_and_bad_yaml_changes_nothing():
    text = yaml_events.write_yaml("en", [], *values(epochs=7, loss="CoSENTLoss", view="scored"))["yaml"]
    back = yaml_events.apply_yaml("en", text, *values())
    assert back["field.epochs"] == 7
    assert back["field.loss"] == "CoSENTLoss"
    assert back["field.view"]["value"] == "scored"
    for bad in ("epochs: [", "epochz: 3", "epochs: 0"):
        changes = yaml_events.apply_yaml("en", bad, *values())
        assert not any(name.startswith("field.") for name in changes), bad
        assert "[" in changes["error"]


def test_yaml_that_names_a_file_of_the_server_does_not_reach_it():
    changes = yaml_events.apply_yaml("en", "data: {source: /etc/passwd, roles: {a: anchor}}", *values())
    assert changes["field.source"] == "file"
    assert "choose it again" in changes["error"]
    assert changes["state.columns"] == ["a"]
    assert changes["field.role_0"]["value"] == "anchor"


def test_a_look_marks_the_losses_that_do_not_fit():
    changes = setting_events.look("en", "", [], *values())
    choices = dict(map(reversed, changes["field.loss"]["choices"]))
    assert choices["MultipleNegativesRankingLoss"] == "MultipleNegativesRankingLoss"
    assert choices["CoSENTLoss"] == "CoSENTLoss (needs other data)"
    assert "TripletLoss" not in choices
    assert "MatryoshkaLoss" in choices
    assert "215 rows, 16 a batch" in changes["diagram"]
    assert "215 to train on, 86 to choose the best model by, 172 to judge by" in changes["data"]


def test_a_look_at_a_broken_file_says_so_under_data_alone(tmp_path, monkeypatch):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"no parquet")
    monkeypatch.setattr("workbench.ui.pages.train_form.stored_upload", lambda value: str(value or ""))
    changes = setting_events.look("en", "", [], *values(source="file", file=str(path)))
    assert "[" in changes["data_error"]
    assert not changes["error"]


def test_a_complete_run_shows_its_proof_and_its_trainings(runs, proof):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    runs.put(run_id, state="complete")
    training = {
        "way": "own",
        "seed": 42,
        "steps": 28,
        "seconds": 12.5,
        "final_loss": None,
        "notices": ["<i>told"],
    }
    runs.results[run_id] = {"trainings": [training], "proofs": [{"way": "own", **proof_dict(proof)}]}
    end = events.poll("ko", OWNER, run_id, "", "")
    assert f'data-outcome="{proof.verdict.outcome}"' in end["proof"]
    assert "12.5000" in end["proof"] and "&lt;i&gt;told" in end["proof"]
    assert end["results"] == gr.update(visible=True)
    page = results.download("ko", OWNER, run_id, kind="html")["file"]
    assert Path(page).read_text(encoding="utf-8").startswith('<!DOCTYPE html>\n<html lang="ko">')
    assert (
        json.loads(Path(results.download("en", OWNER, run_id, kind="json")["file"]).read_text())["version"]
        == 1
    )


def test_the_model_goes_out_as_a_zip_and_over_to_compare(runs, proof, tmp_path, monkeypatch):
    run_id = events.start_own("en", OWNER, "k", [], *values())["state.run"]
    model = tmp_path / "own-42" / "model"
    model.mkdir(parents=True)
    (model / "modules.json").write_text("[]")
    (tmp_path / "secret.txt").write_text("no")
    monkeypatch.setattr(results, "folder_of", lambda found, owner, run: tmp_path)
    outside = {"way": "own", "seed": 1, "model": "../elsewhere"}
    runs.results[run_id] = {"trainings": [{"way": "own", "seed": 42, "model": "own-42/model"}, outside]}
    path = results.download("en", OWNER, run_id, kind="zip")["file"]
    assert zipfile.ZipFile(path).namelist() == ["own-42/model/modules.json"]
    link = results.to_compare("ko", OWNER, run_id)["compare_link"]
    name = re.search(r"model=(trained-[0-9a-f]{32})", link)
    assert name is not None
    assert resolve(name[1]).folder == model.resolve()
    with pytest.warns(UserWarning, match="run-unknown"):
        results.to_compare("en", new_owner(), run_id)
