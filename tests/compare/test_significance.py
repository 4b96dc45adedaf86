"""Paired differences against scipy's bootstrap and permutation test, and what no seed or swap may change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap, pearsonr, permutation_test, rankdata, spearmanr

from workbench.compare.holm import holm
from workbench.compare.item_scores import (
    ItemScores,
    draw_counts,
    metric_on_resamples,
    metric_value,
    midranks,
    ranking,
)
from workbench.compare.significance import (
    bootstrap_differences,
    corrected,
    paired_difference,
    score_interval,
)
from workbench.compare.swap_test import swap_test
from workbench.errors import InvalidValueError, ShapeMismatchError
from workbench.evaluation.metrics.score import Undefined


def pairs(seed: int, items: int = 40, noise: float = 1.0, kind: Any = "spearman") -> ItemScores:
    """Scores of a model on pairs whose gold scores are the same for every seed."""
    gold = np.random.default_rng(99).integers(0, 6, items).astype(float)
    rng = np.random.default_rng(seed)
    return ItemScores("m", np.round(gold + noise * rng.normal(size=items), 1), gold, kind)


def means(values: Any) -> ItemScores:
    return ItemScores("accuracy", np.asarray(values, dtype=float))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 999))
def test_ranks_within_a_resample_are_scipys(values: list[int], seed: int) -> None:
    numbers = np.array(values, dtype=float)
    rows = np.random.default_rng(seed).integers(0, len(values), (5, len(values)))
    found = midranks(ranking(numbers), draw_counts(rows, len(values)))
    for row, ranks in zip(rows, found, strict=True):
        assert ranks[row] == pytest.approx(rankdata(numbers[row]))


@pytest.mark.parametrize(("kind", "correlation"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_the_bootstrap_is_scipys_own(kind: Any, correlation: Any) -> None:
    reference, candidate = pairs(1, kind=kind), pairs(2, noise=1.5, kind=kind)
    ours = bootstrap_differences(reference, [candidate], 200, np.random.default_rng(7))

    def difference(gold: Any, before: Any, after: Any) -> float:
        return float(correlation(gold, after).statistic - correlation(gold, before).statistic)

    theirs = bootstrap(
        (reference.gold, reference.values, candidate.values),
        difference,
        paired=True,
        vectorized=False,
        n_resamples=200,
        method="percentile",
        rng=np.random.default_rng(7),
    )
    assert ours == pytest.approx(theirs.bootstrap_distribution, abs=1e-12)
    found = paired_difference(reference, [candidate], resamples=200, seed=7)
    interval = theirs.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_the_interval_of_a_mean_is_scipys() -> None:
    rng = np.random.default_rng(0)
    before, after = means(rng.random(50)), means(rng.random(50))
    found = paired_difference(before, [after], resamples=300, seed=3)
    theirs = bootstrap(
        (after.values - before.values,),
        np.mean,
        n_resamples=300,
        method="percentile",
        rng=np.random.default_rng(3),
    )
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-12)
    alone = score_interval(after, resamples=300, seed=3)
    theirs = bootstrap(
        (after.values,), np.mean, n_resamples=300, method="percentile", rng=np.random.default_rng(3)
    )
    assert alone == pytest.approx(tuple(theirs.confidence_interval), abs=1e-12)


def test_the_swap_test_is_scipys_permutation_of_samples() -> None:
    # Eight items: scipy takes all 256 exchanges, and ours as many random ones as make the error small.
    reference, candidate = pairs(1, items=8), pairs(5, items=8, noise=0.2)
    gold = reference.gold

    def difference(after: Any, before: Any, axis: int = -1) -> Any:
        one = [spearmanr(gold, row).statistic for row in np.atleast_2d(after)]
        other = [spearmanr(gold, row).statistic for row in np.atleast_2d(before)]
        found = np.array(one) - np.array(other)
        return found if np.ndim(after) > 1 else found[0]

    exact = permutation_test(
        (rankdata(candidate.values), rankdata(reference.values)),
        difference,
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=np.inf,
    )
    better, _ = swap_test(reference, [candidate], 20_000, np.random.default_rng(0))
    assert better == pytest.approx(exact.pvalue, abs=0.015)


@pytest.mark.parametrize(("won", "lost"), [(4, 0), (9, 2), (3, 3)])
def test_on_right_and_wrong_the_swap_test_is_the_sign_test(won: int, lost: int) -> None:
    before = means([0.0] * won + [1.0] * lost + [1.0] * 20)
    after = means([1.0] * won + [0.0] * lost + [1.0] * 20)
    better, worse = swap_test(before, [after], 20_000, np.random.default_rng(1))
    assert better == pytest.approx(binomtest(won, won + lost, alternative="greater").pvalue, abs=0.015)
    assert worse == pytest.approx(binomtest(won, won + lost, alternative="less").pvalue, abs=0.015)


def test_four_lucky_items_are_no_proof() -> None:
    # The bootstrap alone would say better: the chance that a resample holds none of the four is 1.8%.
    before, after = means([0.0] * 4 + [1.0] * 46), means([1.0] * 50)
    found = paired_difference(before, [after], resamples=4000)
    assert found.low is not None and found.low > 0
    assert not found.better
    assert found.p_better > 0.05


@settings(max_examples=15)
@given(st.integers(0, 99), st.sampled_from(["spearman", "pearson"]))
def test_exchanging_the_sides_flips_the_sign(seed: int, kind: Any) -> None:
    one, other = pairs(seed, kind=kind), pairs(seed + 1, kind=kind)
    there, back = (paired_difference(a, [b], resamples=300) for a, b in ((one, other), (other, one)))
    assert isinstance(there.value, float) and isinstance(back.value, float)
    assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert (there.low, there.high) == pytest.approx((-(back.high or 0), -(back.low or 0)), abs=1e-12)
    assert there.better == back.worse and there.worse == back.better


@settings(max_examples=10)
@given(st.integers(0, 99))
def test_a_model_is_not_better_than_itself(seed: int) -> None:
    for one in (pairs(seed), means(np.random.default_rng(seed).random(30))):
        found = paired_difference(one, [one], resamples=200)
        assert (found.value, found.low, found.high, found.error) == (0.0, 0.0, 0.0, 0.0)
        assert (found.p_better, found.p_worse) == (1.0, 1.0)
        assert not found.better and not found.worse


@settings(max_examples=10)
@given(st.integers(0, 99))
def test_the_order_of_the_items_changes_no_score(seed: int) -> None:
    one, other = pairs(seed), pairs(seed + 1)
    order = np.random.default_rng(seed).permutation(len(one))
    assert one.gold is not None
    turned = [ItemScores("m", side.values[order], one.gold[order], "spearman") for side in (one, other)]
    first = paired_difference(one, [other], resamples=2000)
    second = paired_difference(turned[0], turned[1:], resamples=2000)
    assert isinstance(first.value, float) and isinstance(second.value, float)
    assert first.value == pytest.approx(second.value, abs=1e-12)
    # The draws fall on other items: the ends agree within their Monte Carlo error.
    assert first.error is not None
    assert first.low == pytest.approx(second.low, abs=0.25 * first.error)
    assert first.high == pytest.approx(second.high, abs=0.25 * first.error)


def test_holm_on_the_textbook_example() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_several_models_make_it_harder_for_each() -> None:
    reference, candidate = pairs(1, 60, 2.5), pairs(2, 60, 1.0)
    alone = paired_difference(reference, [candidate], resamples=2000)
    assert alone.better
    twenty = corrected([alone, *(paired_difference(pairs(3), [pairs(3)], resamples=100) for _ in range(200))])
    assert not twenty[0].better
    assert twenty[0].p_better == alone.p_better


@pytest.mark.parametrize("broken", ["candidate", "seed", "reference", "resample"])
def test_what_is_undefined_never_wins(broken: str) -> None:
    good = pairs(1, 12)
    flat = ItemScores("m", np.ones(12), good.gold, "spearman")
    rare = ItemScores("m", np.array([1.0] + [0.0] * 11), good.gold, "spearman")
    reference, candidates = {
        "candidate": (good, [flat]),
        "seed": (good, [good, flat]),
        "reference": (flat, [good]),
        "resample": (rare, [good]),
    }[broken]
    found = paired_difference(reference, candidates, resamples=200)
    assert not found.better and not found.worse
    assert found.low is None and found.undefined
    assert isinstance(found.value, Undefined) == (broken != "resample")
    assert isinstance(metric_value(flat), Undefined)
    assert np.isnan(metric_on_resamples(flat, np.ones((1, 12)))).all()
    assert score_interval(flat, resamples=100) is None


def test_what_cannot_be_compared_is_refused() -> None:
    one = pairs(1)
    with pytest.raises(ShapeMismatchError, match="items-mismatch"):
        paired_difference(one, [pairs(1, 41)])
    with pytest.raises(ShapeMismatchError, match="items-mismatch"):
        paired_difference(one, [ItemScores("m", one.values, one.values, "spearman")])
    with pytest.raises(ShapeMismatchError, match="pairs-mismatch"):
        ItemScores("m", np.ones(3), np.ones(4), "spearman")
    for code, arguments in (
        ("no-candidate", {"candidates": []}),
        ("too-few-resamples", {"candidates": [one], "resamples": 10}),
        ("level-out-of-range", {"candidates": [one], "level": 95.0}),
    ):
        with pytest.raises(InvalidValueError, match=code):
            paired_difference(one, **arguments)  # type: ignore[arg-type]
    assert paired_difference(means([1.0]), [means([1.0])]).undefined


def coverage(
    draws: int, seeds: int, items: int, spread: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Share of intervals that hold the true difference 0, and of verdicts that say better."""
    held = better = 0
    for number in range(draws):
        before = means(rng.normal(size=items))
        # Each training is off by a draw of its own, on all items alike.
        after = [means(before.values + rng.normal(size=items) + spread * rng.normal()) for _ in range(seeds)]
        found = paired_difference(before, after, resamples=400, seed=number)
        assert found.low is not None and found.high is not None
        held += found.low <= 0 <= found.high
        better += found.better
    return held / draws, better / draws


def test_few_seeds_that_vary_are_not_trusted() -> None:
    held, better = coverage(150, 3, 50, 0.3, np.random.default_rng(4))
    assert held >= 0.9
    assert better <= 0.06


@pytest.mark.full
@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.0), (3, 0.3), (5, 1.0)])
def test_the_interval_covers_what_it_says(seeds: int, spread: float) -> None:
    held, better = coverage(1500, seeds, 100, spread, np.random.default_rng(seeds))
    # The percentile interval of 100 items is a little narrow (normal for t, 99/100 of the variance, 400
    # resamples): about 94%. Three standard errors of 1,500 draws are 1.8 points of it, 1.2 of the 2.5%.
    assert held >= 0.94 - 0.018
    assert better <= 0.025 + 0.012
