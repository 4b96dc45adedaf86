"""The figures of a benchmark hold its numbers, in both languages, and every plot has its table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.made_up_bench import PLAN, SECONDS, made_up
from workbench.compare.bench_history import over_time
from workbench.compare.bench_plan import Variant
from workbench.ui.widgets.bench_figures import (
    AXES,
    log_ticks,
    ratio_figure,
    shares_figure,
    tradeoff_figure,
    variant_name,
)
from workbench.ui.widgets.bench_tables import (
    earlier_html,
    figures_html,
    memory_html,
    milliseconds,
    not_run_html,
    ratio_text,
    shares_html,
    tradeoff_html,
)


def test_bars_are_the_ratios_with_their_intervals():
    result = made_up()
    figure = ratio_figure(result, "en")
    own = next(trace for trace in figure.data if trace.name == "own · float32")
    rows = [one for one in result.measured if one.variant.contender == "own"]
    assert list(own.x) == ["sentences", "paragraphs"]
    assert list(own.y) == pytest.approx([row.ratio.value for row in rows if row.ratio])
    high = [row.ratio.high - row.ratio.value for row in rows if row.ratio and row.ratio.high]
    assert list(own.error_y.array) == pytest.approx(high)
    assert list(ratio_figure(result, "ko").data[0].x) == ["문장", "문단"]


def test_few_rounds_are_drawn_without_an_interval():
    figure = ratio_figure(made_up({name: found[:2] for name, found in SECONDS.items()}), "en")
    assert not any(trace.error_y.visible for trace in figure.data)


def test_shares_stack_to_a_hundred():
    figure = shares_figure(made_up(), "en")
    assert len(figure.data) == 4
    for place in range(6):
        assert sum(trace.x[place] for trace in figure.data) == pytest.approx(100)


@pytest.mark.parametrize("axis", AXES)
def test_every_point_of_quality_against_speed_is_drawn_once(axis):
    tradeoff = made_up().tradeoff
    assert tradeoff is not None
    figure = tradeoff_figure(tradeoff, axis, "en")
    assert sum(len(trace.x) for trace in figure.data) == len(tradeoff.points)
    values = {
        "search": [4000.0, 9000.0, 7000.0],
        "bytes": [1536.0, 48.0, 192.0],
        "encode": [100.0, 100.0, 150.0],
    }[axis]
    assert sorted(x for trace in figure.data for x in trace.x) == sorted(values)


@given(st.lists(st.floats(1, 1e7), min_size=1, max_size=9))
def test_ticks_reach_around_the_values(values):
    ticks = log_ticks(values)
    assert ticks == sorted(set(ticks)) and ticks[0] <= min(values)
    assert ticks[-1] >= max(values)


def test_no_value_has_no_tick():
    assert log_ticks([]) == log_ticks([float("nan"), 0.0]) == []


def test_a_name_holds_what_differs_alone():
    variant = Variant("own", "int8", 8, "cpu")
    assert variant_name(variant, replace(PLAN, precisions=("int8",))) == "own"
    assert variant_name(variant, replace(PLAN, batch_sizes=(8, 32))) == "own · int8 · 8"


def test_tables_hold_the_figures_and_escape_what_came():
    result = made_up()
    text = figures_html(result, "en")
    assert text.count("<table") == 2 and "2.00 (" in text and "0.3900" in text and "40%" in text
    assert "500 MB" in memory_html(result, "en") and "2.5 s" in memory_html(result, "en")
    assert "90%" in shares_html(result, "ko")
    assert "=No int8 there." in not_run_html(result, "en")
    evil = replace(result.not_run[0], reason="<script>x</script>")
    assert "<script" not in not_run_html(replace(result, not_run=(evil,)), "en")
    assert tradeoff_html(result, "en").count("<tr>") == 3 + 1 + 2 + 1
    bare = replace(result, tradeoff=None, not_run=())
    assert tradeoff_html(bare, "en") == not_run_html(bare, "en") == ""
    alone = replace(result, measured=tuple(replace(one, fresh=None, shares=None) for one in result.measured))
    assert "not measured" in memory_html(alone, "en")


def test_earlier_results_say_what_was_different():
    old = made_up(
        conditions=replace(made_up().conditions, cpu="Another <b>", date_utc="2026-01-02T03:04:05+00:00")
    )
    text = earlier_html(over_time(made_up(), [old]), PLAN, "en")
    assert "2026-01-02 03:04" in text and "Another machine" in text and "Another &lt;b&gt;" in text
    assert "No earlier result" in earlier_html((), PLAN, "en")


def test_numbers_as_text():
    assert ratio_text(None) == "–"
    assert milliseconds(9_999) == "9,999 ms" and milliseconds(100, 12_345) == "0.1 / 12.3 s"
