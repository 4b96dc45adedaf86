"""Ranking metrics: scikit-learn's and trec_eval's where untied, the mean over all orders where tied."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, label_ranking_average_precision_score, ndcg_score

from workbench.evaluation.metrics.ranking import (
    TieGroup,
    accuracy_at_k,
    average_precision_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
    tie_groups,
)

METRICS = ("accuracy", "precision", "recall", "mrr", "ndcg", "map")


def mine(scores: Any, relevant: Any, k: int, total: int) -> dict[str, float]:
    groups = tie_groups(np.asarray(scores, dtype=float), np.asarray(relevant, dtype=np.int64), depth=k)
    return {
        "accuracy": accuracy_at_k(groups, k),
        "precision": precision_at_k(groups, k),
        "recall": recall_at_k(groups, k, total),
        "mrr": reciprocal_rank_at_k(groups, k),
        "ndcg": ndcg_at_k(groups, k, total),
        "map": average_precision_at_k(groups, k, total),
    }


def of_order(relevant: list[int], k: int, total: int) -> dict[str, float]:
    """The textbook definitions over one order."""
    top = relevant[:k]
    ranks = [rank for rank, hit in enumerate(top, 1) if hit]
    return {
        "accuracy": float(bool(ranks)),
        "precision": len(ranks) / k,
        "recall": len(ranks) / total,
        "mrr": 1 / ranks[0] if ranks else 0.0,
        "ndcg": sum(1 / np.log2(rank + 1) for rank in ranks)
        / sum(1 / np.log2(rank + 1) for rank in range(1, min(k, total) + 1)),
        "map": sum(number / rank for number, rank in enumerate(ranks, 1)) / min(k, total),
    }


def over_all_orders(scores: list[int], relevant: list[int], k: int, total: int) -> dict[str, float]:
    found = []
    for order in permutations(range(len(scores))):
        ranked = sorted(order, key=lambda item: -scores[item])  # sorted keeps the order of equals
        found.append(of_order([relevant[item] for item in ranked], k, total))
    return {metric: float(np.mean([one[metric] for one in found])) for metric in METRICS}


rankings = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6).filter(
    lambda items: any(hit for _, hit in items)
)


@settings(max_examples=60)
@given(rankings, st.integers(1, 8), st.integers(0, 2))
def test_ties_give_the_mean_over_all_orders(items: list[tuple[int, bool]], k: int, missing: int) -> None:
    scores, relevant = [score for score, _ in items], [int(hit) for _, hit in items]
    total = sum(relevant) + missing
    assert mine(scores, relevant, k, total) == pytest.approx(over_all_orders(scores, relevant, k, total))


@settings(max_examples=60)
@given(st.integers(2, 40), st.integers(1, 45), st.randoms(use_true_random=False))
def test_untied_figures_are_scikit_learns(count: int, k: int, random: Any) -> None:
    scores = np.array(random.sample(range(1000), count), dtype=float)
    relevant = np.array([random.random() < 0.4 for _ in range(count)], dtype=int)
    relevant[random.randrange(count)] = 1
    found = mine(scores, relevant, k, int(relevant.sum()))
    assert found["ndcg"] == pytest.approx(ndcg_score([relevant], [scores], k=k))
    whole = mine(scores, relevant, count, int(relevant.sum()))
    assert whole["map"] == pytest.approx(average_precision_score(relevant, scores))
    assert whole["map"] == pytest.approx(label_ranking_average_precision_score([relevant], [scores]))


@settings(max_examples=40)
@given(rankings, st.integers(1, 8))
def test_tied_ndcg_is_scikit_learns(items: list[tuple[int, bool]], k: int) -> None:
    scores, relevant = [float(score) for score, _ in items], [int(hit) for _, hit in items]
    if len(items) > 1:
        found = mine(scores, relevant, k, sum(relevant))["ndcg"]
        assert found == pytest.approx(ndcg_score([relevant], [scores], k=k, ignore_ties=False))


@settings(max_examples=40)
@given(rankings, st.integers(1, 8))
def test_a_row_that_stands_for_several_is_those_several(items: list[tuple[int, bool]], k: int) -> None:
    scores, relevant = [score for score, _ in items], [int(hit) for _, hit in items]
    levels = sorted(set(scores))
    merged = tie_groups(
        np.array(levels, dtype=float),
        np.array([sum(h for s, h in zip(scores, relevant, strict=True) if s == level) for level in levels]),
        np.array([scores.count(level) for level in levels]),
    )
    assert merged == tie_groups(np.array(scores, dtype=float), np.array(relevant))
    assert reciprocal_rank_at_k(merged, k) == mine(scores, relevant, k, sum(relevant))["mrr"]


def test_a_large_tie_is_computed_and_not_enumerated() -> None:
    group = [TieGroup(before=3, size=200_000, relevant=2)]
    # 97 of 200,000 places are within the first hundred.
    assert recall_at_k(group, 100, 2) == pytest.approx(97 / 200_000)
    none = (200_000 - 97) * (200_000 - 98) / (200_000 * 199_999)
    assert accuracy_at_k(group, 100) == pytest.approx(1 - none)
    assert 0 < reciprocal_rank_at_k(group, 100) < accuracy_at_k(group, 100)


def test_untied_figures_are_trec_evals() -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval")
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores: NDArray[Any] = rng.permutation(30).astype(float)
        relevant = (rng.random(30) < 0.2).astype(int)
        relevant[0] = 1
        qrel = {"q": {f"d{i}": int(hit) for i, hit in enumerate(relevant)} | {"elsewhere": 1}}
        run = {"q": {f"d{i}": float(score) for i, score in enumerate(scores)}}
        measures = {"ndcg_cut.10", "P.10", "recall.10", "success.10", "recip_rank", "map"}
        theirs = pytrec_eval.RelevanceEvaluator(qrel, measures).evaluate(run)["q"]
        total = int(relevant.sum()) + 1
        at_10, whole = mine(scores, relevant, 10, total), mine(scores, relevant, 30, total)
        assert at_10["ndcg"] == pytest.approx(theirs["ndcg_cut_10"])
        assert at_10["precision"] == pytest.approx(theirs["P_10"])
        assert at_10["recall"] == pytest.approx(theirs["recall_10"])
        assert at_10["accuracy"] == pytest.approx(theirs["success_10"])
        assert whole["mrr"] == pytest.approx(theirs["recip_rank"])
        assert whole["map"] == pytest.approx(theirs["map"])
