"""Correlations against scipy, and where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, pearsonr, spearmanr

from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.evaluation.metrics.correlation import pearson, spearman
from workbench.evaluation.metrics.score import Undefined, best, mean

numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9)), min_size=3, max_size=30).filter(
    lambda rows: all(len(set(side)) > 1 for side in zip(*rows, strict=True))
)


@settings(max_examples=80)
@given(numbers, st.randoms(use_true_random=False))
def test_they_are_scipys_whatever_the_order(rows: list[tuple[int, int]], random: Any) -> None:
    gold, scores = (np.array(side, dtype=float) for side in zip(*rows, strict=True))
    assert pearson(gold, scores) == pytest.approx(pearsonr(gold, scores).statistic)
    assert spearman(gold, scores) == pytest.approx(spearmanr(gold, scores).statistic)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert spearman(gold[order], scores[order]) == pytest.approx(spearman(gold, scores), abs=1e-12)
    # Any rising function of the scores leaves the ranks, and so the sign of the concordance, alone.
    assert spearman(gold, np.exp(scores)) == pytest.approx(spearman(gold, scores), abs=1e-12)
    tau = kendalltau(gold, scores).statistic
    assert abs(tau) < 1 or np.sign(tau) == np.sign(spearman(gold, scores))


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_constant_sides_have_no_correlation(correlation: Any) -> None:
    rising = np.arange(5.0)
    for gold, scores in ((np.ones(5), rising), (rising, np.ones(5))):
        assert isinstance(correlation(gold, scores), Undefined)
    # A collapsed model's cosines: one number and its rounding.
    one = np.float32(1)
    noise = np.array([one, np.nextafter(one, np.float32(0)), one, np.nextafter(one, np.float32(2)), one])
    assert isinstance(correlation(rising, noise), Undefined)
    assert correlation(rising, np.array([0.9, 0.90001, 0.90002, 0.90003, 0.90004], np.float32)) > 0.99


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_what_cannot_be_correlated_is_refused(correlation: Any) -> None:
    with pytest.raises(InvalidValueError, match="too-few-examples"):
        correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    with pytest.raises(InvalidValueError, match="row 1"):
        correlation(np.array([1.0, np.nan, 2.0]), np.arange(3.0))
    with pytest.raises(ShapeMismatchError):
        correlation(np.arange(3.0), np.arange(4.0))


def test_an_undefined_score_is_never_the_best() -> None:
    undefined = Undefined("constant")
    assert best([undefined, -0.5, undefined]) == -0.5
    assert best([undefined]) == undefined
    assert mean([1.0, 2.0]) == 1.5
    assert mean([1.0, undefined]) == undefined
