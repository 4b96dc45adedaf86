"""Curves: every point in its place, peaks and gaps kept, names never markup, a table beside."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runs.metrics import effective
from workbench.ui.widgets.curve_points import (
    MAX_POINTS,
    by_training,
    points_of,
    thinned,
    tick_label,
    tick_labels,
    ticks,
)
from workbench.ui.widgets.curves import curves


def _lines(values, metric="loss", total=None):
    return [
        {"step": step + 1, "total": total or len(values), "values": {metric: value}}
        for step, value in enumerate(values)
    ]


def _parsed(markup):
    """As XML: what is not closed or escaped fails here."""
    return ElementTree.fromstring(markup)


def _paths(markup):
    return [path.get("d") for path in _parsed(markup).iter("path")]


def test_a_curve_falls_from_left_to_right():
    (path,) = _paths(curves({"run": _lines([4.0, 3.0, 2.0, 1.0])}, "en"))
    places = [tuple(map(float, place.split())) for place in re.split("[ML]", path)[1:]]
    assert path.count("M") == 1 and len(places) == 4
    assert [x for x, _ in places] == sorted({x for x, _ in places})
    # Down in value is down on the page, in equal parts.
    drops = [later - earlier for (_, earlier), (_, later) in pairwise(places)]
    assert min(drops) > 0 and max(drops) - min(drops) < 0.15


def test_an_undefined_point_is_a_gap_and_told_in_the_table():
    markup = curves({"run": _lines([1.0, 2.0, None, 3.0, None, 4.0, 5.0])}, "en")
    (path,) = _paths(markup)
    assert re.sub(r"[\d. ]", "", path) == "MLMML"
    assert markup.count("undefined") == 2
    nothing = curves({"run": _lines([None, None])}, "en")
    assert "no point is defined" in nothing and not _paths(nothing)


def test_runs_are_overlaid_in_the_colours_of_the_columns():
    markup = curves({"one": _lines([1.0, 2.0]), "two": [], "three": _lines([5.0, 2.0, 1.0])}, "en")
    groups = [group.get("class") for group in _parsed(markup).iter("g")]
    assert groups == ["cv-line c0", "cv-line c2"]
    assert [tag.text for tag in _parsed(markup).iter("b")] == ["one", "two", "three"]
    heads = [head.text for head in _parsed(markup).iter("th") if head.get("scope") == "col"]
    assert heads == ["step", "one", "two", "three"]


def test_only_metrics_that_a_run_has_are_drawn_in_order():
    lines = [{"step": 1, "values": {"gradient_norm": 1.0, "loss": 2.0, "way": 0}}]
    titles = [caption.text for caption in _parsed(curves({"run": lines}, "ko")).iter("figcaption")]
    assert titles == ["손실", "기울기 노름"]
    assert "아직 곡선이 없습니다" in curves({}, "ko")


def test_a_long_run_stays_small_and_keeps_its_peaks():
    values = [1.0 + (step % 7) / 100 for step in range(20_000)]
    values[12_345] = 50.0
    values[777] = None
    points = points_of(_lines(values), "loss")
    kept = thinned(points)
    assert len(kept) <= MAX_POINTS
    assert (12_346, 50.0) in kept and (778, None) in kept
    assert kept[0] == points[0] and kept[-1] == points[-1]
    four = {str(run): _lines(values) for run in range(4)}
    assert len(curves(four, "en")) < 60_000
    assert "At most 300 points" in curves(four, "en")


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=900),
    st.integers(5, MAX_POINTS),
)
def test_thinning_keeps_order_bounds_and_extremes(values, limit):
    points = list(enumerate(values))
    kept = thinned(points, limit)
    assert len(kept) <= max(limit, 0) or len(points) <= limit
    assert kept == sorted(kept, key=lambda point: point[0]) and set(kept) <= set(points)
    defined = [value for value in values if value is not None]
    if defined:
        left = [value for _, value in kept if value is not None]
        assert (min(left), max(left)) == (min(defined), max(defined))
    assert (None in values) == any(value is None for _, value in kept)


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 8))
def test_ticks_are_round_inside_and_not_too_many(low, span, most):
    high = low + span
    found = ticks(low, high, most)
    assert len(found) <= most + 1
    assert found == sorted(found)
    assert len(set(tick_labels(found))) == len(found)
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - slack <= tick <= high + slack for tick in found)


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), max_size=40))
def test_any_values_are_drawn_inside_the_figure(values):
    markup = curves({"run": _lines(values)}, "en")
    for path in _paths(markup):
        for place in re.split("[ML]", path)[1:]:
            x, y = map(float, place.split())
            assert 0 <= x <= 360 and 0 <= y <= 190


@given(st.text(min_size=1, max_size=30))
def test_a_name_is_never_markup(name):
    markup = curves({name: _lines([1.0]), name + "2": _lines([2.0])}, "en")
    assert "<script" not in markup.lower()
    _parsed(markup)


@pytest.mark.parametrize(
    ("value", "label"),
    [(0.0, "0"), (2e-05, "2e-5"), (0.25, "0.25"), (1200.0, "1200"), (-0.5, "\u22120.5"), (1e6, "1e6")],
)
def test_ticks_are_labelled_shortly(value, label):
    assert tick_label(value) == label


def test_what_a_resume_did_again_is_drawn_once():
    lines = [*_lines([1.0, 2.0, 3.0]), {"resumed_from": 2}, {"step": 3, "values": {"loss": 9.0}}]
    assert points_of(effective(lines), "loss") == [(1, 1.0), (2, 2.0), (3, 9.0)]


def test_trainings_of_one_run_are_parted_and_each_starts_at_one():
    lines = [
        {"step": step, "total": 8, "values": {"loss": 1.0, "way": way, "seed": seed}}
        for step, way, seed in [(1, 0, 42), (2, 0, 42), (3, 0, 43), (4, 0, 43), (5, 1, 42), (6, 1, 42)]
    ]
    parts = by_training(lines, ["own", "upstream"])
    assert list(parts) == ["own · 42", "own · 43", "upstream · 42"]
    assert all([line["step"] for line in own] == [1, 2] for own in parts.values())
    assert list(by_training(lines[:2], ["own"])) == ["own"]
    assert by_training([], ["own"]) == {}
