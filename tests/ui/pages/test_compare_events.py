"""The events of the page called directly: what changes, in which order, and what errors do."""

from __future__ import annotations

import gradio as gr
import pytest

from workbench.errors import Cancelled
from workbench.ui import backend
from workbench.ui.columns import BREAKS, DEFAULT_ACTIVE, DEFAULT_FORMS, FIELDS, control_value
from workbench.ui.pages import compare_events as events
from workbench.ui.pages import compare_sidebar_events as sidebar
from workbench.ui.session import SESSIONS

_VALUES = [control_value(form, name) for form in DEFAULT_FORMS for name in FIELDS]
_TEXTS = "a red bicycle\na crimson bike\nthe tax office is closed for the whole week"


def _run(token="", *, language="en", source="paste", device="cpu", values=_VALUES, active=None, **wanted):
    active = list(DEFAULT_ACTIVE) if active is None else active
    opened, pair = wanted.get("opened"), wanted.get("pair")
    return list(
        events.run(
            language,
            token,
            opened,
            pair,
            active,
            source,
            wanted.get("pasted", _TEXTS),
            None,
            "",
            device,
            *values,
        )
    )


def _put(values, slot, **fields):
    changed = list(values)
    for name, value in fields.items():
        changed[slot * len(FIELDS) + FIELDS.index(name)] = value
    return changed


def _merged(changes):
    merged = {}
    for change in changes:
        merged |= change
    return merged


def test_a_run_shows_columns_as_they_come_then_the_verdict(made_up_backend):
    changes = _run()
    token = changes[0]["token"]
    assert len(token) == 32
    arrived = [change["board"].count("hm-grid") for change in changes if "board" in change]
    assert arrived == [0, 1, 2, 3, 3]
    end = _merged(changes)
    assert "identical, bit for bit" in end["verdict"]
    assert end["cancel"] == gr.update(visible=False)
    assert "3 texts, 3 columns" in end["progress"]
    assert end["pair"]["choices"] == ["own − upstream", "own − manual", "upstream − manual"]
    assert end["code_column"]["choices"] == ["own", "upstream", "manual"]
    assert "Sentence 1" in end["opened"]
    assert SESSIONS.shown(token).comparison is not None


def test_a_broken_column_turns_the_page_to_where_it_parts(made_up_backend):
    end = _merged(_run(values=_put(_VALUES, 2, max_length="5")))
    assert "differs" in end["verdict"]
    assert "stopped at 5" in end["verdict"]
    assert end["pair"]["value"] == "own − manual"
    assert "Sentence 3" in end["opened"]
    chosen = _merged(_run(values=_put(_VALUES, 2, max_length="5"), opened=1, pair="own − upstream"))
    assert chosen["pair"]["value"] == "own − upstream"
    assert "Sentence 2" in chosen["opened"]


def test_errors_end_in_a_box_and_free_the_page(made_up_backend):
    for changes in (
        _run(pasted=" \n "),
        _run(source="file"),
        _run(source="magic"),
        _run(device="tpu"),
        _run(values=_put(_VALUES, 0, max_length="0")),
        _run(values=_VALUES[1:]),
        _run(active=[False] * 6),
    ):
        assert "wb-box bad" in changes[-1]["notices"]
        assert changes[-1]["cancel"] == gr.update(visible=False)


def test_a_fault_of_ours_is_a_number_on_the_page(made_up_backend, monkeypatch):
    monkeypatch.setattr(backend, "compare", lambda *_, **__: 1 / 0)
    told = _run()[-1]["notices"]
    assert "Internal error" in told and "division" not in told


def test_cancelling_keeps_what_had_arrived(made_up_backend, monkeypatch):
    token = _run()[0]["token"]
    stream = events.run(
        "en", token, None, None, list(DEFAULT_ACTIVE), "paste", _TEXTS, None, "", "cpu", *_VALUES
    )
    changes = []
    for change in stream:
        changes.append(change)
        if change.get("board", "").count("hm-grid") == 1:
            events.cancel("en", token)
    assert "Cancelled" in changes[-1]["progress"]
    assert len(SESSIONS.shown(token).columns) == 1
    assert SESSIONS.shown(token).comparison is None


def test_a_visitor_who_leaves_stops_the_columns(made_up_backend, monkeypatch):
    asked = []

    def endless(columns, texts, *, cancelled, **_):
        asked.append(cancelled)
        while not cancelled():
            yield from ()
            yield backend_event(columns, texts)
        raise Cancelled

    from tests.ui.made_up import encode

    def backend_event(columns, texts):
        return encode(columns[0], texts)

    monkeypatch.setattr(backend, "compare", endless)
    stream = events.run(
        "en", "", None, None, list(DEFAULT_ACTIVE), "paste", _TEXTS, None, "", "cpu", *_VALUES
    )
    for _ in range(4):
        next(stream)
    stream.close()
    assert asked[0]()


def test_without_a_gpu_the_wish_for_one_is_answered_plainly(made_up_backend):
    end = _merged(_run(device="gpu"))
    assert "There is no GPU" in end["notices"]
    assert "cuda" not in end["speed"]


def test_an_unreadable_model_fails_its_column_alone(made_up_backend):
    end = _merged(_run(values=_put(_VALUES, 1, model="missing")))
    assert "upstream" in end["failures"] and "model-folder-missing" in end["failures"]
    assert end["board"].count("hm-grid") == 2
    assert end["code_column"]["choices"] == ["own", "manual"]


@pytest.mark.parametrize("name", BREAKS)
def test_a_chip_changes_the_form_lights_up_and_repair_undoes_it(made_up_backend, name):
    broken = sidebar.apply_chip("en", name, list(DEFAULT_ACTIVE), *_VALUES)
    slot = 2
    (field, value) = next(iter(BREAKS[name].items()))
    assert str(broken[f"control.{slot}.{field}"]) == str(value)
    assert "on" in broken[f"chip.{name}"]["elem_classes"]
    lit = [
        key for key, update in broken.items() if key.startswith("chip.") and "on" in update["elem_classes"]
    ]
    assert lit == [f"chip.{name}"]
    assert broken[f"frame.{slot}"]["label"] != "manual"

    values = _put(_VALUES, slot, **{field: broken[f"control.{slot}.{field}"]})
    repaired = sidebar.apply_chip("en", None, list(DEFAULT_ACTIVE), *values)
    assert [repaired[f"control.{slot}.{one}"] for one in BREAKS] == [
        control_value(DEFAULT_FORMS[slot], one) for one in BREAKS
    ]
    assert repaired[f"frame.{slot}"]["label"] == "manual"


def test_columns_come_and_go_but_one_stays(made_up_backend):
    more = sidebar.set_active("en", None, list(DEFAULT_ACTIVE), *_VALUES)
    assert more["active"] == [True] * 4 + [False] * 2
    assert more["frame.3"] == gr.update(label="own 2", visible=True)
    full = sidebar.set_active("en", None, [True] * 5 + [False], *_VALUES)
    assert full["add"] == gr.update(visible=False)
    less = sidebar.set_active("en", 0, list(DEFAULT_ACTIVE), *_VALUES)
    assert less["active"] == [False, True, True, False, False, False]
    last = sidebar.set_active("en", 1, [False, True, False, False, False, False], *_VALUES)
    assert last["active"] == [False, True, False, False, False, False]


def test_a_changed_setting_is_told_before_it_is_compared(made_up_backend):
    changes = sidebar.describe(
        "ko", list(DEFAULT_ACTIVE), *_put(_VALUES, 2, prompt="query: ", use_mask=False)
    )
    assert changes["frame.2"]["label"] == "manual · 프롬프트 query:  · 마스크 아니요"
    assert "비교하기" in changes["progress"]


def test_reading_events_follow_the_kept_comparison(made_up_backend):
    token = _run(values=_put(_VALUES, 2, pooling="cls"))[0]["token"]
    assert "Sentence 2" in events.open_sentence("en", token, 1)["opened"]
    assert events.open_sentence("en", token, 1)["opened_index"] == 1
    drawn = events.choose_pair("en", token, "own − upstream")
    assert 'data-label="own − upstream"' in drawn["difference"]
    assert drawn["wanted_pair"] == "own − upstream"
    assert "AutoModel" in events.show_code("en", token, "manual")["code"]
    spoken = events.speak("ko", token, 1, None, list(DEFAULT_ACTIVE), *_VALUES)
    assert "2번 문장" in spoken["opened"] and "다름" in spoken["verdict"]
    path = events.download("en", "json", token)["download_file"]
    assert path.endswith("workbench-comparison.json")


def test_without_a_comparison_reading_events_warn_and_change_nothing(made_up_backend, monkeypatch):
    told = []
    monkeypatch.setattr("workbench.ui.errors.gr.Warning", lambda message, title: told.append(message))
    assert events.open_sentence("en", "nobody", 0) == gr.skip()
    assert events.download("en", "csv", "nobody") == gr.skip()
    assert len(told) == 2
    assert "Two columns" in events.choose_pair("en", "nobody", "own − manual")["difference"]
    assert events.show_code("en", "nobody", "own") == {"code": ""}


def test_memory_is_measured_column_by_column(made_up_backend):
    token = _run()[0]["token"]
    changes = list(events.measure_memory("en", token))
    assert _merged(changes)["speed"].count("321 MB") == 3
    assert "not measured" in next(change["speed"] for change in changes if "speed" in change)
    assert "wb-box bad" in list(events.measure_memory("en", "nobody"))[-1]["notices"]


def test_the_controls_of_a_source_are_shown_with_it(made_up_backend, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    shown = sidebar.show_source("en", "file", ["a", "b"])
    assert shown["file"]["visible"] and shown["file_column"]["visible"] and not shown["pasted"]["visible"]
    table = tmp_path / "a.csv"
    table.write_text("title,review\nx,y\n", encoding="utf-8")
    read = sidebar.read_upload("en", str(table))
    assert read["columns"] == ["title", "review"]
    assert read["file_column"]["choices"][1:] == [("title", "title"), ("review", "review")]
    assert sidebar.read_upload("en", None)["columns"] == []
