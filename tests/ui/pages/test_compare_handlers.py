"""What the page does, without Gradio: forms to columns, events to snapshots, sentences opened."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ui.made_up import columns
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.ui.columns import DEFAULT_ACTIVE, DEFAULT_FORMS, FIELDS, MAX_COLUMNS, ColumnForm, control_value
from workbench.ui.pages.compare_handlers import (
    Timing,
    as_chosen,
    devices_of,
    forms_of,
    most_telling_text,
    open_text,
    pair_name,
    pair_named,
    plan_columns,
    snapshots,
    timing_for,
)
from workbench.ui.snapshot import Snapshot

_TEXTS = ("one two three", "four five", "six")
_VALUES = [control_value(form, name) for form in DEFAULT_FORMS for name in FIELDS]


def test_the_sidebars_values_are_the_default_forms():
    forms, active = forms_of(_VALUES, list(DEFAULT_ACTIVE))
    assert forms[:3] == DEFAULT_FORMS[:3]
    assert active == DEFAULT_ACTIVE


def test_a_slot_out_of_use_may_hold_anything():
    values = [*_VALUES[: 3 * len(FIELDS)], *[object()] * (3 * len(FIELDS))]
    assert forms_of(values, list(DEFAULT_ACTIVE))[0][3] == ColumnForm()


@pytest.mark.parametrize(
    ("values", "active", "error"),
    [
        (_VALUES, None, InvalidTypeError),
        (_VALUES, "111000", InvalidTypeError),
        (_VALUES, [1] * 6, InvalidTypeError),
        (_VALUES, [True] * 5, InvalidValueError),
        (_VALUES[:-1], [True] * 6, InvalidValueError),
        (_VALUES, [False] * 6, InvalidValueError),
    ],
)
def test_other_shapes_are_refused(values, active, error):
    with pytest.raises(error):
        forms_of(values, active)


def test_devices_follow_the_choice_and_the_machine():
    assert devices_of("cpu", "A GPU") == ("cpu",)
    assert devices_of("gpu", "A GPU") == ("cuda",)
    assert devices_of("both", "A GPU") == ("cpu", "cuda")
    assert devices_of("gpu", None) == devices_of("both", None) == ("cpu",)
    with pytest.raises(InvalidValueError):
        devices_of("tpu", None)


def test_a_plan_names_columns_and_keeps_the_unreadable_one(made_up_backend):
    forms = [ColumnForm(contender="own"), ColumnForm(contender="own", model="missing", max_length=9)]
    plan = plan_columns(forms, ("cpu",))
    assert [column.label for column in plan.requested] == ["own", "own 2"]
    assert [column.label for column in plan.runnable] == ["own"]
    assert plan.failures["own 2"].code == "model-folder-missing"
    assert plan.requested[1].settings.max_length == 9
    assert not plan.clipped
    both = plan_columns(DEFAULT_FORMS[:4], ("cpu", "cuda"))
    assert len(both.requested) == MAX_COLUMNS and both.clipped


def test_snapshots_grow_and_keep_the_failures_of_the_plan(made_up_backend):
    forms = [
        ColumnForm(contender="own"),
        ColumnForm(model="missing"),
        ColumnForm(contender="manual", model="broken"),
    ]
    grown = list(snapshots(plan_columns(forms, ("cpu",)), _TEXTS, Timing(1, 1.0), lambda: False))
    assert grown[0][0].columns == ()
    assert "board" in grown[0][1]
    last, sections = grown[-1]
    assert [column.column.label for column in last.columns] == ["own"]
    assert set(last.failures) == {"own 2", "manual"}
    assert {"map", "verdict", "speed"} <= set(sections)


def test_a_plan_of_failures_alone_ends_at_once(made_up_backend):
    grown = list(
        snapshots(
            plan_columns([ColumnForm(model="missing")], ("cpu",)), _TEXTS, Timing(1, 1.0), lambda: False
        )
    )
    assert len(grown) == 1


def test_few_texts_are_timed_always_many_on_demand():
    assert timing_for(8, wanted=False).rounds > 0
    assert timing_for(1000, wanted=False).rounds == 0
    assert timing_for(1000, wanted=True).rounds >= 5


def test_a_sentence_opens_with_every_columns_view(snapshot_of):
    snapshot = snapshot_of(_TEXTS, columns("own", "manual", max_length=2))
    opened = open_text(snapshot, 0)
    assert opened.text == _TEXTS[0]
    assert [column.label for column in opened.columns] == ["own", "manual"]
    assert opened.columns[0].view.tokens == ("one", "two", "three")
    assert opened.columns[1].view.tokens == ("one", "two")
    assert [index for index, _ in opened.columns[0].neighbours] in ([1, 2], [2, 1])
    assert open_text(snapshot, 2.0).index == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.none(), st.booleans(), st.text(), st.floats(), st.integers(), st.lists(st.integers())))
def test_no_other_index_opens(snapshot_of, index):
    snapshot = snapshot_of(_TEXTS, columns("own", "manual"))
    if isinstance(index, int | float) and not isinstance(index, bool) and index in (0, 1, 2):
        return
    with pytest.raises(WorkbenchError):
        open_text(snapshot, index)
    with pytest.raises(WorkbenchError):
        open_text(Snapshot(), 0)


def test_the_most_telling_text_is_where_the_most_different_columns_part(snapshot_of):
    # Only the first text is longer than two words.
    cut = snapshot_of(("six", "four five", "one two three"), columns("own", "manual", max_length=2))
    assert most_telling_text(cut) == 2
    assert most_telling_text(snapshot_of(_TEXTS, columns("own", "manual"))) == 0
    assert most_telling_text(Snapshot()) == 0


def test_pairs_are_found_by_their_names(snapshot_of):
    snapshot = snapshot_of(_TEXTS, columns("own", "upstream", "manual"))
    for pair in snapshot.pairs():
        assert pair_named(snapshot, pair_name(pair)) == pair
    assert pair_named(snapshot, "own - manual") is None
    assert pair_named(snapshot, None) is None


def test_data_controls_of_another_type_are_refused():
    assert as_chosen("paste", None, None, None).source == "paste"
    for values in (
        ({}, "", "", ""),
        ("paste", ["a"], "", ""),
        ("file", "", 7, ""),
        ("file", "", "", {"a": 1}),
    ):
        with pytest.raises(InvalidTypeError):
            as_chosen(*values)
