"""The map: coinciding points of several columns stay visible, hostile texts stay texts."""

from __future__ import annotations

import json

import numpy as np

from workbench.ui.widgets.map import COLOURS, map_figure

_XY = np.array([[0.1, 0.2], [0.3, -0.4]])
_HOSTILE = "<img src=x onerror=alert(1)><b>x</b>"


def _figure(labels=("own", "upstream", "manual"), texts=("one", "two")):
    points = dict.fromkeys(labels, _XY)
    return map_figure(points, texts, (0, 1), {label: place for place, label in enumerate(labels)})


def test_columns_on_one_spot_are_rings_of_falling_size_inside_each_other():
    traces = [trace for trace in _figure().data if trace.mode == "markers"]
    assert [trace.name for trace in traces] == ["own", "upstream", "manual"]
    sizes = [trace.marker.size for trace in traces]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    # The outer ones are open: what lies inside can be seen.
    assert [trace.marker.symbol for trace in traces] == ["circle-open", "circle-open", "circle"]
    assert [trace.marker.color for trace in traces] == list(COLOURS[:3])


def test_each_text_is_numbered_once_and_points_carry_its_index():
    figure = _figure()
    numbers = [trace for trace in figure.data if trace.mode == "text"]
    assert [tuple(trace.text) for trace in numbers] == [("1", "2")]
    assert [tuple(trace.customdata) for trace in figure.data if trace.mode == "markers"] == [(0, 1)] * 3


def test_many_points_are_not_numbered():
    rows = tuple(range(100))
    figure = map_figure({"own": np.zeros((100, 2))}, ["text"] * 100, rows, {"own": 0})
    assert [trace.mode for trace in figure.data] == ["markers"]


def test_hostile_texts_and_names_are_escaped_everywhere():
    drawn = json.dumps(json.loads(_figure(labels=(_HOSTILE,), texts=(_HOSTILE, "two")).to_json()))
    assert "<img" not in drawn
    assert "<b>" not in drawn
    assert "&lt;img" in drawn


def test_a_long_text_is_cut_and_broken_into_lines():
    hover = _figure(texts=("word " * 200, "two")).data[0].text[0]
    assert len(hover) < 130
    assert "<br>" in hover
