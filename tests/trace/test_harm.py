"""Harm to a task: the change against scipy and pytrec_eval, the interval, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
import pytrec_eval
from scipy.stats import spearmanr

from workbench.trace.harm import retrieval_harm, similarity_harm


@pytest.fixture(scope="module")
def pairs():
    draw = np.random.default_rng(0)
    first = draw.normal(size=(200, 16))
    noise = draw.uniform(0, 3, size=(200, 1))
    second = first + noise * draw.normal(size=(200, 16))
    return first, second, -noise[:, 0]


def test_no_change_is_no_harm(pairs) -> None:
    first, second, gold = pairs
    harm = similarity_harm((first, second), (first, second), gold)
    assert (harm.change, harm.low, harm.high, harm.verdict) == (0.0, 0.0, 0.0, "not shown")


def test_noise_in_the_vectors_is_harm_as_scipy_sees_it(pairs) -> None:
    first, second, gold = pairs
    worse = second + 4 * np.random.default_rng(1).normal(size=second.shape)
    harm = similarity_harm((first, second), (first, worse), gold)
    cosines = (first * worse).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(worse, axis=1)
    assert harm.right == pytest.approx(spearmanr(cosines, gold).statistic)
    assert harm.low < harm.change < harm.high < 0
    assert harm.verdict == "worse" and "harm" in harm.sentence
    assert similarity_harm((first, worse), (first, second), gold).verdict == "better"


def test_ndcg_is_pytrec_evals() -> None:
    draw = np.random.default_rng(2)
    documents = draw.normal(size=(40, 8))
    queries = documents[:15] + draw.normal(size=(15, 8))
    relevant = [{i: 2.0, (i + 7) % 40: 1.0} for i in range(15)]
    other = documents + 2 * draw.normal(size=documents.shape)
    harm = retrieval_harm((queries, documents), (queries, other), relevant)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, other)]
    scores = unit[0] @ unit[1].T
    judged = {str(i): {str(j): int(gain) for j, gain in gains.items()} for i, gains in enumerate(relevant)}
    run = {str(i): {str(j): float(scores[i, j]) for j in range(40)} for i in range(15)}
    results = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10"}).evaluate(run)
    assert harm.right == pytest.approx(np.mean([row["ndcg_cut_10"] for row in results.values()]))
    assert harm.metric == "ndcg@10" and harm.examples == 15


def test_bad_input_is_refused(pairs) -> None:
    first, second, gold = pairs
    with pytest.raises(ValueError, match="harm-mismatch"):
        similarity_harm((first, second), (first[:5], second[:5]), gold)
    with pytest.raises(ValueError, match="harm-too-few"):
        similarity_harm((first[:5], second[:5]), (first[:5], second[:5]), gold[:5])
    with pytest.raises(ValueError, match="gold-constant"):
        similarity_harm((first, second), (first, second), np.zeros(200))
    with pytest.raises(ValueError, match="relevant-unknown"):
        retrieval_harm((first, second), (first, second), [{999: 1.0}] * 200)
