"""The events of the Trace page called directly: what changes, in both languages, and what errors do."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from tests.trace.tiny_pipelines import TEXTS
from tests.ui import tiny_traces
from workbench.trace.causes_wording import SENTENCES
from workbench.trace.lint import lint_folder
from workbench.ui import trace_backend as backend
from workbench.ui.causes import cause_sentence
from workbench.ui.columns import FIELDS, control_value
from workbench.ui.pages import trace_events as events
from workbench.ui.pages import trace_panel_events as panels
from workbench.ui.pages.trace_handlers import LEFT, RIGHT
from workbench.ui.texts_korean_causes import KOREAN_CAUSES
from workbench.ui.trace_shown import TRACES
from workbench.ui.widgets import token_pair
from workbench.ui.widgets.black_box_result import changes_told
from workbench.ui.widgets.bug_cards import cards_html

_FORMS = [control_value(form, name) for form in (LEFT, RIGHT) for name in FIELDS]
_VALUES = [*_FORMS, [], "paste", "\n".join(TEXTS)]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(backend, "open_side", tiny_traces.open_side)
    monkeypatch.setattr(
        backend,
        "open_card",
        lambda key: (tiny_traces.live("reference"), tiny_traces.live("reported", ["cls-pooling"])),
    )


def _find(values=_VALUES, language="en"):
    changes = list(events.find_stage(language, "", *values))
    merged = {}
    for change in changes:
        merged |= change
    return changes, merged


def test_the_verdict_comes_before_the_proof_and_all_of_it_in_the_end():
    changes, end = _find()
    verdicts = [change["verdict"] for change in changes if "verdict" in change]
    assert "5 <b>truncation" in verdicts[0] and "being computed" in verdicts[0]
    assert "Swapping it closes the gap" in verdicts[-1]
    assert 'class="rung fault" data-stage="truncation"' in end["ladder"]
    assert end["ladder"].count('<tr class="rung') == 15
    assert 'class="cut"' in end["tokens"]
    assert "closed" in end["swaps"]
    assert "max_length=30" in end["fix"] and end["fix"].startswith("# 5 truncation")
    assert "1st percentile" in end["cosines"]
    assert len(end["text"]["choices"]) == len(TEXTS)
    assert end["cancel"]["visible"] is False


def test_another_language_needs_no_new_run():
    _, end = _find()
    spoken = events.speak("ko", end["token"], None, *_VALUES)
    assert "처음 갈라지는 단계" in spoken["verdict"] and "자르기" in spoken["verdict"]
    assert "토큰까지" in spoken["swaps"]
    assert "단계 찾기" in spoken["cards"]
    assert spoken["fix"].startswith("# 5 자르기")
    assert events.arrive("en", "", None, *_VALUES) == {}


def test_every_cause_has_its_korean_sentence():
    assert set(KOREAN_CAUSES) == set(SENTENCES)
    _, end = _find()
    shown = TRACES.shown(end["token"])
    assert shown is not None and shown.difference.cause is not None
    assert cause_sentence(shown.difference.cause, "en") == shown.difference.cause.sentence + "."
    assert "128" not in cause_sentence(shown.difference.cause, "ko")


def test_a_card_is_replayed_and_marked():
    changes = list(events.replay_card("cls-pooling", "en", ""))
    verdict = [change["verdict"] for change in changes if "verdict" in change][-1]
    assert "9 <b>pooling" in verdict and "Replayed: CLS instead of mean." in verdict
    cards = [change["cards"] for change in changes if "cards" in change][-1]
    assert cards.count('aria-pressed="true"') == 1


@pytest.mark.parametrize("key", ["nothing", None, 5, "<script>"])
def test_an_unknown_card_is_a_box_on_the_page(key):
    last = list(events.replay_card(key, "en", ""))[-1]
    assert "unknown-card" in last["notices"] and "<script>" not in last["notices"]


def test_a_refusal_is_a_box_and_the_page_stays():
    broken = ["own", "missing", *_FORMS[2:], [], "example", ""]
    _, end = _find(broken)
    assert "model-missing" in end["notices"]
    assert "verdict" not in end


def test_cancelling_keeps_what_was_found(monkeypatch):
    stream = events.find_stage("en", "", *_VALUES)
    token = next(stream)["token"]
    events.cancel("en", token)
    assert "Cancelled" in list(stream)[-1]["progress"]


def test_texts_are_escaped_everywhere():
    hostile = [*_FORMS, [], "paste", "<img src=x onerror=alert(1)>\n" + "\n".join(TEXTS)]
    _, end = _find(hostile)
    markup = "".join(str(value) for name, value in end.items() if name not in ("text", "fix"))
    assert "<img" not in markup
    chosen = events.choose_text("en", end["token"], 0)
    assert "&lt;img" in chosen["tokens"]


def test_downloads_hold_the_result_and_both_traces():
    _, end = _find()
    result = json.loads(Path(events.download_result("en", end["token"])["file"]).read_text(encoding="utf-8"))
    assert result["faults"][0]["closed"]
    files = events.download_traces("en", end["token"])["traces"]["value"]
    assert sorted(Path(file).name for file in files) == [
        "trace-left.json", "trace-left.safetensors", "trace-right.json", "trace-right.safetensors",
    ]  # fmt: skip
    assert events.download_result("en", "nobody") == gr.skip()


def test_the_black_box_tells_its_changes_and_its_refusals(monkeypatch, tmp_path):
    monkeypatch.setattr(panels, "stored_upload", lambda value: value or "")
    (tmp_path / "t.txt").write_text("one\ntwo", encoding="utf-8")
    np.save(tmp_path / "v.npy", np.ones((3, 4), dtype=np.float32))
    given = (str(tmp_path / "t.txt"), str(tmp_path / "v.npy"))
    answers = {
        (None, None, "", ""): "no-file",
        (given[0], None, "", ""): "no-file",
        (*given, "", ""): "vectors-mismatch",
        (given[0], given[0], "", ""): "vectors-format",
        (*given, 5, ""): "not-text",
        (*given, "", "x" * 2001): "text-too-long",
    }
    for values, code in answers.items():
        last = list(panels.black_box("en", "", *values))[-1]
        assert code in last["box_result"], code
    told = changes_told({"pooling": "cls", "normalize": False, "prompt": "query: <b>"}, "en")
    assert told == "pooling cls, unit length no, prompt “query: &lt;b&gt;”"


def test_the_lint_shows_findings_and_gives_the_contract(monkeypatch, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(backend, "lint", lambda name: (lint_folder(folder), {"format": "embedding-contract"}))
    first, shown = panels.lint("ko", "", "")
    assert "오류" in shown["lint_result"] and "all-MiniLM-L6-v2" in shown["lint_result"]
    contract = panels.download_contract("en", first["token"])["file"]
    assert json.loads(Path(contract).read_text(encoding="utf-8"))["format"] == "embedding-contract"
    assert "not-text" in list(panels.lint("en", "", ["no", "name"]))[-1]["lint_result"]


def test_the_line_names_both_pipelines_and_pasting_opens_its_box():
    assert "own against manual, over 6 texts" in events.describe("en", *_FORMS, [], "example", "")["against"]
    opened = events.describe("en", *_FORMS, [], "paste", "")
    assert opened == {"pasted": gr.update(visible=True)}


def test_aligned_tokens_mark_what_one_side_lacks():
    def side(*ids):
        return [token_pair.SideToken(index, str(index), "read") for index in ids]

    cells = token_pair.align(side(1, 2, 3, 4), side(1, 3, 4, 5))
    pairs = [(cell.left and cell.left.index, cell.right and cell.right.index) for cell in cells]
    assert pairs == [(1, 1), (2, None), (3, 3), (4, 4), (None, 5)]
    assert [cell.equal for cell in cells] == [True, False, True, True, False]


def test_every_card_links_to_its_report_as_text():
    cards = cards_html("", "en")
    assert (
        cards.count("https://github.com/")
        == cards.count('rel="noopener noreferrer"')
        == cards.count("<article")
    )
    assert "spiceai/spiceai#13415" in cards
