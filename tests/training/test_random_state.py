"""Random states come back to the last bit, whatever was drawn before, and nothing else is accepted."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from workbench.errors import CheckpointError
from workbench.training.random_state import (
    capture_random_state,
    kept_random_state,
    restore_random_state,
)

# Normal numbers come in pairs, one of which is kept back; integers take odd numbers of words.
DRAWS: dict[str, Callable[[], Any]] = {
    "random": random.random,
    "gauss": lambda: random.gauss(0, 1),
    "bits": lambda: random.getrandbits(33),
    "shuffle": lambda: random.sample(range(50), 7),
    "rand": np.random.rand,
    "randn": np.random.randn,
    "permutation": lambda: np.random.permutation(9).tolist(),
    "torch": lambda: torch.rand(3).tolist(),
    "normal": lambda: torch.randn(1).tolist(),
    "many normals": lambda: torch.randn(17).tolist(),
    "integers": lambda: torch.randint(9, (2,)).tolist(),
    "dropout": lambda: torch.nn.functional.dropout(torch.ones(40)).tolist(),
}


def draw_all() -> list[Any]:
    return [draw() for draw in DRAWS.values() for _ in range(3)]


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    before=st.lists(st.sampled_from(sorted(DRAWS)), max_size=40),
    between=st.lists(st.sampled_from(sorted(DRAWS)), max_size=10),
)
def test_what_is_drawn_after_is_the_same(seed: int, before: list[str], between: list[str]) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    for name in before:
        DRAWS[name]()
    tensors, document = capture_random_state()
    tensors = load(save(tensors))
    expected = draw_all()
    for name in between:
        DRAWS[name]()
    restore_random_state(tensors, document)
    again, _ = capture_random_state()
    assert all(torch.equal(again[name], tensors[name]) for name in ("python", "numpy", "torch"))
    assert draw_all() == expected
    assert all(tensor.dtype == torch.uint8 for tensor in tensors.values())


def test_a_block_that_keeps_the_states() -> None:
    before = capture_random_state()[0]
    with pytest.raises(KeyError), kept_random_state():
        draw_all()
        raise KeyError
    after = capture_random_state()[0]
    assert all(torch.equal(after[name], before[name]) for name in before)


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: tensors.pop(name)


def short(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: tensors.update({name: tensors[name][:-1]})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(without("python"), id="without python"),
        pytest.param(without("torch"), id="without torch"),
        pytest.param(short("python"), id="short python"),
        pytest.param(short("numpy"), id="short numpy"),
        pytest.param(short("torch"), id="short torch"),
        pytest.param(lambda tensors: tensors.update({"more": tensors["torch"]}), id="one more"),
        pytest.param(
            lambda tensors: tensors.update(python=torch.full((2509,), 255).byte()), id="no position"
        ),
    ],
)
def test_what_is_no_state_is_refused_and_nothing_is_set(change: Callable[[dict[str, Any]], None]) -> None:
    tensors, document = capture_random_state()
    draw_all()
    before = capture_random_state()[0]
    change(tensors)
    with pytest.raises(CheckpointError, match="random-state"):
        restore_random_state(tensors, document)
    after = capture_random_state()[0]
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_the_state_of_a_gpu_that_is_not_here_is_refused() -> None:
    tensors, _ = capture_random_state()
    tensors[f"cuda-{torch.cuda.device_count()}"] = torch.zeros(16, dtype=torch.uint8)
    with pytest.raises(CheckpointError, match="1 GPUs"):
        restore_random_state(tensors, {"sources": sorted(tensors)})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_states_of_gpus_come_back() -> None:
    torch.rand(1, device="cuda")
    state = capture_random_state()
    assert "cuda-0" in state[0]
    expected = torch.rand(5, device="cuda")
    restore_random_state(*state)
    assert torch.equal(torch.rand(5, device="cuda"), expected)


@pytest.mark.filterwarnings("ignore:get_state and legacy")
def test_another_generator_of_numpy_is_refused() -> None:
    real = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(1))
        with pytest.raises(CheckpointError, match="random-state"):
            capture_random_state()
    finally:
        np.random.set_bit_generator(real)
