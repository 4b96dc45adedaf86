"""Dense against upstream's: every activation, type, feature name and residual, and the folder both write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from sentence_transformers.sentence_transformer.modules import Dense as UpstreamDense
from sentence_transformers.util import fullname, import_from_string
from torch import nn

from tests.models.module_parity import assert_parity, read_config, write_config
from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.dense import ACTIVATIONS, Dense, DenseConfig, activation_name

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"use_residual": True},
    {"out_features": 6, "use_residual": True},
    {"module_input_name": "token_embeddings"},
    {"module_input_name": "token_embeddings", "module_output_name": "projected", "use_residual": True},
    {"module_output_name": "projected"},
]


def features(dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    return {
        "sentence_embedding": torch.randn(5, 6, generator=generator).to(dtype),
        "token_embeddings": torch.randn(5, 3, 6, generator=generator).to(dtype),
    }


def pair(variant: dict[str, Any]) -> tuple[Dense, UpstreamDense]:
    arguments = {"in_features": 6, "out_features": 4, **variant}
    return Dense(**arguments), UpstreamDense(**arguments)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=lambda kind: kind.__name__)
def test_activations_equal_upstream_to_the_bit(activation: type[nn.Module], dtype: torch.dtype) -> None:
    ours, theirs = pair({"activation_function": activation()})
    assert_parity(ours.to(dtype), theirs.to(dtype), features(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_variants_equal_upstream_to_the_bit(variant: dict[str, Any], dtype: torch.dtype) -> None:
    ours, theirs = pair(variant)
    assert_parity(ours.to(dtype), theirs.to(dtype), features(dtype), output=ours.module_output_name)


@pytest.mark.parametrize(
    "activation", [None, torch.tanh, lambda x: x * 2], ids=["none", "function", "lambda"]
)
def test_any_callable_can_be_the_activation(activation: Any) -> None:
    assert_parity(*pair({"activation_function": activation}), features())


def test_equal_random_state_gives_equal_first_weights() -> None:
    torch.manual_seed(3)
    ours = Dense(6, 4, use_residual=True).state_dict()
    torch.manual_seed(3)
    theirs = UpstreamDense(6, 4, use_residual=True).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_first_values_are_copied() -> None:
    weight, bias = torch.randn(4, 6), torch.randn(4)
    ours = Dense(6, 4, init_weight=weight, init_bias=bias)
    before = weight.clone()
    assert torch.equal(ours.linear.weight, weight)
    assert torch.equal(ours.linear.bias, bias)
    with torch.no_grad():
        ours.linear.weight.add_(1.0)
    assert torch.equal(weight, before)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_folder_reads_the_same_on_both_sides(variant: dict[str, Any], tmp_path: Path) -> None:
    ours, _ = pair(variant | {"activation_function": nn.GELU()})
    folder = write_config(tmp_path, ours.get_config())
    save_file(ours.state_dict(), tmp_path / "model.safetensors")
    theirs = UpstreamDense.load(folder)
    output = ours.module_output_name
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    assert_parity(ours, theirs, features(), output=output)
    theirs.save(str(tmp_path))
    back = Dense.from_config(DenseConfig.model_validate(read_config(tmp_path)))
    back.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert_parity(back, theirs, features(), output=output)
    assert back.get_config() == ours.get_config()


def test_the_four_keys_of_the_first_releases_are_all_that_is_written() -> None:
    assert Dense(6, 4).get_config() == {
        "in_features": 6,
        "out_features": 4,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }


def test_the_names_of_the_table_are_upstreams() -> None:
    for name, kind in ACTIVATIONS.items():
        assert fullname(kind()) == name == activation_name(kind())
        assert import_from_string(name) is kind


def test_the_legacy_type_is_upstreams_class() -> None:
    assert import_from_string(Dense.legacy_type) is UpstreamDense


def test_what_it_says_of_itself() -> None:
    assert Dense(6, 4).get_sentence_embedding_dimension() == 4
    assert Dense(6, 4).in_dimension == 6
    assert Dense(6, 4, module_input_name="token_embeddings").in_dimension is None


@pytest.mark.parametrize(
    ("activation", "error"),
    [
        (torch.tanh, UnknownNameError),
        (nn.LeakyReLU(), UnknownNameError),
        (nn.Sequential(nn.Tanh()), UnknownNameError),
        (nn.GELU(approximate="tanh"), InvalidValueError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_activation_that_a_folder_cannot_carry_is_told(
    activation: Any, error: type[WorkbenchError]
) -> None:
    with pytest.raises(error):
        Dense(6, 4, activation_function=activation).get_config()


def test_a_setting_that_changes_no_number_may_be_lost() -> None:
    assert (
        Dense(6, 4, activation_function=nn.ReLU(inplace=True))
        .get_config()["activation_function"]
        .endswith("ReLU")
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"in_features": 0}, InvalidValueError),
        ({"out_features": 8193}, InvalidValueError),
        ({"in_features": "6"}, InvalidTypeError),
        ({"in_features": True}, InvalidTypeError),
        ({"bias": "no"}, InvalidTypeError),
        ({"activation_function": nn.Tanh}, InvalidTypeError),
        ({"activation_function": "torch.nn.modules.activation.Tanh"}, InvalidTypeError),
        ({"init_weight": torch.ones(6, 4)}, ShapeMismatchError),
        ({"init_weight": [[1.0]]}, InvalidTypeError),
        ({"init_bias": torch.ones(6)}, ShapeMismatchError),
        ({"init_bias": torch.ones(4), "bias": False}, InvalidValueError),
        ({"module_input_name": "../x"}, InvalidValueError),
        ({"use_residual": 1}, InvalidTypeError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_misuse_of_the_constructor_is_told(arguments: dict[str, Any], error: type[WorkbenchError]) -> None:
    with pytest.raises(error):
        Dense(**{"in_features": 6, "out_features": 4, **arguments})


@pytest.mark.parametrize(
    "change",
    [
        {"in_features": 0},
        {"out_features": 8193},
        {"in_features": "6"},
        {"out_features": 4.0},
        {"bias": 1},
        {"activation_function": "os.system"},
        {"activation_function": "torch.nn.modules.activation.LeakyReLU"},
        {"activation_function": None},
        {"use_residual": "yes"},
        {"module_output_name": ""},
        {"init_weight": [[1.0]]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bad_config_is_refused(change: dict[str, Any]) -> None:
    good = {"in_features": 6, "out_features": 4}
    DenseConfig.model_validate(good)
    with pytest.raises(ValidationError):
        DenseConfig.model_validate(good | change)


def test_a_config_without_an_activation_means_tanh(tmp_path: Path) -> None:
    config = {"in_features": 6, "out_features": 4, "bias": True}
    ours = Dense.from_config(DenseConfig.model_validate(config))
    save_file(ours.state_dict(), tmp_path / "model.safetensors")
    assert_parity(ours, UpstreamDense.load(write_config(tmp_path, config)), features())


def test_an_embedding_that_does_not_fit_is_told() -> None:
    with pytest.raises(ShapeMismatchError):
        Dense(6, 4)({"sentence_embedding": torch.ones(2, 5)})
    with pytest.raises(UnknownNameError):
        Dense(6, 4)({})
