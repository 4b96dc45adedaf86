"""WeightedLayerPooling against upstream's: types, layers that do not count, and the folder both write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from sentence_transformers.sentence_transformer.modules import (
    WeightedLayerPooling as UpstreamWeightedLayerPooling,
)
from sentence_transformers.util import import_from_string

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.weighted_layer_pooling import WeightedLayerPooling, WeightedLayerPoolingConfig

DIM, LAYERS = 5, 6
OUTPUT = "token_embeddings"


def features(dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    layers = tuple(torch.randn(2, 4, DIM, generator=generator).to(dtype) for _ in range(LAYERS + 1))
    return {"all_layer_embeddings": layers, "token_embeddings": layers[-1]}


def trained(start: int = 4) -> WeightedLayerPooling:
    weights = torch.rand(LAYERS + 1 - start, generator=torch.Generator().manual_seed(1)) + 0.1
    return WeightedLayerPooling(DIM, LAYERS, start, layer_weights=weights)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("start", range(LAYERS + 1))
def test_equals_upstream_to_the_bit(start: int, dtype: torch.dtype) -> None:
    theirs = UpstreamWeightedLayerPooling(DIM, LAYERS, start).to(dtype)
    assert_parity(trained(start).to(dtype), theirs, features(dtype), output=OUTPUT)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_a_half_encoder_under_full_weights_equals_upstream(dtype: torch.dtype) -> None:
    assert_parity(trained(), UpstreamWeightedLayerPooling(DIM, LAYERS), features(dtype), output=OUTPUT)


def test_equal_weights_at_the_start_give_a_mean() -> None:
    result = WeightedLayerPooling(DIM, LAYERS, 2)(features())["token_embeddings"]
    assert torch.allclose(result, torch.stack(features()["all_layer_embeddings"][2:]).mean(0), atol=1e-6)


def test_the_list_of_layers_is_left_alone() -> None:
    given = features()
    layers = list(given["all_layer_embeddings"])
    copies = [layer.clone() for layer in layers]
    trained()({"all_layer_embeddings": layers})
    assert all(torch.equal(layer, copy) for layer, copy in zip(layers, copies, strict=True))


def test_first_weights_are_copied() -> None:
    weights = torch.ones(3)
    module = WeightedLayerPooling(DIM, LAYERS, layer_weights=weights)
    with torch.no_grad():
        module.layer_weights.add_(1.0)
    assert torch.equal(weights, torch.ones(3))


def test_a_folder_reads_the_same_on_both_sides(tmp_path: Path) -> None:
    ours = trained()
    folder = write_config(tmp_path, ours.get_config())
    save_file(ours.state_dict(), tmp_path / "model.safetensors")
    theirs = UpstreamWeightedLayerPooling.load(folder)
    assert torch.equal(theirs.layer_weights, ours.layer_weights)
    assert_parity(ours, theirs, features(), output=OUTPUT)
    theirs.save(str(tmp_path))
    back = WeightedLayerPooling.from_config(WeightedLayerPoolingConfig.model_validate(read_config(tmp_path)))
    back.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert_parity(back, theirs, features(), output=OUTPUT)
    assert back.get_config() == ours.get_config()
    assert set(ours.get_config()) == {"word_embedding_dimension", "layer_start", "num_hidden_layers"}


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(WeightedLayerPooling.legacy_type) is UpstreamWeightedLayerPooling


def test_what_it_says_of_itself() -> None:
    module = WeightedLayerPooling(embedding_dimension=DIM, num_hidden_layers=LAYERS)
    assert module.get_word_embedding_dimension() == DIM == module.in_dimension


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"word_embedding_dimension": 0}, InvalidValueError),
        ({"word_embedding_dimension": None}, InvalidValueError),
        ({"num_hidden_layers": 65}, InvalidValueError),
        ({"num_hidden_layers": "6"}, InvalidTypeError),
        ({"layer_start": -1}, InvalidValueError),
        ({"layer_start": LAYERS + 1}, InvalidValueError),
        ({"layer_weights": torch.ones(4)}, ShapeMismatchError),
        ({"layer_weights": [1.0, 1.0, 1.0]}, InvalidTypeError),
        ({"layer_weights": torch.ones(3, dtype=torch.long)}, InvalidTypeError),
    ],
    ids=str,
)
def test_misuse_of_the_constructor_is_told(arguments: dict[str, Any], error: type[WorkbenchError]) -> None:
    with pytest.raises(error):
        WeightedLayerPooling(**{"word_embedding_dimension": DIM, "num_hidden_layers": LAYERS, **arguments})


@pytest.mark.parametrize(
    "change",
    [
        {"word_embedding_dimension": 0},
        {"word_embedding_dimension": "5"},
        {"embedding_dimension": 5},
        {"num_hidden_layers": 20_000},
        {"layer_start": 7},
        {"layer_weights": [1.0]},
    ],
    ids=str,
)
def test_a_bad_config_is_refused(change: dict[str, Any]) -> None:
    good = {"word_embedding_dimension": DIM, "num_hidden_layers": LAYERS, "layer_start": 4}
    WeightedLayerPoolingConfig.model_validate(good)
    with pytest.raises(ValidationError):
        WeightedLayerPoolingConfig.model_validate(good | change)


def test_layers_that_do_not_fit_are_told() -> None:
    layers = features()["all_layer_embeddings"]
    with pytest.raises(UnknownNameError, match="hidden states"):
        trained()({"token_embeddings": layers[-1]})
    with pytest.raises(ShapeMismatchError):
        trained()({"all_layer_embeddings": layers[1:]})
    with pytest.raises(ShapeMismatchError):
        trained()({"all_layer_embeddings": tuple(layer[..., 1:] for layer in layers)})
