"""The form of a column: there and back, refusals, names, and the faults that the chips put in."""

from __future__ import annotations

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ui.made_up import settings_for
from workbench.compare.results import Column
from workbench.compare.settings import POOLING_MODES
from workbench.compare.settings import PRECISIONS as BACKEND_PRECISIONS
from workbench.contenders import registry
from workbench.contenders.contract import Settings
from workbench.contenders.registry import CONTENDERS
from workbench.errors import InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.ui.columns import (
    BREAKS,
    DEFAULT_ACTIVE,
    DEFAULT_CONTENDERS,
    DEFAULT_FORMS,
    FIELDS,
    POOLINGS,
    PRECISIONS,
    ColumnForm,
    break_column,
    broken_slot,
    column_of,
    control_value,
    form_from_values,
    form_of,
    labels_of,
    present_break,
    stated_settings,
)
from workbench.ui.pages import compare_sidebar, trace_parts
from workbench.ui.texts import word
from workbench.ui.translate import Words

_FORMS = st.builds(
    ColumnForm,
    contender=st.sampled_from(tuple(CONTENDERS)),
    model=st.text(max_size=20).map(str.strip),
    pooling=st.sampled_from(("auto", *POOLINGS, "mean+cls")),
    max_length=st.one_of(st.none(), st.integers(1, 32_768)),
    prompt=st.text(max_size=20),
    normalize=st.sampled_from(("auto", "yes", "no")),
    lowercase=st.sampled_from(("auto", "yes", "no")),
    use_mask=st.booleans(),
    precision=st.sampled_from(PRECISIONS),
)
_SETTINGS = st.builds(
    Settings,
    pooling=st.sampled_from(POOLINGS),
    normalize=st.booleans(),
    max_length=st.integers(1, 32_768),
    prompt=st.text(max_size=20),
    lowercase=st.sampled_from((None, True, False)),
    use_mask=st.booleans(),
    precision=st.sampled_from(PRECISIONS),
)


def test_the_form_offers_what_the_backend_knows():
    assert set(DEFAULT_CONTENDERS) <= set(CONTENDERS)
    assert {form.contender for form in DEFAULT_FORMS} == set(DEFAULT_CONTENDERS)
    assert set(POOLINGS) == set(POOLING_MODES)
    assert set(PRECISIONS) == set(BACKEND_PRECISIONS)


def test_every_contender_has_a_name_in_both_languages():
    for name in CONTENDERS:
        assert all(word(language, f"contender.{name}").startswith(f"{name}: ") for language in ("en", "ko"))


def test_the_menus_offer_what_can_be_opened_and_traced(monkeypatch):
    here = {"onnxruntime": None, "openvino": True, "onnx": True}
    monkeypatch.setattr(registry, "find_spec", lambda package: here[package])
    with gr.Blocks():
        found: dict = {}
        compare_sidebar.sidebar(Words(), found)
        _, traced = trace_parts.lay_out()
    menu = [value for _, value in found["slots"][0].controls[FIELDS.index("contender")].choices]
    assert menu == ["own", "upstream", "manual", "openvino"]
    for first in (0, len(FIELDS)):
        side = traced["controls"][first : first + len(FIELDS)]
        assert [value for _, value in side[FIELDS.index("contender")].choices] == [
            "own",
            "upstream",
            "manual",
        ]
        precisions = [value for _, value in side[FIELDS.index("precision")].choices]
        assert precisions == ["float32", "bfloat16", "float16"]


@given(_SETTINGS, st.sampled_from(tuple(CONTENDERS)), st.text(min_size=1, max_size=20))
def test_a_column_survives_its_form(settings, contender, model):
    column = Column("a", contender, model, settings)
    again = column_of(form_of(column), "a", "cpu", "unused", settings_for)
    assert again == column


@given(_FORMS)
def test_a_form_survives_its_controls(form):
    values = [control_value(form, name) for name in FIELDS]
    assert form_from_values(values, 0) == form


@given(_FORMS)
def test_what_a_form_does_not_state_is_the_models(form):
    column = column_of(
        form, "a", "cpu", "bundled", lambda model, **stated: Settings(max_length=77, **_free(stated))
    )
    if form.max_length is None:
        assert column.settings.max_length == 77
    assert column.model == (form.model or "bundled")


def _free(stated):
    stated.pop("max_length", None)
    return stated


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("contender", "theirs", InvalidValueError),
        ("contender", None, InvalidValueError),
        ("model", "x" * 301, InvalidValueError),
        ("model", {"path": "/etc/passwd"}, InvalidTypeError),
        ("pooling", "mean+best", InvalidValueError),
        ("pooling", ["mean"], InvalidValueError),
        ("max_length", 0, InvalidValueError),
        ("max_length", "-1", InvalidValueError),
        ("max_length", 1.5, InvalidValueError),
        ("max_length", float("nan"), InvalidValueError),
        ("max_length", 10**9, InvalidValueError),
        ("max_length", True, InvalidValueError),
        ("max_length", "many", InvalidValueError),
        ("prompt", "x" * 2001, InvalidValueError),
        ("normalize", True, InvalidValueError),
        ("lowercase", "maybe", InvalidValueError),
        ("use_mask", "false", InvalidTypeError),
        ("precision", "int4", InvalidValueError),
    ],
)
def test_what_no_control_offers_is_refused_by_name(field, value, error):
    values = [value if name == field else control_value(ColumnForm(), name) for name in FIELDS]
    with pytest.raises(error) as refused:
        form_from_values(values, 2)
    assert refused.value.where == f"column 3, {field}"


@given(
    st.lists(st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text())))
)
def test_any_values_give_a_form_or_a_coded_refusal(values):
    padded = (values + [None] * len(FIELDS))[: max(len(FIELDS), len(values))]
    try:
        form_from_values(padded, 0)
    except WorkbenchError as error:
        assert error.code


@given(st.lists(_FORMS, min_size=1, max_size=6), st.sampled_from((("cpu",), ("cpu", "cuda"))))
def test_labels_are_unique(forms, devices):
    labels = labels_of(forms, devices)
    assert len(set(labels)) == len(labels) == len(forms) * len(devices)


def test_labels_are_short_and_in_order():
    forms = [ColumnForm(contender=name) for name in ("own", "manual", "own")]
    assert labels_of(forms, ("cpu",)) == ("own", "manual", "own 2")
    assert labels_of(forms[:1], ("cpu", "cuda")) == ("own cpu", "own cuda")


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_one_setting_and_repair_undoes_it(name):
    slot = broken_slot(DEFAULT_FORMS, DEFAULT_ACTIVE)
    broken = break_column(DEFAULT_FORMS, DEFAULT_ACTIVE, name)
    assert DEFAULT_FORMS[slot].contender == "manual"
    assert set(stated_settings(broken)) == set(BREAKS[name])

    forms = tuple(broken if place == slot else form for place, form in enumerate(DEFAULT_FORMS))
    assert present_break(forms, DEFAULT_ACTIVE) == name
    repaired = break_column(forms, DEFAULT_ACTIVE, None)
    assert repaired == DEFAULT_FORMS[slot]
    # One fault at a time: another chip takes the first one out.
    for other in BREAKS:
        assert set(stated_settings(break_column(forms, DEFAULT_ACTIVE, other))) == set(BREAKS[other])


def test_a_break_keeps_what_no_chip_touches_and_follows_the_other_column():
    forms = (
        ColumnForm(contender="own", max_length=64, pooling="max"),
        ColumnForm(contender="manual", model="org/name", prompt="query: ", precision="bfloat16"),
        *DEFAULT_FORMS[2:],
    )
    active = (True, True, False, False, False, False)
    assert broken_slot(forms, active) == 1
    broken = break_column(forms, active, "use_mask")
    assert (broken.model, broken.prompt, broken.precision) == ("org/name", "query: ", "bfloat16")
    assert (broken.max_length, broken.pooling, broken.use_mask) == (64, "max", False)


def test_without_a_manual_column_the_last_one_breaks_and_a_sound_one_lights_no_chip():
    forms = tuple(ColumnForm(contender="own") for _ in range(6))
    active = (True, True, False, False, False, False)
    assert broken_slot(forms, active) == 1
    assert present_break(forms, active) is None
    with pytest.raises(InvalidValueError):
        break_column(forms, active, "gravity")
