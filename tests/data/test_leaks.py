"""The leak check against sets of 4-grams counted one by one, and its speed."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import InputExample
from workbench.data import leaks
from workbench.data.leaks import LeakPair, find_leaks
from workbench.data.normalise import normalised
from workbench.errors import WorkbenchError

words = st.sampled_from(["reset", "the", "device", "now", "battery", "is", "low", "please"])
sentences = st.lists(st.lists(words, min_size=1, max_size=6).map(" ".join), max_size=15)


def jaccard(one: str, other: str) -> float:
    first, second = (
        {f" {form} "[place : place + 4] for place in range(max(1, len(form) - 1))} for form in (one, other)
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize("blocks", [(256, 20_000), (2, 3)], ids=["whole", "in blocks"])
@settings(max_examples=40)
@given(train=sentences, held_out=sentences, threshold=st.sampled_from([0.3, 0.7, 1.0]))
def test_each_text_is_given_its_nearest(
    blocks: tuple[int, int], train: list[str], held_out: list[str], threshold: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaks, "_HELD_OUT_BLOCK", blocks[0])
        patch.setattr(leaks, "_TRAIN_BLOCK", blocks[1])
        report = find_leaks(train, held_out, threshold=threshold)
    pairs = {normalised(pair.held_out_text): pair for pair in report.pairs}
    for text in set(held_out):
        best = max((jaccard(text, other) for other in train), default=0.0)
        if text in train:
            assert pairs[text].kind == "exact" and pairs[text].train == train.index(text)
        elif best >= threshold:
            assert pairs[text].kind == "near"
            assert pairs[text].similarity == pytest.approx(best)
            assert jaccard(text, pairs[text].train_text) == pytest.approx(best)
            assert train[pairs[text].train] == pairs[text].train_text
        else:
            assert text not in pairs
    assert report.texts == len(set(held_out))
    assert (report.exact, report.near) == tuple(
        sum(pair.kind == kind for pair in report.pairs) for kind in ("exact", "near")
    )
    assert report.rows == tuple(row for row, text in enumerate(held_out) if text in pairs)
    assert report.share == (len(report.rows) / len(held_out) if held_out else 0.0)


def test_rows_of_several_texts_are_named_by_their_row() -> None:
    train = [InputExample(texts=["The pump is leaking.", "Call us"]), InputExample(texts=["Other", "thing"])]
    held_out = [
        InputExample(texts=["Nothing alike", "at all"]),
        InputExample(texts=["A question", "the PUMP is  leaking"]),
        InputExample(texts=["The pump is leaking!!", "x"]),
        InputExample(texts=["The pumps is leaking", "y"]),
    ]
    report = find_leaks(train, held_out)
    assert report.pairs[0] == LeakPair(1, 0, "the PUMP is  leaking", "The pump is leaking.", 1.0, "exact")
    assert [(pair.held_out, pair.train, pair.kind) for pair in report.pairs] == [
        (1, 0, "exact"),
        (3, 0, "near"),
    ]
    assert report.rows == (1, 2, 3)
    assert report.share == 0.75


@pytest.mark.parametrize("threshold", [0, -1, 1.5, float("nan"), True, "0.5"])
def test_a_threshold_that_is_none_is_refused(threshold: object) -> None:
    with pytest.raises(WorkbenchError, match="threshold-out-of-range"):
        find_leaks(["a"], ["b"], threshold=threshold)  # type: ignore[arg-type]


def test_two_thousand_texts_against_ten_thousand_take_seconds() -> None:
    draw = random.Random(1)
    vocabulary = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(2000)]
    train = [" ".join(draw.choices(vocabulary, k=12)) for _ in range(10_000)]
    held_out = [" ".join(draw.choices(vocabulary, k=12)) for _ in range(1000)]
    held_out += [text.title() for text in train[:500]] + [f"{text} indeed" for text in train[500:1000]]
    start = time.perf_counter()
    report = find_leaks(train, held_out)
    # 1.5 s on two idle cores.
    assert time.perf_counter() - start < 20
    assert (report.exact, report.near, report.share) == (500, 500, 0.5)
    assert [pair.train for pair in report.pairs] != [] and {pair.train for pair in report.pairs} == set(
        range(1000)
    )
