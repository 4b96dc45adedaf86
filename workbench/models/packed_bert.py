"""The forward pass of BERT and its family over texts in one row without padding, in plain torch.

It reads the parameters where the Transformers library keeps them, and imports nothing of that library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from workbench.models.packed_attention import Group, attend
from workbench.models.packed_dropout import drop_as

if TYPE_CHECKING:
    from workbench.models.packed import PackedBatch

# Same tree of parameters, same formulas; they differ in where positions begin, and ELECTRA in one projection.
MODEL_TYPES = frozenset(("bert", "camembert", "data2vec-text", "electra", "roberta", "xlm-roberta"))
# The library's names of the activations, by what torch calls them.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": nn.functional.gelu,
    "gelu_new": lambda rows: nn.functional.gelu(rows, approximate="tanh"),
    "gelu_pytorch_tanh": lambda rows: nn.functional.gelu(rows, approximate="tanh"),
    "relu": nn.functional.relu,
    "silu": nn.functional.silu,
}

Step = Callable[[Tensor], Tensor]
Attention = Callable[[Tensor, Sequence[Group], int, float], Tensor]


@dataclass(frozen=True)
class BertLayer:
    """One layer as functions of rows ``(tokens, …)``.

    Attributes:
        qkv: Hidden → queries, keys and values side by side.
        attended: What attention gave, and the residual → hidden, the residual added.
        expand: Hidden → intermediate, the activation included.
        contract: Intermediate, and the residual → hidden, the residual added.
        attention_norm, output_norm: Layer norms of these sums.
        attention_dropout: Share of the attention weights set to zero; 0 outside training.
    """

    qkv: Step
    attended: Callable[[Tensor, Tensor], Tensor]
    expand: Step
    contract: Callable[[Tensor, Tensor], Tensor]
    attention_norm: Step
    output_norm: Step
    attention_dropout: float = 0.0


@dataclass(frozen=True)
class BertParts:
    """An encoder taken apart.

    Attributes:
        embed: A batch's embeddings, shape ``(tokens, hidden)``.
        project: ELECTRA's way from the embeddings to the hidden size.
        layers: In order.
        heads: Attention heads.
        attention: Queries, keys and values, groups, heads, dropout → what attention gives.
    """

    embed: Callable[[PackedBatch], Tensor]
    project: Step | None
    layers: Sequence[BertLayer]
    heads: int
    attention: Attention = attend


def knows(encoder: nn.Module) -> bool:
    """Whether an encoder is one of this family, with nothing that the pass below leaves out."""
    config: Any = getattr(encoder, "config", None)
    return (
        getattr(config, "model_type", None) in MODEL_TYPES
        and config.hidden_act in ACTIVATIONS
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "add_cross_attention", False)
        and getattr(config, "position_embedding_type", "absolute") in (None, "absolute")
    )


def forward(parts: BertParts, batch: PackedBatch) -> Tensor:
    """The last layer, shape ``(tokens, hidden)``."""
    groups = batch.groups
    rows = parts.embed(batch)
    if parts.project is not None:
        rows = parts.project(rows)
    for layer in parts.layers:
        mixed = parts.attention(layer.qkv(rows), groups, parts.heads, layer.attention_dropout)
        rows = layer.attention_norm(layer.attended(mixed, rows))
        rows = layer.output_norm(layer.contract(layer.expand(rows), rows))
    return rows


def live_parts(encoder: nn.Module, attention: Attention = attend) -> BertParts:
    """The encoder's own parameters, so that gradients reach them, and its own dropout modules."""
    config: Any = encoder.config
    tree: Any = encoder
    activation = ACTIVATIONS[config.hidden_act]
    embed = embedding(encoder)
    return BertParts(
        embed=lambda batch: drop_as(tree.embeddings.dropout, embed(batch)),
        project=getattr(tree, "embeddings_project", None),
        layers=[_live_layer(layer, activation) for layer in tree.encoder.layer],
        heads=int(config.num_attention_heads),
        attention=attention,
    )


def embedding(encoder: nn.Module) -> Callable[[PackedBatch], Tensor]:
    """The sum of word, type and position embeddings, normalised; before dropout."""
    tables: Any = encoder.embeddings

    def embed(batch: PackedBatch) -> Tensor:
        types = tables.token_type_embeddings
        rows = tables.word_embeddings(batch.input_ids)
        # Without type ids the library takes type 0 for every token.
        rows = rows + (types.weight[0] if batch.token_type_ids is None else types(batch.token_type_ids))
        out: Tensor = tables.LayerNorm(rows + tables.position_embeddings(batch.position_ids))
        return out

    return embed


def fused_qkv(layer: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of queries, keys and values as one linear: one multiplication instead of three."""
    own = layer.attention.self
    three = (own.query, own.key, own.value)
    return torch.cat([part.weight for part in three]), torch.cat([part.bias for part in three])


def _live_layer(layer: Any, activation: Step) -> BertLayer:
    weight, bias = fused_qkv(layer)
    expand, after_attention, after_output = layer.intermediate.dense, layer.attention.output, layer.output
    weights_dropout = layer.attention.self.dropout
    return BertLayer(
        qkv=lambda rows: linear(rows, weight, bias),
        attended=lambda rows, residual: (
            drop_as(after_attention.dropout, after_attention.dense(rows)) + residual
        ),
        expand=lambda rows: activation(expand(rows)),
        contract=lambda rows, residual: drop_as(after_output.dropout, after_output.dense(rows)) + residual,
        attention_norm=after_attention.LayerNorm,
        output_norm=after_output.LayerNorm,
        attention_dropout=float(weights_dropout.p) if weights_dropout.training else 0.0,
    )
