"""LayerNorm against upstream's, with weights that are not the initial ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from sentence_transformers.sentence_transformer.modules import LayerNorm as UpstreamLayerNorm
from sentence_transformers.util import import_from_string

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.layer_norm import LayerNorm, LayerNormConfig

DIM = 6


def trained(dtype: torch.dtype = torch.float32) -> LayerNorm:
    module = LayerNorm(DIM)
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return module.to(dtype)


def features(dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    embeddings = torch.randn(5, DIM, generator=torch.Generator().manual_seed(0)) * 4
    embeddings[1] = 2.0  # No variance at all.
    return {"sentence_embedding": embeddings.to(dtype)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_equals_upstream_to_the_bit(dtype: torch.dtype) -> None:
    assert_parity(trained(dtype), UpstreamLayerNorm(DIM).to(dtype), features(dtype))


def test_the_first_weights_are_upstreams() -> None:
    theirs = UpstreamLayerNorm(DIM).state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in LayerNorm(DIM).state_dict().items())


def test_a_folder_reads_the_same_on_both_sides(tmp_path: Path) -> None:
    ours = trained()
    folder = write_config(tmp_path, ours.get_config())
    save_file(ours.state_dict(), tmp_path / "model.safetensors")
    theirs = UpstreamLayerNorm.load(folder)
    assert torch.equal(theirs.norm.weight, ours.norm.weight)
    assert_parity(ours, theirs, features())
    theirs.save(str(tmp_path))
    back = LayerNorm.from_config(LayerNormConfig.model_validate(read_config(tmp_path)))
    back.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert_parity(back, theirs, features())


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(LayerNorm.legacy_type) is UpstreamLayerNorm


def test_what_it_says_of_itself() -> None:
    assert LayerNorm(DIM).get_sentence_embedding_dimension() == DIM == LayerNorm(DIM).in_dimension


@pytest.mark.parametrize(
    ("dimension", "error"),
    [(0, InvalidValueError), (8193, InvalidValueError), ("6", InvalidTypeError), (6.0, InvalidTypeError)],
)
def test_misuse_is_told(dimension: Any, error: type[WorkbenchError]) -> None:
    with pytest.raises(error):
        LayerNorm(dimension)
    with pytest.raises(ValidationError):
        LayerNormConfig.model_validate({"dimension": dimension})


@pytest.mark.parametrize("bad", [{}, {"dimension": 6, "eps": 1e-5}], ids=str)
def test_a_bad_config_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LayerNormConfig.model_validate(bad)


def test_an_embedding_that_does_not_fit_is_told() -> None:
    with pytest.raises(ShapeMismatchError):
        LayerNorm(DIM)({"sentence_embedding": torch.ones(2, DIM + 1)})
    with pytest.raises(UnknownNameError):
        LayerNorm(DIM)({})
