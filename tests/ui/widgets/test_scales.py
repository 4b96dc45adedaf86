"""The colour scales: the class is the value, numbers stay readable, brightness follows the value."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from workbench.ui.widgets.scales import contrast, difference_class, gradient_css, scale_css, similarity_class

_RULES = re.findall(
    r"(\.dark )?i\.([qd])(\d+)\{background:(#[0-9a-f]{6});color:(#[0-9a-f]{6})\}", scale_css()
)


@given(st.floats(-0.1, 1.0))
def test_the_class_of_a_similarity_gives_it_back_to_two_digits(value):
    level = int(similarity_class(value).removeprefix("q"))
    assert math.isclose((level - 10) / 100, value, abs_tol=0.005 + 1e-9)


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 10))
def test_any_number_has_a_class_that_exists(value, scale):
    known = {f"{kind}{level}" for _, kind, level, _, _ in _RULES} | {"qx"}
    assert similarity_class(value) in known
    assert difference_class(value, scale) in known


def test_zero_is_the_middle_of_differences_and_the_ends_are_the_scale():
    assert difference_class(0.0, 0.3) == "d50"
    assert difference_class(-0.3, 0.3) == "d0"
    assert difference_class(0.3, 0.3) == "d100"
    assert difference_class(0.0, 0.0) == "d50"


def test_every_level_exists_in_both_themes_and_its_number_can_be_read():
    assert len(_RULES) == 2 * (111 + 101)
    for _, _, _, ground, ink in _RULES:
        assert contrast(ground, ink) >= 4.5


def test_brightness_follows_the_similarity_in_both_themes():
    for dark in ("", ".dark "):
        ramp = [
            ground
            for theme, kind, level, ground, _ in _RULES
            if theme == dark and kind == "q" and int(level) >= 10
        ]
        against_black = [contrast(colour, "#000000") for colour in ramp]
        assert against_black == sorted(against_black, reverse=not dark)


def test_the_two_signs_differ_in_brightness_or_hue_for_the_colour_blind():
    # Blue against orange: their blue channels part far, which deuteranopes and protanopes see.
    for dark in ("", ".dark "):
        ends = {level: ground for theme, kind, level, ground, _ in _RULES if theme == dark and kind == "d"}
        low, high = ends["0"], ends["100"]
        assert int(high[5:7], 16) - int(low[5:7], 16) > 60


def test_a_legend_runs_over_the_whole_scale():
    assert gradient_css("similarity", "light").startswith("linear-gradient(90deg, #")
    assert " 0.0%" in gradient_css("difference", "dark")
    assert "100.0%)" in gradient_css("difference", "dark")
