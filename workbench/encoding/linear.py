"""Linear layers for inference, laid out once for the processor: float32, bfloat16, or int8 by token."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from workbench.models.packed_bert import ACTIVATIONS

Compute = Literal["float32", "bfloat16", "int8"]
COMPUTES: tuple[Compute, ...] = ("float32", "bfloat16", "int8")

# Rows for which oneDNN chooses its layout; any other number works with it.
_ROWS = 1024
# The library's activations as oneDNN computes them on a product before it is stored: name, algorithm.
_FUSED = {
    "gelu": ("gelu", "none"),
    "gelu_new": ("gelu", "tanh"),
    "gelu_pytorch_tanh": ("gelu", "tanh"),
    "relu": ("relu", ""),
    "silu": ("swish", ""),
}
_UNFUSED = ("none", "")
# What a torch raises that lacks such an operator.
_NOT_THERE = (AttributeError, NotImplementedError, RuntimeError)


class InferenceLinear(nn.Module):
    """``nn.Linear`` without gradients, its weight converted and laid out once.

    Args:
        weight: Shape ``(out, in)``.
        bias: Shape ``(out,)``, or None.
        compute: ``"float32"`` gives and takes float32. ``"bfloat16"`` multiplies and gives bfloat16.
            ``"int8"`` rounds weights per output channel and inputs per token, and gives float32.
        activation: The library's name of what follows the product; None for nothing.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        compute: Compute = "float32",
        activation: str | None = None,
    ) -> None:
        super().__init__()
        self.bias = None if bias is None else bias.detach()
        self.after = ACTIVATIONS[activation] if activation else None
        self.fused = _UNFUSED
        self.adds = False
        weight = weight.detach()
        # The library's layers read shapes and types of a weight.
        self.out_features, self.in_features = weight.shape
        if compute == "int8" and weight.device.type == "cpu":
            self.scale, self.quantized = _by_channel(weight.float())
            self.multiply: Callable[[Tensor], Tensor] = self._int8
            return
        dtype = torch.bfloat16 if compute == "bfloat16" else weight.dtype
        self.dtype = dtype
        self.plain = weight.to(dtype).contiguous()
        if self.bias is not None:
            self.bias = self.bias.to(dtype)
        self.laid_out = _laid_out(self.plain)
        if self.laid_out is None:
            self.multiply = self._plain
            return
        if activation and _fuses(activation, dtype):
            self.fused, self.after = _FUSED[activation], None
        self.adds = _adds(dtype)
        # One copy is enough.
        del self.plain
        self.multiply = self._laid_out

    def forward(self, rows: Tensor) -> Tensor:
        """Shape ``(…, in)`` → ``(…, out)``."""
        out: Tensor = self.multiply(rows)
        return out if self.after is None else self.after(out)

    def plus(self, rows: Tensor, residual: Tensor) -> Tensor:
        """The product plus a residual, shape ``(…, out)``, which keeps its own type."""
        if self.adds and residual.dtype == self.dtype:
            return _pointwise_sum(rows.to(self.dtype), residual, self.laid_out, self.bias)
        return residual + self.multiply(rows)

    def _plain(self, rows: Tensor) -> Tensor:
        return linear(rows.to(self.dtype), self.plain, self.bias)

    def _laid_out(self, rows: Tensor) -> Tensor:
        return _pointwise(rows.to(self.dtype), self.laid_out, self.bias, self.fused)

    def _int8(self, rows: Tensor) -> Tensor:
        flat = rows.float().reshape(-1, self.in_features)
        # A row of zeros has no scale of its own.
        scale = flat.abs().amax(dim=1, keepdim=True).clamp_(min=1e-12).div_(127)
        whole = torch._int_mm((flat / scale).round_().to(torch.int8), self.quantized)
        out = whole.float().mul_(scale).mul_(self.scale)
        if self.bias is not None:
            out.add_(self.bias)
        return out.view(*rows.shape[:-1], self.out_features)


def _by_channel(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Scale of each output channel, shape ``(out,)``, and the weight in int8, shape ``(in, out)``."""
    scale = weight.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
    return scale.squeeze(1), (weight / scale).round().to(torch.int8).t()


def _laid_out(weight: Tensor) -> Any:
    """The weight in oneDNN's own layout; None where this torch or this processor has none.

    These are operators that torch's compiler uses and does not promise to users, so one is tried first.
    """
    if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
        return None
    rows = _probe(weight)
    try:
        found = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
    except _NOT_THERE:
        return None
    return found if _gives(lambda: _pointwise(rows, found, None), linear(rows, weight)) else None


@lru_cache
def _fuses(activation: str, dtype: torch.dtype) -> bool:
    """Whether oneDNN's form of an activation gives what torch's own gives."""
    rows, weight, laid_out = _small(dtype)
    wanted = ACTIVATIONS[activation](linear(rows, weight))
    return _gives(lambda: _pointwise(rows, laid_out, None, _FUSED[activation]), wanted)


@lru_cache
def _adds(dtype: torch.dtype) -> bool:
    """Whether oneDNN adds a residual to a product."""
    rows, weight, laid_out = _small(dtype)
    wanted = linear(rows, weight)
    return _gives(lambda: _pointwise_sum(rows, torch.ones_like(wanted), laid_out, None), wanted + 1)


def _small(dtype: torch.dtype) -> tuple[Tensor, Tensor, Any]:
    """Rows, a weight, and it laid out, to try operators on where layers have been laid out already."""
    weight = torch.linspace(-1, 1, 16 * 16, dtype=dtype).view(16, 16)
    return _probe(weight), weight, torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)


def _probe(weight: Tensor) -> Tensor:
    return torch.ones(2, weight.shape[1], dtype=weight.dtype)


def _gives(call: Callable[[], Tensor], wanted: Tensor) -> bool:
    try:
        given = call()
    except _NOT_THERE:
        return False
    bound = 1e-2 * float(wanted.abs().max())
    return torch.allclose(given.float(), wanted.float(), rtol=1e-2, atol=bound)


def _pointwise(rows: Tensor, weight: Any, bias: Tensor | None, fused: tuple[str, str] = _UNFUSED) -> Tensor:
    name, algorithm = fused
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, name, [], algorithm)
    return out


def _pointwise_sum(rows: Tensor, residual: Tensor, weight: Any, bias: Tensor | None) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(rows, residual, weight, bias, "add")
    return out
