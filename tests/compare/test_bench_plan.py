"""Plans: what they multiply to, what is refused, and when two are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.compare.bench_corpora import CORPORA, corpus
from workbench.compare.bench_plan import BenchPlan, checked_plan, plan_hash, stated, variants_of
from workbench.errors import UnknownNameError, WorkbenchError


def test_variants_are_the_product_with_contenders_side_by_side():
    plan = BenchPlan(contenders=("own", "upstream"), precisions=("float32", "int8"), batch_sizes=(8, 32))
    found = variants_of(plan)
    assert len(found) == len({one.label for one in found}) == 8
    assert [one.contender for one in found] == ["own", "upstream"] * 4
    assert found[0].label == "own · float32 · 8 · cpu"


def test_empty_values_are_the_defaults_and_doubles_count_once():
    assert checked_plan({}) == BenchPlan()
    found = checked_plan({"batch_sizes": [8, 8, 16], "budget_seconds": 5})
    assert found.batch_sizes == (8, 16) and found.budget_seconds == 5.0


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"contender": ["own"]}, "unknown-setting"),
        ({"contenders": ["theirs"], "baseline": "theirs"}, "unknown-contender"),
        ({"contenders": []}, "bench-empty"),
        ({"contenders": "own"}, "setting-type"),
        ({"precisions": ["float8"]}, "unknown-precision"),
        ({"corpora": ["novels"]}, "unknown-corpus"),
        ({"corpora": ["yours"]}, "bench-without-texts"),
        ({"devices": ["cuda:x"]}, "unknown-device"),
        ({"devices": []}, "bench-empty"),
        ({"batch_sizes": [0]}, "setting-range"),
        ({"batch_sizes": [True]}, "setting-type"),
        ({"batch_sizes": []}, "bench-empty"),
        ({"threads": 1000}, "setting-range"),
        ({"threads": "two"}, "setting-type"),
        ({"rounds": 0}, "setting-range"),
        ({"rounds": 2.5}, "setting-type"),
        ({"budget_seconds": float("nan")}, "setting-range"),
        ({"memory": 1}, "setting-type"),
        ({"baseline": "manual", "contenders": ["own"]}, "bench-baseline"),
        ({"batch_sizes": list(range(1, 12)), "precisions": ["float32", "bfloat16"]}, "bench-too-big"),
    ],
)
def test_what_is_wrong_is_refused_with_its_code(values, code):
    with pytest.raises(WorkbenchError) as caught:
        checked_plan(values)
    assert caught.value.code == code


@given(
    st.dictionaries(
        st.sampled_from(["contenders", "threads", "rounds", "own_texts", "memory", "devices", "x"]),
        st.one_of(st.none(), st.integers(), st.text(), st.lists(st.text()), st.booleans(), st.floats()),
    )
)
def test_any_values_give_a_plan_or_a_refusal(values):
    try:
        assert isinstance(checked_plan(values), BenchPlan)
    except WorkbenchError as error:
        assert error.code


def test_a_hash_names_what_is_measured_and_not_how_long():
    plan = BenchPlan(threads=2, max_length=256)
    for same in ({"rounds": 50}, {"budget_seconds": 1.0}, {"memory": False}, {"tradeoff": False}):
        assert plan_hash(replace(plan, **same)) == plan_hash(plan)
    for other in ({"threads": 1}, {"words": 11}, {"own_texts": ("a",)}, {"model": "x"}):
        assert plan_hash(replace(plan, **other)) != plan_hash(plan)


def test_zeros_are_replaced_by_what_they_stand_for(monkeypatch):
    monkeypatch.setenv("CPU_CORES", "3")
    assert (stated(BenchPlan(), 256).threads, stated(BenchPlan(), 256).max_length) == (3, 256)
    monkeypatch.setenv("CPU_CORES", "64")
    assert stated(BenchPlan(), 256).threads == 8
    assert stated(BenchPlan(threads=1, max_length=9), 256).max_length == 9


@pytest.mark.parametrize("name", CORPORA)
def test_a_bundled_corpus_is_of_about_so_many_words_without_doubles(name):
    small, large = corpus(name, 100), corpus(name, 400)
    assert large.texts[: len(small.texts)] == small.texts
    assert len(set(large.texts)) == len(large.texts)
    words = sum(len(text.split()) for text in large.texts)
    assert 400 <= words < 400 + max(len(text.split()) for text in large.texts)


def test_corpora_are_ordered_by_length_and_own_texts_stay_as_they_came():
    means = [
        sum(len(text) for text in corpus(name, 2000).texts) / len(corpus(name, 2000).texts)
        for name in CORPORA
    ]
    assert means[0] * 4 < means[1] and means[1] * 2 < means[2]
    assert corpus("yours", 10, ["b", "a", "b"]).texts == ("b", "a", "b")
    with pytest.raises(UnknownNameError):
        corpus("novels", 10)
