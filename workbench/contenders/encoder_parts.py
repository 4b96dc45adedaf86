"""The parts of an encoder that are watched, and what a batch says of itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn


def embedding_module(encoder: nn.Module) -> nn.Module | None:
    """The module that turns ids into vectors, positions included where they are added there."""
    found = getattr(encoder, "embeddings", None)
    if isinstance(found, nn.Module):
        return found
    getter = getattr(encoder, "get_input_embeddings", None)
    module = getter() if getter is not None else None
    return module if isinstance(module, nn.Module) else None


def layer_modules(encoder: nn.Module) -> list[nn.Module]:
    """The layers: members of the outermost module list; of the innermost where layers share weights."""
    count = getattr(getattr(encoder, "config", None), "num_hidden_layers", None)
    lists = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    full = [module for module in lists if len(module) == count]
    if full and not any(len(module) == 1 and count != 1 for module in lists[:1]):
        return list(full[0])
    return list(lists[-1]) if lists else []


def position_modules(encoder: nn.Module) -> list[nn.Module]:
    """Modules that are called with the position ids."""
    names = ("position_embeddings", "rotary_emb")
    return [module for name, module in encoder.named_modules() if name.split(".")[-1] in names]


def real_positions(features: Any, ids: NDArray[Any], pad: int | None) -> NDArray[np.bool_]:
    """Where a batch holds tokens: what the tokenizer itself says, before anyone else touched the mask."""
    encodings = getattr(features, "encodings", None)
    if encodings:
        table = np.array([encoding.attention_mask for encoding in encodings], dtype=bool)
        if table.shape == ids.shape:
            return table
    if "attention_mask" in features:
        found: NDArray[np.bool_] = as_numpy(features["attention_mask"]).astype(bool)
        return found
    return np.ones(ids.shape, dtype=bool) if pad is None else ids != pad


def as_numpy(values: Any) -> NDArray[Any]:
    if not isinstance(values, Tensor):
        return np.asarray(values)
    values = values.detach()
    if values.is_floating_point():
        values = values.float()
    array: NDArray[Any] = values.cpu().numpy().copy()
    return array


def dtype_name(values: Any) -> str:
    return str(values.dtype).removeprefix("torch.")
