"""All columns of a training step in one packed forward pass, and which models can run so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from workbench.models import packed_bert
from workbench.models.packed import ROWS_STEP, PackedBatch, pack, packable, packed_forward, untouched
from workbench.models.packed_pooling import can_pool_packed, pool_packed
from workbench.models.packed_training import attend_in_buckets
from workbench.models.protocols import Features, Tokenized
from workbench.models.transformer import Transformer

# Whatever else stands in the features may matter to a module: such a batch takes the padded pass.
_KNOWN = frozenset(("input_ids", "attention_mask", "token_type_ids"))
# On the model while it is trained packed.
_SWITCH = "packs_columns"


def padded_because(modules: Sequence[nn.Module]) -> str:
    """Why a model's texts cannot run packed; empty where they can.

    Args:
        modules: All of them, the one that tokenises first.
    """
    first = modules[0]
    if type(first) is not Transformer:
        return f"{type(first).__name__} is no encoder with attention"
    if not untouched(first) or not all(map(untouched, modules[1:])):
        return "a hook, an adapter or another forward stands in the model"
    if not packable(first.encoder):
        return f"{first.encoder.config.model_type} has no packed pass"  # type: ignore[union-attr]
    if getattr(first.encoder.config, "output_hidden_states", False):
        return "all layers are asked for"
    if not can_pool_packed(modules[1:]):
        names = ", ".join(type(module).__name__ for module in modules[1:]) or "nothing"
        return f"after the encoder comes {names}"
    return ""


@contextmanager
def packing(model: Any, on: bool) -> Iterator[None]:
    """Let ``embed_packed`` serve a model within a block.

    Args:
        model: All modules in order.
        on: False changes nothing.
    """
    before = getattr(model, _SWITCH, False)
    setattr(model, _SWITCH, on)
    try:
        yield
    finally:
        setattr(model, _SWITCH, before)


def embed_packed(model: Any, columns: Sequence[Features]) -> list[Tensor] | None:
    """Embed whole columns in one pass without padding.

    Args:
        model: All modules in order.
        columns: As ``Transformer.collate`` makes them, on the model's device.

    Returns:
        Shape ``(batch, dim)`` each; None where the model is not switched to it by ``packing``, a hook or
        another module came into it since, or a column holds anything but texts padded on the right.
    """
    if not getattr(model, _SWITCH, False) or not untouched(model) or padded_because(list(model)):
        return None
    read = [_texts(column) for column in columns]
    if any(texts is None for texts in read) or len({frozenset(column) for column in columns}) != 1:
        return None
    by_column = cast(list[list[Tokenized]], read)
    texts = [text for column in by_column for text in column]
    # Equal lengths adjacent, and stable: the order, and with it the draws of dropout, hangs on nothing else.
    order = sorted(range(len(texts)), key=lambda place: texts[place].length)
    encoder = model[0].encoder
    device = columns[0]["input_ids"].device
    batch = pack(encoder, [texts[place] for place in order]).to(device)
    rows = pool_packed(list(model)[1:], step_forward(encoder, batch), batch)
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return list(torch.split(rows[back.to(device)], [len(column) for column in by_column]))


def step_forward(encoder: nn.Module, batch: PackedBatch) -> Tensor:
    """What ``packed_forward`` gives, in the form that suits a training step on the encoder's device."""
    if batch.input_ids.device.type != "cpu" or not packed_bert.knows(encoder):
        return packed_forward(encoder, batch)
    parts = packed_bert.live_parts(encoder, attend_in_buckets)
    if torch.is_autocast_enabled("cpu"):
        # A CPU compiles products in bfloat16 for each number of rows: let there be few.
        return packed_bert.forward(parts, batch.rounded(ROWS_STEP))[: len(batch.input_ids)]
    return packed_bert.forward(parts, batch)


def _texts(column: Features) -> list[Tokenized] | None:
    """The texts of a column; None where it is not a plain one."""
    if not column.keys() <= _KNOWN or not {"input_ids", "attention_mask"} <= column.keys():
        return None
    shape = column["attention_mask"].shape
    if len(shape) != 2 or any(value.shape != shape for value in column.values()) or not shape[0]:
        return None
    inputs = {name: value.tolist() for name, value in column.items()}
    masks: Iterable[list[int]] = inputs.pop("attention_mask")
    texts = []
    for row, mask in enumerate(masks):
        length = sum(mask)
        # Padding on the left moves the positions of some encoders, and a text without a token has no row.
        if length < 1 or mask[:length] != [1] * length or any(mask[length:]):
            return None
        texts.append(Tokenized({name: ids[row][:length] for name, ids in inputs.items()}, length, 0))
    return texts
