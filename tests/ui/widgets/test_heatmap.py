"""Heatmaps: every cell in its place and class, the sample even, names and texts never markup."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.widgets.heatmap import Heatmap, drawn_rows, heatmap_html, legend_html, waiting_html

_CELL = re.compile(r"<i class=([qd]\w+)>([^<]*)</i>")


def _matrix(size):
    values = np.linspace(-0.1, 1, size * size).reshape(size, size)
    return (values + values.T) / 2


def test_cells_stand_row_by_row_with_their_values():
    matrix = np.array([[1.0, -0.05], [0.57, 1.0]])
    cells = _CELL.findall(heatmap_html(Heatmap("own", (0,), matrix, (0, 1)), "two texts"))
    assert cells == [("q110", "1"), ("q5", "\u2212.05"), ("q67", ".57"), ("q110", "1")]


def test_a_difference_has_its_own_scale_and_leaves_zeros_blank():
    matrix = np.array([[0.0, -0.3], [0.15, 0.001]])
    markup = heatmap_html(Heatmap("own \u2212 manual", (0, 2), matrix, (0, 1), "", "difference", 0.3), "x")
    assert _CELL.findall(markup) == [("d50", ""), ("d0", "\u2212.30"), ("d75", ".15"), ("d50", "")]
    assert 'data-scale="0.3"' in markup
    assert "c0" in markup and "c2" in markup


def test_many_rows_have_no_numbers_in_cells_and_fewer_on_the_axis():
    markup = heatmap_html(Heatmap("own", (0,), _matrix(40), tuple(range(40))), "forty")
    cells = _CELL.findall(markup)
    assert len(cells) == 1600
    assert all(text == "" for _, text in cells)
    assert markup.count("<span>1</span>") == 2
    assert "<span>2</span>" not in markup
    # A heatmap of the largest size stays small enough to be sent for six columns.
    largest = heatmap_html(Heatmap("own", (0,), _matrix(60), tuple(range(60))), "sixty")
    assert len(largest) < 80_000


def test_an_undefined_value_is_marked_and_not_a_number():
    matrix = np.array([[np.nan, 0.5], [0.5, 1.0]])
    assert _CELL.findall(heatmap_html(Heatmap("own", (0,), matrix, (0, 1)), "x"))[0] == ("qx", "")


@given(st.integers(0, 3000), st.integers(1, 100))
def test_the_sample_is_even_ordered_and_holds_both_ends(total, limit):
    rows = drawn_rows(total, limit)
    assert len(rows) == min(total, limit)
    assert list(rows) == sorted(set(rows))
    if total > 1 and limit > 1:
        assert rows[0] == 0 and rows[-1] == total - 1
        gaps = np.diff(rows)
        assert gaps.max() - gaps.min() <= 1


@given(st.text(max_size=30), st.text(max_size=30))
def test_names_and_words_are_escaped(label, words):
    markup = heatmap_html(Heatmap(label, (0,), np.ones((1, 1)), (0,), words), words)
    tags = set(re.findall(r"<([a-zA-Z!/?][^\s>]*)", markup))
    assert tags <= {
        "figure",
        "figcaption",
        "span",
        "b",
        "div",
        "i",
        "/figure",
        "/figcaption",
        "/span",
        "/b",
        "/div",
        "/i",
    }
    assert "<" not in waiting_html(label, 0, words).replace("<figure", "").replace("<figcaption", "").replace(
        "<b", ""
    ).replace("<div", "").replace("<span", "").replace("</", "")


def test_the_legend_tells_both_ends():
    assert "\u22120.1" in legend_html("similarity", 1.0, "cosine")
    assert "\u22123.4e-2" in legend_html("difference", 0.034, "cosine")
