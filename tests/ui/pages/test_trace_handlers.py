"""The Trace page without Gradio: the checked wish, the steps of a comparison, files, what is kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trace.tiny_pipelines import TEXTS
from tests.ui import tiny_traces
from workbench.errors import Cancelled, DataFileError, InvalidValueError, WorkbenchError
from workbench.trace.faults import FAULTS as TABLE
from workbench.trace.gallery_cards import CARDS
from workbench.trace.probe import PROBE
from workbench.ui import trace_backend as backend
from workbench.ui.columns import FIELDS, ColumnForm, control_value
from workbench.ui.pages import trace_files as files
from workbench.ui.pages import trace_handlers as handlers
from workbench.ui.pages.trace_handlers import LEFT, RIGHT, Wanted, find, wanted_of
from workbench.ui.texts_trace_cards_korean import CARDS_KOREAN
from workbench.ui.trace_shown import Shown, TraceSessions, slim

_FORMS = [control_value(form, name) for form in (LEFT, RIGHT) for name in FIELDS]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(backend, "open_side", tiny_traces.open_side)


@pytest.fixture(scope="module")
def shown() -> Shown:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "open_side", tiny_traces.open_side)
        steps = list(find(Wanted(LEFT, RIGHT, (), tuple(TEXTS)), lambda: False))
    found = steps[-1].shown
    assert found is not None
    return found


def test_the_page_offers_every_fault_and_card():
    assert list(TABLE) == list(handlers.FAULTS)
    assert list(CARDS) == list(CARDS_KOREAN)


def test_the_example_has_two_texts_beyond_the_short_limit(shown):
    long = [text for text in handlers.EXAMPLE if len(text.split()) > 100]
    assert len(long) == 2


def test_the_stage_is_shown_before_its_proof():
    steps = list(find(Wanted(LEFT, RIGHT, (), tuple(TEXTS)), lambda: False))
    assert [step.stage for step in steps] == ["left", "record", "right", "swap", "end"]
    first, last = steps[3].shown, steps[4].shown
    assert first is not None and last is not None
    assert first.difference.cause is not None and first.difference.cause.stage == "truncation"
    assert not first.proved and not first.faults
    assert last.proved and last.closed
    assert [fault.cause.key for fault in last.faults] == ["max_length-shorter"]
    assert last.faults[0].gap_after <= last.difference.gap_limit < last.faults[0].gap_before


def test_several_faults_are_named_in_turn():
    wanted = Wanted(LEFT, RIGHT, ("case-kept", "no-normalize"), tuple(TEXTS))
    last = list(find(wanted, lambda: False))[-1].shown
    assert last is not None
    assert [fault.cause.stage for fault in last.faults] == ["normalisation", "truncation", "modules"]
    assert last.closed


def test_a_wish_to_stop_ends_it_between_two_runs():
    asked = iter([False] * 3)
    with pytest.raises(Cancelled):
        list(find(Wanted(LEFT, RIGHT, (), tuple(TEXTS)), lambda: next(asked, True)))


def test_the_text_shown_first_differs_most(shown):
    gaps = abs(shown.left.embeddings - shown.right.embeddings).max(axis=1)
    assert handlers.most_different(shown) == int(gaps.argmax())
    assert handlers.chosen_text(shown, 2) == 2
    for nonsense in (None, -1, 999, True, "2", [1]):
        assert handlers.chosen_text(shown, nonsense) == handlers.most_different(shown)


def test_the_result_is_json_with_verdict_proof_and_conditions(shown):
    data = json.loads(json.dumps(files.result_dict(shown), allow_nan=False, default=str))
    assert data["difference"]["verdict"] == "different"
    assert data["faults"][0]["cause"]["key"] == "max_length-shorter"
    assert data["closed"] and data["proved"]
    assert data["texts"] == list(TEXTS)
    assert data["provenance"]["left"]["versions"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([], "trace-values"),
        ([*_FORMS, ["nonsense"], "example", ""], "unknown-fault"),
        ([*_FORMS, "no-normalize", "example", ""], "faults-not-a-list"),
        ([*_FORMS, list(TABLE)[:5], "example", ""], "too-many-faults"),
        ([*_FORMS, [], "elsewhere", ""], "unknown-source"),
        ([*_FORMS, [], "paste", " \n "], "nothing-pasted"),
        ([*_FORMS, [], "paste", 5], "not-text"),
        ([*_FORMS, [], "paste", "a\n" * 65], "too-many-texts"),
        ([*_FORMS, [], "paste", "x" * 20_001], "texts-too-long"),
        (["theirs", *_FORMS[1:], [], "example", ""], "unknown-choice"),
    ],
)
def test_refusals_carry_their_code(values, code):
    with pytest.raises(WorkbenchError) as caught:
        wanted_of(values, "en")
    assert caught.value.code == code


def test_a_wish_names_both_sides_and_takes_the_texts():
    wanted = wanted_of([*_FORMS, ["int8", "int8"], "probe", ""], "en")
    assert wanted.names == ("own", "manual")
    assert wanted.faults == ("int8",)
    assert wanted.texts == PROBE
    same = wanted_of([*_FORMS[: len(FIELDS)] * 2, None, "paste", "one\n\ntwo"], "en")
    assert same.names == ("own", "own 2")
    assert same.texts == ("one", "two")


_ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=5), max_size=3)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_ANY, min_size=2 * len(FIELDS) + 3, max_size=2 * len(FIELDS) + 3))
def test_any_values_are_a_wish_or_a_coded_refusal(values):
    try:
        wanted_of(values, "en")
    except WorkbenchError as error:
        assert error.code


def test_faults_are_put_into_the_manual_pipeline_alone(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(InvalidValueError, match="fault-needs-manual"):
        backend.open_side(LEFT, "own", ("int8",))


def test_an_engine_is_refused_before_a_model_is_loaded(monkeypatch):
    monkeypatch.undo()
    with pytest.raises(InvalidValueError, match="contender-not-traced"):
        backend.open_side(ColumnForm(contender="openvino", model="/no/such/folder"), "openvino")


def test_traces_go_to_files_and_come_back_as_the_same_difference(shown, tmp_path):
    sides = [
        [str(file) for file in backend.save_trace(trace, tmp_path / name)]
        for name, trace in (("a", shown.left), ("b", shown.right))
    ]
    again = files.compare_files(sides[0], sides[1], "en")
    assert again.difference.cause is not None and shown.difference.cause is not None
    assert again.difference.cause.key == shown.difference.cause.key
    assert again.difference.gap == pytest.approx(shown.difference.gap)
    assert not again.live and not again.proved
    for wrong in ([], sides[0][:1], [*sides[0], *sides[1]], [sides[0][0], sides[1][0]]):
        with pytest.raises(InvalidValueError, match="trace-files"):
            files.compare_files(wrong, sides[1], "en")


def test_a_file_with_other_values_than_documented_is_refused_with_a_code(shown, tmp_path):
    good = [str(file) for file in backend.save_trace(shown.left, tmp_path / "good")]
    odd = backend.save_trace(shown.right, tmp_path / "odd")
    content = json.loads(odd[0].read_text(encoding="utf-8"))
    content["stages"]["tokens"]["plain"]["content"] = [7] * len(shown.texts)
    content["stages"]["specials"]["plain"]["prefix"] = [None] * len(shown.texts)
    odd[0].write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataFileError, match="trace-file"):
        files.compare_files(good, [str(file) for file in odd], "en")


def test_what_is_kept_is_slim_bounded_and_forgotten(shown):
    rows = slim(shown.left, 4).stage("layers").arrays["output"]
    assert max(len(array) for array in rows) == 4
    sessions = TraceSessions(max_bytes=1, max_sessions=2)
    for token in ("a", "b"):
        sessions.keep(token, shown)
    assert sessions.shown("a") is None and sessions.shown("b") is shown
    sessions.note("b", "lint", 1)
    assert sessions.noted("b", "lint") == 1 and sessions.noted("c", "lint") is None
    stopped = sessions.start("b")
    assert not stopped()
    sessions.forget("b")
    assert stopped() and sessions.shown("b") is None
