"""The encoder of an admitted model as an ONNX file, with a free batch and a free length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class _HiddenStates(nn.Module):
    """Positional tensors in, the last hidden state out: what an export can trace."""

    def __init__(self, encoder: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self.encoder = encoder
        self.names = names

    def forward(self, *inputs: Tensor) -> Tensor:
        hidden: Tensor = self.encoder(**dict(zip(self.names, inputs, strict=True))).last_hidden_state
        return hidden


def export_encoder(encoder: Any, names: tuple[str, ...], target: Path) -> None:
    """Write the graph of ``encoder`` in float32.

    Args:
        encoder: A Transformers model on the CPU.
        names: Its inputs, in the order of the graph: each int64, shape ``(batch, tokens)``.
        target: The file; its output ``hidden`` has the shape ``(batch, tokens, dim)``.
    """
    sample = torch.ones((2, 5), dtype=torch.int64)
    with torch.inference_mode():
        torch.onnx.export(
            _HiddenStates(encoder, names).eval(),
            tuple(sample.clone() for _ in names),
            str(target),
            input_names=list(names),
            output_names=["hidden"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "hidden")},
            opset_version=17,
            dynamo=False,
        )
