"""Quantized embeddings against sentence-transformers, value by value."""

from __future__ import annotations

import logging
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.util.quantization import quantize_embeddings as upstream

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.quantization import QuantizedPrecision, quantize_embeddings

PRECISIONS = get_args(QuantizedPrecision)
EIGHT_BIT = ["int8", "uint8"]


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def assert_equal(found, expected):
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 20),
    dim=st.integers(1, 35),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    source=st.sampled_from(["own", "ranges", "calibration"]),
)
def test_every_value_equals_upstream(precision, seed, rows, dim, dtype, source):
    embeddings = normal(seed, rows, dim).astype(dtype)
    embeddings[:, 0] = 0.25  # A dimension without a range.
    options = {}
    if source == "ranges":
        options["ranges"] = np.stack((-2 - abs(normal(seed + 1, dim)), 2 + abs(normal(seed + 2, dim))))
    elif source == "calibration":
        options["calibration_embeddings"] = normal(seed + 3, 7, dim)
    assert_equal(
        quantize_embeddings(embeddings, precision, **options), upstream(embeddings, precision, **options)
    )


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_form_of_rows_is_read(precision):
    rows = normal(0, 5, 16).astype(np.float32)
    expected = upstream(rows, precision)
    tensor = torch.from_numpy(rows)
    for form in (rows.tolist(), tensor, list(tensor), list(rows), tensor.clone().requires_grad_()):
        assert_equal(quantize_embeddings(form, precision), expected)
    half = tensor.bfloat16()
    assert_equal(quantize_embeddings(half, precision), upstream(half, precision))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_one_embedding_and_none(precision):
    ranges = np.array([[-1.0] * 10, [1.0] * 10])
    lone = normal(1, 10)
    assert_equal(quantize_embeddings(lone, precision, ranges), upstream(lone, precision, ranges))
    empty = np.zeros((0, 10), dtype=np.float32)
    assert_equal(quantize_embeddings(empty, precision), upstream(empty, precision))
    assert quantize_embeddings([], precision).shape == (0, 0)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dim=st.integers(1, 40))
def test_hamming_distances_count_differing_signs_whatever_the_dimension(seed, dim):
    rows = normal(seed, 4, dim)
    unsigned = quantize_embeddings(rows, "ubinary")
    signed = quantize_embeddings(rows, "binary")
    expected = ((rows[:, None] > 0) != (rows[None] > 0)).sum(axis=-1)
    for packed in (unsigned, signed.view(np.uint8) ^ 0x80):
        bits = np.unpackbits(packed[:, None] ^ packed[None], axis=-1)
        np.testing.assert_array_equal(bits.sum(axis=-1), expected)


@pytest.mark.parametrize("precision", EIGHT_BIT)
def test_steps_are_fine_enough_to_restore_the_values(precision):
    rows = normal(2, 300, 8)
    levels = quantize_embeddings(rows, precision).astype(np.float64) + (128 if precision == "int8" else 0)
    low, high = rows.min(axis=0), rows.max(axis=0)
    step = (high - low) / 255
    assert np.all(np.abs(low + levels * step - rows) <= step * 1.01)


def test_few_embeddings_give_a_warning_and_many_do_not(caplog):
    with caplog.at_level(logging.WARNING):
        quantize_embeddings(normal(3, 100, 4), "int8")
        quantize_embeddings(normal(3, 9, 4), "binary")
        assert caplog.records == []
        quantize_embeddings(normal(3, 99, 4), "int8")
    assert "99 embeddings" in caplog.text


@pytest.mark.parametrize("precision", ["int4", "", None, "INT8", 8])
def test_an_unknown_precision_is_refused_with_the_known_ones(precision):
    with pytest.raises(
        InvalidValueError, match=r"float32, int8, uint8, binary, ubinary.*\[unknown-precision\]"
    ):
        quantize_embeddings(np.ones((2, 8)), precision)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_cannot_be_quantized_is_refused(precision):
    ranges = np.array([[-1.0] * 8, [1.0] * 8])
    for value in (np.nan, np.inf, 1e300):
        rows = np.ones((4, 8))
        rows[2, 3] = value
        with pytest.raises(InvalidValueError, match=r"^embeddings, row 2: .*\[embedding-not-finite\]"):
            quantize_embeddings(rows, precision, ranges)
    for dtype in (np.int8, np.uint8):
        with pytest.raises(InvalidTypeError, match=rf"{np.dtype(dtype)}.*\[already-quantized\]"):
            quantize_embeddings(np.ones((4, 8), dtype=dtype), precision, ranges)
    with pytest.raises(ShapeMismatchError, match=r"\[too-many-axes\]"):
        quantize_embeddings([np.ones((2, 8)), np.ones((2, 8))], precision, ranges)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("precision", EIGHT_BIT)
def test_ranges_that_cannot_be_right_are_refused(precision):
    rows = np.ones((4, 3))
    low, high = [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]
    for bad in (
        [high, low],
        [low, [1, np.nan, 1]],
        [low, [1, np.inf, 1]],
        [[-3e38] * 3, [3e38] * 3],
        [low, [1e300] * 3],
    ):
        with pytest.raises(InvalidValueError, match=r"^ranges, dimension \d: .*\[ranges-unusable\]"):
            quantize_embeddings(rows, precision, ranges=bad)
    for shape in ((2, 4), (3, 2), (2,), (1, 3)):
        with pytest.raises(ShapeMismatchError, match=r"\[ranges-shape\]"):
            quantize_embeddings(rows, precision, ranges=np.ones(shape))
    with pytest.raises(ShapeMismatchError, match=r"\[ranges-shape\]"):
        quantize_embeddings(rows, precision, calibration_embeddings=np.ones((5, 4)))
    with pytest.raises(InvalidValueError, match=r"\[ranges-from-none\]"):
        quantize_embeddings(rows, precision, calibration_embeddings=[])
    with pytest.raises(
        InvalidValueError, match=r"^calibration_embeddings, row 1: .*\[embedding-not-finite\]"
    ):
        quantize_embeddings(rows, precision, calibration_embeddings=[[1.0] * 3, [np.nan] * 3])
    for lone in (rows[0], rows[:1]):
        with pytest.raises(InvalidValueError, match=r"\[ranges-from-one\]"):
            quantize_embeddings(lone, precision)
