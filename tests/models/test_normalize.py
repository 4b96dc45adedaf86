"""Normalize against upstream's, and the checks that it shares with the other modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sentence_transformers.sentence_transformer.modules import Normalize as UpstreamNormalize
from sentence_transformers.util import import_from_string

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, UnknownNameError
from workbench.models.module_checks import read_feature
from workbench.models.normalize import Normalize, NormalizeConfig

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
NAMES: list[dict[str, str]] = [
    {},
    {"module_input_name": "token_embeddings"},
    {"module_output_name": "unit_embedding"},
    {"module_input_name": "token_embeddings", "module_output_name": "unit_tokens"},
]


def features(dtype: torch.dtype, seed: int = 0, scale: float = 3.0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(4, 7, generator=generator) * scale
    embeddings[2] = 0.0
    return {
        "sentence_embedding": embeddings.to(dtype),
        "token_embeddings": torch.randn(4, 3, 7, generator=generator).to(dtype),
    }


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("names", NAMES, ids=str)
def test_equals_upstream_to_the_bit(names: dict[str, str], dtype: torch.dtype) -> None:
    ours = Normalize(**names)
    assert_parity(ours, UpstreamNormalize(**names), features(dtype), output=ours.module_output_name)


@given(st.integers(0, 999), st.sampled_from(DTYPES), st.sampled_from([1e-4, 1.0, 1e3]))
@settings(max_examples=40, deadline=None)
def test_any_size_equals_upstream_to_the_bit(seed: int, dtype: torch.dtype, scale: float) -> None:
    assert_parity(Normalize(), UpstreamNormalize(), features(dtype, seed, scale))


def test_the_result_has_length_one_and_zeros_stay() -> None:
    unit = Normalize()(features(torch.float64))["sentence_embedding"]
    lengths = unit.norm(dim=1)
    assert torch.allclose(lengths, torch.tensor([1.0, 1.0, 0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("names", NAMES, ids=str)
def test_a_config_reads_the_same_on_both_sides(names: dict[str, str], tmp_path: Path) -> None:
    ours = Normalize(**names)
    output = ours.module_output_name
    theirs = UpstreamNormalize.load(write_config(tmp_path, ours.get_config()))
    assert_parity(ours, theirs, features(torch.float32), output=output)
    theirs.save(str(tmp_path))
    back = Normalize.from_config(NormalizeConfig.model_validate(read_config(tmp_path)))
    assert_parity(back, theirs, features(torch.float32), output=output)
    assert back.get_config() == ours.get_config()


def test_the_default_needs_no_config() -> None:
    assert Normalize().get_config() == {}


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(Normalize.legacy_type) is UpstreamNormalize


def test_a_missing_feature_is_told() -> None:
    with pytest.raises(UnknownNameError, match="sentence_embedding") as caught:
        Normalize()({"token_embeddings": torch.ones(1, 2, 3)})
    assert "token_embeddings" in str(caught.value)


@pytest.mark.parametrize("bad", ["", "Sentence", "a b", "x" * 65, "../x"])
def test_a_bad_feature_name_is_told(bad: str) -> None:
    with pytest.raises(InvalidValueError):
        Normalize(bad)
    with pytest.raises(ValidationError):
        NormalizeConfig.model_validate({"module_output_name": bad})


@pytest.mark.parametrize("bad", [{"module_input_name": 5}, {"p": 2}, {"module_input_name": None}], ids=str)
def test_a_bad_config_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NormalizeConfig.model_validate(bad)


def test_a_name_of_another_type_is_told() -> None:
    with pytest.raises(InvalidTypeError):
        Normalize(5)  # type: ignore[arg-type]


def test_read_feature_hands_over_the_tensor_itself() -> None:
    tensor = torch.ones(2, 3)
    assert read_feature({"a": tensor}, "a", "here", 3) is tensor
    with pytest.raises(ShapeMismatchError, match="4"):
        read_feature({"a": tensor}, "a", "here", 4)
    with pytest.raises(ShapeMismatchError):
        read_feature({"a": torch.tensor(1.0)}, "a", "here", 1)
    with pytest.raises(InvalidTypeError, match="list"):
        read_feature({"a": [1.0]}, "a", "here")
