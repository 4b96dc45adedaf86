"""Packed forward through the library's own classes: an attention function registered under a name of ours.

For the families whose layers ask the registry for their attention and take positions from outside. The
formulas of the layers stay the library's; only attention sees the boundaries between texts.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from workbench.models.packed_attention import Group, joined

if TYPE_CHECKING:
    from workbench.models.packed import PackedBatch

MODEL_TYPES = frozenset(
    (
        "albert",
        "distilbert",
        "ernie",
        "eurobert",
        "gemma3_text",
        "modernbert",
        "nomic_bert",
        "qwen3",
        "xlm-roberta-xl",
    )
)
_NAME = "workbench_packed"
_TWINS: WeakKeyDictionary[nn.Module, nn.Module] = WeakKeyDictionary()
_BUILDING = threading.Lock()


def knows(encoder: nn.Module) -> bool:
    """Whether an encoder is in the table, with nothing that the attention below leaves out."""
    config: Any = getattr(encoder, "config", None)
    return (
        getattr(config, "model_type", None) in MODEL_TYPES
        and getattr(config, "attn_logit_softcapping", None) is None
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "add_cross_attention", False)
    )


def forward(encoder: nn.Module, batch: PackedBatch) -> Tensor:
    """The last layer, shape ``(tokens, hidden)``."""
    twin = _TWINS.get(encoder)
    if twin is None:
        with _BUILDING:
            twin = _TWINS.get(encoder)
            if twin is None:
                twin = _TWINS[encoder] = packed_twin(encoder)
    if twin.training != encoder.training:
        twin.train(encoder.training)
    return run(twin, batch)


def run(twin: nn.Module, batch: PackedBatch) -> Tensor:
    """Run a twin over a packed batch."""
    inputs: dict[str, Any] = {
        "input_ids": batch.input_ids[None],
        "position_ids": batch.position_ids[None],
        "packed_groups": batch.groups,
    }
    if batch.token_type_ids is not None:
        inputs["token_type_ids"] = batch.token_type_ids[None]
    config: Any = twin.config
    if config.model_type in ("gemma3_text", "qwen3"):
        inputs["use_cache"] = False
    out: Tensor = twin(**inputs, return_dict=True).last_hidden_state[0]
    return out


def packed_twin(encoder: nn.Module) -> nn.Module:
    """The same class over the same parameters and buffers, with the attention of this file.

    The encoder itself keeps its attention, so that a padded pass beside it changes nothing.
    """
    _register()
    config: Any = copy.deepcopy(encoder.config)
    config._attn_implementation = _NAME
    # On the meta device nothing is allocated or drawn; what is there is put in from the original.
    with torch.device("meta"):
        twin: Any = type(encoder)(config)
    if getattr(encoder, "pooler", None) is None and hasattr(twin, "pooler"):
        twin.pooler = None
    for name, module in encoder.named_modules():
        same = twin.get_submodule(name)
        same._parameters, same._buffers = module._parameters, module._buffers
    twin.train(encoder.training)
    found: nn.Module = twin
    return found


def _register() -> None:
    from transformers import AttentionInterface

    if _NAME not in AttentionInterface():
        AttentionInterface.register(_NAME, _attend)


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packed_groups: Sequence[Group],
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Of the signature that the registry asks for. Each of ``(1, heads, tokens, size)``."""
    causal = bool(getattr(module, "is_causal", False))
    # Fewer heads for keys and values than for queries: each serves several.
    shared = query.shape[1] != key.shape[1]
    parts = []
    for group in packed_groups:
        one, two, three = (_texts(rows, group) for rows in (query, key, value))
        mask = _window(group.length, sliding_window, causal, query.device)
        mixed = scaled_dot_product_attention(
            one,
            two,
            three,
            attn_mask=mask,
            dropout_p=dropout,
            is_causal=causal and mask is None,
            scale=scaling,
            enable_gqa=shared,
        )
        parts.append(mixed.transpose(1, 2).reshape(group.texts * group.length, *mixed.shape[1::2]))
    return joined(parts, query.shape[2])[None], None


def _texts(rows: Tensor, group: Group) -> Tensor:
    """A group's texts as a batch, shape ``(texts, heads, length, size)``."""
    heads, size = rows.shape[1], rows.shape[3]
    return rows[0, :, group.start : group.end].reshape(heads, group.texts, group.length, size).transpose(0, 1)


def _window(length: int, window: int | None, causal: bool, device: torch.device) -> Tensor | None:
    """Which keys a query sees where the layer looks only so far; None where the window holds everything."""
    if window is None or length <= window:
        return None
    places = torch.arange(length, device=device)
    apart = places[:, None] - places[None, :]
    # The library counts a token's own place into the window.
    return (apart < window) & (apart >= 0) if causal else apart.abs() < window
