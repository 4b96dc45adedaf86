"""An encoder made ready for inference: the packed pass over layers that are laid out for the processor."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from workbench.encoding.aligned_attention import attend_aligned
from workbench.encoding.linear import Compute, InferenceLinear
from workbench.encoding.plan import TOKENS_A_BATCH
from workbench.encoding.probe import alike, probe_batch
from workbench.encoding.varlen import attend_varlen, offered
from workbench.models import packed_bert, packed_registered
from workbench.models.packed import ROWS_STEP, PackedBatch, packed_forward

# A GPU needs many rows to fill its units.
_TOKENS_ON_A_GPU = 32_768


@dataclass(frozen=True)
class Engine:
    """What turns packed batches into token embeddings.

    Attributes:
        compute: In which type the linear layers multiply.
        run: A batch → the last layer, shape ``(tokens, hidden)``, in the encoder's own type.
        tokens_a_batch: Most tokens that a batch should have.
    """

    compute: Compute
    run: Callable[[PackedBatch], Tensor]
    tokens_a_batch: int = TOKENS_A_BATCH


def build_engine(encoder: nn.Module, compute: Compute) -> Engine:
    """Copy an encoder's weights into the layout of its processor; later changes of the encoder are not seen.

    Args:
        encoder: One that is ``packable``, in eval mode.
        compute: In which type the linear layers multiply.
    """
    parameter = next(encoder.parameters())
    if parameter.device.type != "cpu":
        return Engine(compute, _on_device(encoder, compute), _TOKENS_ON_A_GPU)
    if packed_bert.knows(encoder):
        parts = _inference_parts(encoder, compute)
        return Engine(compute, _in_full_rows(lambda batch: packed_bert.forward(parts, batch)))
    twin = _inference_twin(encoder, compute)
    return Engine(
        compute, _in_full_rows(lambda batch: packed_registered.run(twin, batch).to(parameter.dtype))
    )


def _in_full_rows(run: Callable[[PackedBatch], Tensor]) -> Callable[[PackedBatch], Tensor]:
    """Few different numbers of rows: for each, oneDNN compiles and keeps about 1 MB a linear layer."""
    return lambda batch: run(batch.rounded(ROWS_STEP))[: len(batch.input_ids)]


def _on_device(encoder: nn.Module, compute: Compute) -> Callable[[PackedBatch], Tensor]:
    """On an accelerator the vendor's kernels need no layout of ours."""
    dtype = next(encoder.parameters()).dtype
    if compute == "bfloat16" and dtype == torch.float32:
        half = _on_device(copy.deepcopy(encoder).to(torch.bfloat16), compute)
        return lambda batch: half(batch).to(dtype)
    if not packed_bert.knows(encoder) or not _varlen_works(encoder):
        return lambda batch: packed_forward(encoder, batch)
    return lambda batch: packed_bert.forward(_with_varlen(encoder), batch)


def _with_varlen(encoder: nn.Module) -> packed_bert.BertParts:
    return replace(packed_bert.live_parts(encoder), attention=attend_varlen)


def _varlen_works(encoder: nn.Module) -> bool:
    """Whether one kernel for all lengths is there and gives what a kernel a length gives."""
    parameter, config = next(encoder.parameters()), cast(Any, encoder.config)
    if not offered(parameter.dtype, parameter.device, config.hidden_size // config.num_attention_heads):
        return False
    batch = probe_batch(encoder).to(parameter.device)
    try:
        with torch.inference_mode():
            one = packed_bert.forward(_with_varlen(encoder), batch)
            return alike(one, packed_forward(encoder, batch))
    except RuntimeError:
        return False


def _inference_parts(encoder: nn.Module, compute: Compute) -> packed_bert.BertParts:
    config: Any = encoder.config
    tree: Any = encoder
    project = getattr(tree, "embeddings_project", None)
    return packed_bert.BertParts(
        embed=packed_bert.embedding(encoder),
        project=project,
        layers=[_inference_layer(layer, config.hidden_act, compute) for layer in tree.encoder.layer],
        heads=int(config.num_attention_heads),
        attention=attend_aligned,
    )


def _inference_layer(layer: Any, activation: str, compute: Compute) -> packed_bert.BertLayer:
    return packed_bert.BertLayer(
        qkv=InferenceLinear(*packed_bert.fused_qkv(layer), compute),
        attended=_linear(layer.attention.output.dense, compute).plus,
        expand=_linear(layer.intermediate.dense, compute, activation),
        contract=_linear(layer.output.dense, compute).plus,
        attention_norm=_norm(layer.attention.output.LayerNorm),
        output_norm=_norm(layer.output.LayerNorm),
    )


def _linear(module: Any, compute: Compute, activation: str | None = None) -> InferenceLinear:
    return InferenceLinear(module.weight, module.bias, compute, activation)


def _norm(module: Any) -> Callable[[Tensor], Tensor]:
    shape, epsilon = module.normalized_shape, module.eps
    weight, bias = module.weight.detach(), module.bias.detach()
    return lambda rows: layer_norm(rows, shape, weight, bias, epsilon)


def _inference_twin(encoder: nn.Module, compute: Compute) -> nn.Module:
    twin = packed_registered.packed_twin(encoder)
    for parent in list(twin.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Linear:
                setattr(parent, name, _linear(child, compute))
    return twin.eval()
