"""The numbers of an agreement against numpy and scipy, and its verdicts on faults put in by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine, pdist
from scipy.stats import spearmanr

from tests.compare.columns import encoded, floor_of
from workbench.compare.agreement import (
    agree,
    agreements,
    pair_floor,
    setting_differences,
    similarity_spearman,
)
from workbench.compare.results import Agreement, NoiseFloor
from workbench.contenders.contract import Settings


def unit(seed: int, texts: int = 6, dim: int = 8) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(texts, dim))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def judged(left: Any, right: Any, floor: float = 1e-7) -> Agreement:
    return agree(left, right, floor_of(floor, left, right))


@given(st.integers(0, 1000), st.integers(3, 9), st.integers(2, 6))
@settings(max_examples=30)
def test_the_numbers_are_those_of_numpy_and_scipy(seed: int, texts: int, dim: int) -> None:
    a, b = unit(seed, texts, dim), unit(seed + 1, texts, dim)
    found = judged(encoded("a", a), encoded("b", b))
    cosines = [1 - cosine(x.astype(np.float64), y.astype(np.float64)) for x, y in zip(a, b, strict=True)]
    assert found.max_abs == pytest.approx(float(np.abs(a.astype(np.float64) - b).max()), abs=1e-12)
    assert found.min_cosine == pytest.approx(min(cosines), abs=1e-9)
    assert found.mean_cosine == pytest.approx(float(np.mean(cosines)), abs=1e-9)
    # pdist walks the upper triangle row by row, as ours does.
    expected = spearmanr(1 - pdist(a.astype(np.float64), "cosine"), 1 - pdist(b.astype(np.float64), "cosine"))
    assert found.spearman == pytest.approx(float(expected.statistic), abs=1e-9)


def test_spearman_is_undefined_where_there_is_nothing_to_rank() -> None:
    assert math.isnan(similarity_spearman(unit(0, 2), unit(1, 2)))
    assert math.isnan(similarity_spearman(np.ones((4, 3)), unit(1, 4)))
    assert similarity_spearman(unit(0, 5, 8), unit(0, 5, 8)) == pytest.approx(1.0)


def test_spearman_of_many_texts_takes_an_even_sample() -> None:
    many = unit(0, 1500, 4)
    rows = np.unique(np.linspace(0, 1499, 1000).astype(int))
    other = unit(1, 1500, 4)
    expected = spearmanr(
        pdist(many[rows].astype(np.float64), "cosine"), pdist(other[rows].astype(np.float64), "cosine")
    )
    assert similarity_spearman(many, other) == pytest.approx(float(expected.statistic), abs=1e-6)


def test_equal_bits_are_identical() -> None:
    found = judged(encoded("a", unit(0)), encoded("b", unit(0)))
    assert (found.verdict, found.max_abs, found.differing_texts) == ("identical", 0.0, ())
    assert found.reason_key == "identical"


@pytest.mark.parametrize(("size", "verdict"), [(3.9e-7, "float noise"), (4.5e-7, "different")])
def test_the_border_of_noise_is_four_floors(size: float, verdict: str) -> None:
    a = np.zeros((3, 4), dtype=np.float32)
    a[:, 0] = 1
    b = a.copy()
    b[1, 1] = size
    found = judged(encoded("a", a), encoded("b", b))
    assert found.verdict == verdict
    assert found.differing_texts == (() if verdict == "float noise" else (1,))


def test_the_floor_of_a_pair() -> None:
    one, two = encoded("one", unit(0)), encoded("two", unit(0))
    half = encoded("half", unit(0), precision="bfloat16")
    floor = NoiseFloor(3e-3, {"one": 1e-7, "two": 2e-7, "half": 3e-3}, 4.0, "")
    assert pair_floor(one, two, floor) == 2e-7
    assert pair_floor(one, half, floor) == 1e-7
    assert pair_floor(half, half, floor) == 3e-3


def test_a_pipeline_that_depends_on_its_batch_does_not_hide_behind_its_own_floor() -> None:
    a, b = encoded("a", unit(0)), encoded("b", unit(0) + np.float32(0.05))
    assert agree(a, b, NoiseFloor(0.1, {"a": 1e-7, "b": 0.1}, 4.0, "")).verdict == "different"


@pytest.mark.parametrize(
    ("precision", "step"), [("bfloat16", 2.0**-8), ("float16", 2.0**-11), ("int8", 2.0**-6)]
)
def test_precision_is_a_verdict_only_at_the_size_of_its_rounding(precision: str, step: float) -> None:
    a = unit(0)
    for size, verdict in ((step, "precision"), (40 * step, "different")):
        found = judged(encoded("a", a), encoded("b", a * np.float32(1 + size), precision=precision))
        assert found.verdict == verdict
        assert found.reason_key == ("precision" if verdict == "precision" else "precision-beyond")
        assert precision in found.reason


def test_precision_is_no_excuse_for_another_setting() -> None:
    a = unit(0)
    b = encoded("b", a + np.float32(1e-3), precision="bfloat16", pooling="cls")
    found = judged(encoded("a", a), b)
    assert found.verdict == "different"
    assert [key for key, _ in found.reason_values["causes"]] == ["pooling", "precision-too"]  # type: ignore[attr-defined]


def test_two_halves_that_round_elsewhere() -> None:
    a, b = (encoded(name, unit(0), precision="bfloat16") for name in "ab")
    b = encoded("b", unit(0) * np.float32(1.004), precision="bfloat16")
    found = judged(a, b)
    assert (found.verdict, found.reason_key) == ("precision", "precision-same")


def test_other_dimensions_are_different_and_still_have_a_rank_correlation() -> None:
    left, right = encoded("a", unit(0, 5, 8)), encoded("b", unit(0, 5, 4), skipped=("Dense",))
    found = judged(left, right)
    assert found.verdict == "different"
    assert all(math.isnan(value) for value in (found.max_abs, found.min_cosine, found.mean_cosine))
    assert math.isfinite(found.spearman)
    assert found.differing_texts == (0, 1, 2, 3, 4)
    assert "leaves out a module that the model has: Dense" in found.reason
    assert "8 numbers a text" in found.reason


CAUSES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("pooling", {"pooling": "mean"}, {"pooling": "cls"}, "pooling: mean in a against cls in b"),
    (
        "use_mask",
        {"full": [3, 4, 5, 6, 7, 8]},
        {"use_mask": False, "full": [3, 4, 5, 6, 7, 8]},
        "b ignores the mask",
    ),
    (
        "padding-batch",
        {"use_mask": False, "batch_size": 1, "full": [3, 4, 5, 6, 7, 8]},
        {"use_mask": False, "batch_size": 32, "full": [3, 4, 5, 6, 7, 8]},
        "batches of 1 in a and 32 in b",
    ),
    (
        "prompt",
        {"prompt": ""},
        {"prompt": "query: "},
        "prompt: '' before each text in a against 'query: ' in b",
    ),
    ("lowercase", {}, {"lowercase": False, "unknown": [1, 0, 0, 0, 0, 2]}, "2 of 6 texts have other"),
    ("lowercase-only", {}, {"lowercase": False}, "lower-casing: default in a against off in b"),
    ("tokens", {}, {"full": [8, 8, 9, 8, 8, 8]}, "the two read other tokens in 1 of 6 texts"),
    ("skipped-modules", {}, {"skipped": ("Dense",)}, "b leaves out a module that the model has: Dense"),
    ("model", {"model": "one"}, {"model": "two", "sha256": "1" * 64}, "a loads one, b two"),
    ("model", {}, {"sha256": "1" * 64}, "a loads m (00000000), b m (11111111)"),
]


@pytest.mark.parametrize(
    ("cause", "one", "two", "words"), CAUSES, ids=[f"{c[0]}{i}" for i, c in enumerate(CAUSES)]
)
def test_the_reason_names_the_setting(
    cause: str, one: dict[str, Any], two: dict[str, Any], words: str
) -> None:
    found = judged(encoded("a", unit(0), **one), encoded("b", unit(1), **two))
    assert found.verdict == "different"
    causes = found.reason_values["causes"]
    assert isinstance(causes, tuple)
    assert [key for key, _ in causes] == [cause]
    assert words in found.reason
    assert f"largest difference {found.max_abs:.2g}, in 6 of 6 texts" in found.reason


def test_a_longer_input_is_named_with_the_texts_it_concerns() -> None:
    a, b = unit(0), unit(0)
    b[5] = unit(1)[5]
    lengths = [9, 9, 9, 9, 9, 300]
    found = judged(encoded("own", a, full=lengths), encoded("manual", b, max_length=512, full=lengths))
    assert found.differing_texts == (5,)
    assert found.reason.startswith(
        "manual reads up to 512 tokens, own 256: 1 of 6 texts is longer than 256 tokens; largest difference"
    )
    assert found.setting_differences == {"max_length": (256, 512)}


def test_a_text_that_is_not_cut_and_differs_has_another_cause() -> None:
    b = unit(0)
    b[4:] = unit(1)[4:]
    lengths = [9, 9, 9, 9, 9, 300]
    found = judged(encoded("a", unit(0), full=lengths), encoded("b", b, max_length=512, full=lengths))
    assert "1 text differs that neither cuts" in found.reason


def test_missing_normalisation_is_named_with_the_lengths() -> None:
    found = judged(encoded("a", unit(0)), encoded("raw", unit(0) * 5, normalize=False))
    assert found.min_cosine == pytest.approx(1.0)
    assert "raw does not normalise: its embeddings have lengths from 5 to 5 instead of 1" in found.reason


def test_a_setting_that_shows_nowhere_is_no_cause() -> None:
    # No text is cut, and texts of one length have no padding: neither can explain anything.
    found = judged(encoded("a", unit(0)), encoded("b", unit(1), max_length=512, use_mask=False))
    assert found.reason_key == "different-unexplained"


def test_settings_that_change_nothing_are_told() -> None:
    found = judged(encoded("a", unit(0)), encoded("b", unit(0), max_length=512, batch_size=2, lowercase=True))
    assert found.verdict == "identical"
    assert found.reason == (
        "Bit for bit the same numbers: max_length 256 against 512 changes nothing here, no text is longer "
        "than 256 tokens; lowercase default against on changes nothing here"
    )
    near = judged(encoded("a", unit(0)), encoded("b", unit(0) + np.float32(1e-7), max_length=512))
    assert near.reason_key == "noise-although"


def test_every_pair_once_in_order() -> None:
    columns = [encoded(label, unit(0)) for label in "abc"]
    pairs = [(row.left, row.right) for row in agreements(columns, floor_of(1e-7, *columns))]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert agreements(columns[:1], floor_of(1e-7, columns[0])) == ()


def test_differences_between_settings_are_by_name() -> None:
    assert setting_differences(Settings(), Settings(pooling="cls", threads=3)) == {
        "pooling": ("mean", "cls"),
        "threads": (1, 3),
    }
