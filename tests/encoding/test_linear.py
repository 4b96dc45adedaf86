"""Linear layers for inference give what plain layers give, with and without oneDNN's operators."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from workbench.encoding import linear as module
from workbench.encoding.linear import InferenceLinear
from workbench.models.packed_bert import ACTIVATIONS


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """What oneDNN offers is asked once a process."""
    for asks in (module._fuses, module._adds):
        asks.cache_clear()
    yield
    for asks in (module._fuses, module._adds):
        asks.cache_clear()


@pytest.fixture
def plain() -> nn.Linear:
    torch.manual_seed(5)
    return nn.Linear(48, 80)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_in_the_product_is_the_librarys(plain: nn.Linear, activation: str) -> None:
    rows = torch.linspace(-6, 6, 33 * 48).view(33, 48)
    made = InferenceLinear(plain.weight, plain.bias, activation=activation)

    with torch.inference_mode():
        difference = made(rows) - ACTIVATIONS[activation](plain(rows))

    assert float(difference.abs().max()) <= 1e-6


def test_a_residual_is_added_and_keeps_its_type(plain: nn.Linear) -> None:
    rows, residual = torch.randn(33, 48), torch.randn(33, 80)
    with torch.inference_mode():
        wanted = plain(rows) + residual
        exact = InferenceLinear(plain.weight, plain.bias).plus(rows, residual)
        half = InferenceLinear(plain.weight, plain.bias, "bfloat16").plus(rows, residual)
        whole = InferenceLinear(plain.weight, plain.bias, "int8").plus(rows, residual)

    assert float((exact - wanted).abs().max()) <= 1e-6
    assert half.dtype == whole.dtype == torch.float32
    assert float((half - wanted).abs().max()) <= 0.05
    assert float((whole - wanted).abs().max()) <= 0.1


@pytest.mark.usefixtures("asked_anew")
def test_without_these_operators_the_plain_layers_give_the_same(
    plain: nn.Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("no such operator")

    rows, residual = torch.randn(33, 48), torch.randn(33, 80)
    for gone in ("_pointwise_sum", "_pointwise"):
        monkeypatch.setattr(module, gone, missing)
        module._fuses.cache_clear()
        module._adds.cache_clear()
        with torch.inference_mode():
            given = InferenceLinear(plain.weight, plain.bias).plus(rows, residual)
            active = InferenceLinear(plain.weight, plain.bias, activation="gelu")(rows)
            assert float((given - plain(rows) - residual).abs().max()) <= 1e-6
            assert float((active - nn.functional.gelu(plain(rows))).abs().max()) <= 1e-6
