"""The best threshold and average precision, against upstream's loops and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.evaluation import BinaryClassificationEvaluator as Upstream
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, matthews_corrcoef

from workbench.evaluation.metrics.average_precision import average_precision
from workbench.evaluation.metrics.thresholds import best_accuracy, best_f1, cuts, matthews

# Few levels make many ties; neighbouring float32 numbers have no number between them.
levels = st.sampled_from(
    [np.float32(x) for x in (-1, 0, 0.1, 0.25, 0.3, 0.9)] + [np.nextafter(np.float32(0.3), np.float32(1))]
)
pairs = st.lists(st.tuples(levels, st.booleans()), min_size=2, max_size=25).filter(
    lambda items: len({label for _, label in items}) == 2
)


def split(items: list[tuple[Any, bool]]) -> tuple[Any, Any]:
    return np.array([score for score, _ in items]), np.array([label for _, label in items])


@settings(max_examples=150)
@given(pairs)
def test_they_are_upstreams(items: list[tuple[Any, bool]]) -> None:
    scores, labels = split(items)
    every, positives = cuts(scores, labels), int(labels.sum())
    accuracy, f1 = best_accuracy(every), best_f1(every, positives)
    for sign, high in ((1, True), (-1, False)):
        theirs = Upstream.find_best_acc_and_threshold(sign * scores, labels.astype(int), high)
        assert (accuracy.accuracy, sign * accuracy.threshold) == pytest.approx(theirs, rel=1e-7)
        theirs = Upstream.find_best_f1_and_threshold(sign * scores, labels.astype(int), high)
        assert (f1.f1, f1.precision, f1.recall, sign * f1.threshold) == pytest.approx(theirs, rel=1e-7)


@settings(max_examples=100)
@given(pairs)
def test_the_thresholds_reach_what_they_say(items: list[tuple[Any, bool]]) -> None:
    scores, labels = split(items)
    every, positives = cuts(scores, labels), int(labels.sum())
    accuracy, f1 = best_accuracy(every), best_f1(every, positives)
    assert accuracy_score(labels, scores >= np.float32(accuracy.threshold)) == pytest.approx(
        accuracy.accuracy
    )
    said = scores >= np.float32(f1.threshold)
    assert f1_score(labels, said) == pytest.approx(f1.f1)
    assert matthews(len(labels), positives, f1.extracted, f1.correct) == pytest.approx(
        matthews_corrcoef(labels, said)
    )
    assert average_precision(every, positives) == pytest.approx(average_precision_score(labels, scores))
    # No threshold at all does better.
    candidates = [*scores, np.float32(2)]
    assert accuracy.accuracy == pytest.approx(max(accuracy_score(labels, scores >= t) for t in candidates))
    assert f1.f1 == pytest.approx(max(f1_score(labels, scores >= t, zero_division=0) for t in candidates))


@settings(max_examples=50)
@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_nothing(items: list[tuple[Any, bool]], random: Any) -> None:
    other = list(items)
    random.shuffle(other)
    one, two = (cuts(*split(given)) for given in (items, other))
    positives = sum(label for _, label in items)
    assert best_accuracy(one) == best_accuracy(two)
    assert best_f1(one, positives) == best_f1(two, positives)
    assert average_precision(one, positives) == average_precision(two, positives)


def test_pairs_that_were_not_scored_count_as_not_found() -> None:
    every = cuts(np.array([0.9, 0.5]), np.array([True, False]))
    assert average_precision(every, positives=4) == pytest.approx(0.25)
    assert best_f1(every, positives=4).recall == pytest.approx(0.25)
