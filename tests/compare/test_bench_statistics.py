"""Ratios and percentiles by hand, by numpy and by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.compare.bench_statistics import (
    LEAST_ROUNDS,
    Ratio,
    paired_ratio,
    percentile_ms,
    ratio_of_ratios,
)
from workbench.errors import ShapeMismatchError

SECONDS = st.lists(st.floats(0.01, 10), min_size=LEAST_ROUNDS, max_size=12)


def test_the_ratio_is_that_of_the_medians_and_its_interval_scipys():
    baseline, other = [2.0, 2.2, 1.8, 2.1, 9.0, 2.0], [1.0, 1.1, 1.0, 0.9, 1.0, 1.3]
    found = paired_ratio(baseline, other)
    assert found.value == pytest.approx(np.median(baseline) / np.median(other))
    # The same resamples by hand: rounds are drawn in pairs.
    pairs = np.array([baseline, other])
    draws = np.random.default_rng(1).integers(0, 6, (20_000, 6))
    ratios = np.median(pairs[0][draws], axis=1) / np.median(pairs[1][draws], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert found.low == pytest.approx(low, rel=0.03)
    assert found.high == pytest.approx(high, rel=0.03)
    assert not found.spans_one and found.rounds == 6


@given(SECONDS)
def test_something_against_itself_is_one_exactly(seconds):
    assert paired_ratio(seconds, seconds) == Ratio(1.0, 1.0, 1.0, len(seconds))


@given(SECONDS, st.floats(0.1, 10))
def test_a_constant_factor_in_every_round_is_found_without_doubt(seconds, factor):
    found = paired_ratio([factor * one for one in seconds], seconds)
    assert found.value == pytest.approx(factor)
    assert found.low == pytest.approx(factor) and found.high == pytest.approx(factor)


def test_few_rounds_have_no_interval_and_show_nothing():
    found = paired_ratio([2.0] * 4, [1.0] * 4)
    assert found == Ratio(2.0, None, None, 4)
    assert found.spans_one


@pytest.mark.parametrize(("one", "other"), [([], []), ([1.0], [1.0, 2.0])])
def test_other_rounds_are_refused(one, other):
    with pytest.raises(ShapeMismatchError) as caught:
        paired_ratio(one, other)
    assert caught.value.code == "rounds-mismatch"


def test_percentiles_are_numpys_in_milliseconds():
    seconds = [0.3, 0.1, 0.2, 0.9]
    for percent in (50, 95, 99):
        assert percentile_ms(seconds, percent) == pytest.approx(1000 * np.percentile(seconds, percent))


def test_a_change_over_time_has_the_doubt_of_both():
    found = ratio_of_ratios(Ratio(2.0, 1.8, 2.2, 7), Ratio(1.0, 0.9, 1.1, 5))
    half = math.hypot(math.log(2.2 / 1.8), math.log(1.1 / 0.9)) / 2
    assert found.value == 2.0 and found.rounds == 5
    assert found.low == pytest.approx(2 * math.exp(-half))
    assert found.high == pytest.approx(2 * math.exp(half))
    assert ratio_of_ratios(Ratio(2.0, None, None, 3), Ratio(1.0, 0.9, 1.1, 5)).low is None
