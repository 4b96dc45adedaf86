"""Reading, scaling, truncating and moving embeddings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import util as upstream

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util import tensor as reading


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(0, 6),
    dim=st.integers(1, 9),
    scale=st.sampled_from([0, 1e-15, 1, 1e6]),
)
def test_normalize_equals_upstream(seed, rows, dim, scale):
    matrix = scale * torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(reading.normalize_embeddings(matrix), upstream.normalize_embeddings(matrix))


def test_normalize_keeps_the_floating_type_and_reads_integers():
    assert reading.normalize_embeddings(torch.ones(2, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert reading.normalize_embeddings(torch.tensor([3, 4])).tolist() == pytest.approx([0.6, 0.8])
    assert reading.normalize_embeddings([[3.0, 4.0]]).tolist() == [pytest.approx([0.6, 0.8])]


def test_normalize_has_upstreams_gradient():
    rows = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradients = []
    for function in (reading.normalize_embeddings, upstream.normalize_embeddings):
        leaf = rows.clone().requires_grad_()
        (function(leaf) * rows.flip(0)).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("make", [torch.tensor, np.array])
@pytest.mark.parametrize("dim", [1, 2, 3, np.int64(2), None])
def test_truncate_equals_upstream_where_upstream_is_right(make, dim):
    rows = make([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for value in (rows, rows[0]):
        cut = reading.truncate_embeddings(value, dim)
        assert type(cut) is type(rows)
        assert cut.tolist() == upstream.truncate_embeddings(value, dim).tolist()


@pytest.mark.parametrize("dim", [0, -1, 4, 2.0, "2", True, float("nan"), [1], np.float32(1)])
def test_truncate_refuses_what_upstream_lets_pass(dim):
    with pytest.raises(InvalidValueError, match=r"from 1 to 3.*\[count-out-of-range\]") as caught:
        reading.truncate_embeddings(torch.ones(2, 3), dim)
    assert caught.value.where == "truncate_dim"


def test_truncate_refuses_a_lone_number():
    with pytest.raises(ShapeMismatchError, match=r"\[too-few-axes\]"):
        reading.truncate_embeddings(torch.tensor(1.0), 1)


def test_batch_to_device_makes_a_new_dict_and_hands_on_the_rest():
    batch = {"input_ids": torch.ones(2, 3), "text_keys": ["a"], "n": 3}
    moved = reading.batch_to_device(batch, "meta")
    assert moved["input_ids"].device.type == "meta"
    assert moved["text_keys"] is batch["text_keys"]
    assert moved["n"] == 3
    assert batch["input_ids"].device.type == "cpu"
    assert reading.batch_to_device(batch, torch.device("cpu")).keys() == batch.keys()


@pytest.mark.parametrize("device", ["warp", "cuda:63", "", "cpu:x", 1.5])
def test_an_absent_device_is_refused(device):
    with pytest.raises(InvalidValueError, match=r"\[unknown-device\]"):
        reading.batch_to_device({"input_ids": torch.ones(1)}, device)


def test_arrays_and_tensors_are_not_copied():
    array = np.ones((2, 3), dtype=np.float32)
    assert reading.as_tensor(array).data_ptr() == array.ctypes.data
    tensor = torch.ones(2, 3)
    assert reading.as_tensor(tensor) is tensor
    assert reading.as_float(tensor) is tensor


def test_anything_numpy_can_read_is_read():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.arange(6.0).reshape(2, 3)

    assert reading.as_tensor(Wrapped()).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_a_list_of_tensors_keeps_gradients():
    row = torch.ones(3, requires_grad=True)
    reading.as_tensor([row, row]).sum().backward()
    assert row.grad.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float64, np.float64),
        (torch.float32, np.float32),
        (torch.float16, np.float16),
        (torch.bfloat16, np.float32),
        (torch.float8_e4m3fn, np.float32),
        (torch.int8, np.int8),
    ],
)
def test_as_numpy_keeps_what_numpy_knows(dtype, expected):
    array = reading.as_numpy(torch.ones(2, 3).to(dtype))
    assert array.dtype == expected
    assert array.tolist() == [[1.0] * 3] * 2


def test_as_numpy_leaves_gradients_behind():
    assert reading.as_numpy(torch.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]


def test_the_message_names_argument_and_row():
    with pytest.raises(ShapeMismatchError, match=r"^corpus, row 2: shape \(1,\), where row 0 has \(2,\)"):
        reading.as_matrix([[1, 2], [3, 4], [5]], "corpus")
    with pytest.raises(InvalidTypeError, match=r"^corpus: "):
        reading.as_matrix(object(), "corpus")
