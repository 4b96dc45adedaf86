"""Linear layers for inference, laid out once for the processor: float32, bfloat16, or int8 by token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

Compute = Literal["float32", "bfloat16", "int8"]
COMPUTES: tuple[Compute, ...] = ("float32", "bfloat16", "int8")

# Rows for which oneDNN chooses its layout; any other number works with it.
_ROWS = 1024


class InferenceLinear(nn.Module):
    """``nn.Linear`` without gradients, its weight converted and laid out once.

    Args:
        weight: Shape ``(out, in)``.
        bias: Shape ``(out,)``, or None.
        compute: ``"float32"`` gives and takes float32. ``"bfloat16"`` multiplies and gives bfloat16.
            ``"int8"`` rounds weights per output channel and inputs per token, and gives float32.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, compute: Compute = "float32") -> None:
        super().__init__()
        self.bias = None if bias is None else bias.detach()
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
        else:
            # One copy is enough.
            del self.plain
            self.multiply = self._laid_out

    def forward(self, rows: Tensor) -> Tensor:
        """Shape ``(…, in)`` → ``(…, out)``."""
        return self.multiply(rows)

    def _plain(self, rows: Tensor) -> Tensor:
        return linear(rows.to(self.dtype), self.plain, self.bias)

    def _laid_out(self, rows: Tensor) -> Tensor:
        return _pointwise(rows.to(self.dtype), self.laid_out, self.bias)

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
    try:
        found = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
        probe = torch.ones(2, weight.shape[1], dtype=weight.dtype)
        given = _pointwise(probe, found, None)
    except (AttributeError, NotImplementedError, RuntimeError):
        return None
    wanted = linear(probe, weight)
    close = torch.allclose(given.float(), wanted.float(), rtol=1e-2, atol=1e-2 * float(wanted.abs().max()))
    return found if close else None


def _pointwise(rows: Tensor, weight: Any, bias: Tensor | None) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return out
