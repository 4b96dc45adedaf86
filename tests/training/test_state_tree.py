"""Nested state comes back from JSON and safetensors with every type and every bit."""

from __future__ import annotations

import json
import random
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load, save

from workbench.errors import CheckpointError, InvalidTypeError
from workbench.training.state_tree import from_tree, to_tree

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
TENSORS = st.builds(
    lambda values, dtype: torch.tensor(values).to(dtype),
    st.lists(st.integers(0, 100), max_size=4) | st.integers(0, 9),
    st.sampled_from([*FLOATS, torch.int64, torch.uint8, torch.bool, torch.int16]),
)
ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.uint32]), hnp.array_shapes()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud800", "$tensor", ""])
    | st.binary(max_size=8)
    | TENSORS
    | ARRAYS
    | st.sampled_from([np.float32(0.1), np.int64(3), np.bool_(True), np.float64("nan")])
)
KEYS = st.text(max_size=4) | st.sampled_from(["$tensor", "a.b", "1"]) | st.integers(0, 3) | st.booleans()
TREES = st.recursive(
    LEAVES,
    lambda child: (
        st.lists(child, max_size=4)
        | st.lists(child, max_size=3).map(tuple)
        | st.dictionaries(KEYS, child, max_size=4)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal in type, order and every bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one, other, strict=True)
        return len(one) == len(other) and all(same(a, b) and same(one[a], other[b]) for a, b in pairs)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        one, other = one.contiguous(), other.contiguous()
        raw = [t.reshape(-1).view(torch.uint8) if t.numel() else t for t in (one, other)]
        return bool(one.dtype == other.dtype and one.shape == other.shape and torch.equal(*raw))
    if isinstance(one, np.ndarray | np.generic):
        return bool(
            one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
        )
    return bool(repr(one) == repr(other))


def through_files(value: Any) -> Any:
    tensors, tree = to_tree(value, "test")
    text = json.dumps(tree, allow_nan=False)
    text.encode()
    return from_tree(load(save(tensors)), json.loads(text), "test")


@settings(max_examples=60)
@given(TREES)
def test_a_tree_comes_back(value: Any) -> None:
    assert same(through_files(value), value)


def test_states_of_generators_come_back() -> None:
    states = {
        "python": random.Random(3).getstate(),
        "pcg": np.random.default_rng(3).bit_generator.state,
        "twister": np.random.RandomState(3).get_state(legacy=False),
        "torch": torch.Generator().manual_seed(3).get_state(),
    }
    assert same(through_files(states), states)
    random.Random().setstate(through_files(states)["python"])


def test_what_is_kept_is_a_copy_of_its_own() -> None:
    value = torch.zeros(4)
    tensors, tree = to_tree({"a": value, "b": value[::2]}, "test")
    value += 1
    back = from_tree(tensors, tree, "test")
    assert same(back, {"a": torch.zeros(4), "b": torch.zeros(2)})
    back["a"] += 1
    assert torch.equal(tensors["a"], torch.zeros(4))


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        object(),
        lambda: 0,
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(2, 2).to_sparse(),
        np.array(["a"]),
        np.array([None]),
        1j,
        torch.nn.Linear(1, 1),
    ],
    ids=["set", "object", "function", "complex", "sparse", "texts", "objects", "number", "module"],
)
def test_what_no_file_holds_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"state-not-storable") as caught:
        to_tree({"groups": [0, {"lr": value}]}, "MyOptimizer")
    assert caught.value.where == "MyOptimizer, groups.1.lr"


def test_endless_depth_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidTypeError, match="state-not-storable"):
        to_tree(loop, "test")


def test_a_dict_of_another_kind_comes_back_as_a_dict() -> None:
    assert through_files(OrderedDict(a=1)) == {"a": 1}


@pytest.mark.parametrize(
    "tree",
    [
        {"$tensor": "missing"},
        {"$tensor": 1},
        {"$what": 1},
        {"$tuple": 1},
        {"$dict": [1]},
        {"$dict": [[[], 1]]},
        {"$bytes": "x"},
        {"$float": "x"},
        {"$tensor": "a", "b": 1},
        {"$surrogates": None},
    ],
)
def test_a_tree_that_is_none(tree: Any) -> None:
    with pytest.raises(CheckpointError, match="checkpoint-damaged"):
        from_tree({}, [tree], "test")
