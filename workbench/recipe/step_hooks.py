"""Hooks that look into one real step of ``fit`` and change nothing in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from workbench.data.input_example import InputExample
from workbench.models.pooling import Pooling
from workbench.sentence_transformer import SentenceTransformer

_LAYER = re.compile(r"\blayers?\.(\d+)\.")


@dataclass
class StepCapture:
    """What came by in the first batch of a step.

    Attributes:
        examples: The rows of the batch.
        features: Of each column, as collated.
        labels: As collated; None where there are none.
        token_embeddings: One a call of the model. Shape ``(batch, tokens, dim)``.
        pooled: Output of the pooling, one a call. Shape ``(batch, dim)``.
        embeddings: Output of the whole model, what the loss takes; one a call. Shape ``(batch, dim)``.
        pulls: Gradient of the loss at each of ``embeddings``, by place.
        loss: What the loss gave.
        norms: Parameter → square of its gradient's norm, after the step's last batch and before clipping.
    """

    examples: tuple[InputExample, ...] = ()
    features: list[dict[str, Any]] = field(default_factory=list)
    labels: Tensor | None = None
    token_embeddings: list[Tensor] = field(default_factory=list)
    pooled: list[Tensor] = field(default_factory=list)
    embeddings: list[Tensor] = field(default_factory=list)
    pulls: dict[int, Tensor] = field(default_factory=dict)
    loss: float | None = None
    norms: dict[str, float] = field(default_factory=dict)


@contextmanager
def watched_step(model: SentenceTransformer, loss: nn.Module) -> Iterator[StepCapture]:
    """Watch a step from collate to gradients; every hook is taken away afterwards."""
    seen = StepCapture()
    pooling = next((module for module in model if isinstance(module, Pooling)), None)
    collate = model.smart_batching_collate

    def on_collate(batch: Sequence[InputExample]) -> Any:
        features, labels = collate(batch)
        if not seen.examples:
            seen.examples = tuple(batch)
            seen.features = [dict(column) for column in features]
            seen.labels = labels
        return features, labels

    def on_encoder(_: nn.Module, __: Any, output: dict[str, Any]) -> None:
        if seen.loss is None and isinstance(output.get("token_embeddings"), Tensor):
            seen.token_embeddings.append(output["token_embeddings"].detach().clone())

    def on_pooling(_: nn.Module, __: Any, output: dict[str, Any]) -> None:
        if seen.loss is None:
            seen.pooled.append(output["sentence_embedding"].detach().clone())

    def on_model(_: nn.Module, __: Any, output: dict[str, Any]) -> None:
        if seen.loss is not None:
            return
        place, tensor = len(seen.embeddings), output["sentence_embedding"]
        seen.embeddings.append(tensor.detach().clone())
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: seen.pulls.__setitem__(place, gradient.detach().clone()))

    def on_loss(_: nn.Module, __: Any, output: Tensor) -> None:
        if seen.loss is None:
            seen.loss = float(output.detach())

    def on_gradient(name: str) -> Any:
        def note(parameter: Tensor) -> None:
            assert parameter.grad is not None
            seen.norms[name] = float(parameter.grad.detach().double().square().sum())

        return note

    handles = [
        model[0].register_forward_hook(on_encoder),
        model.register_forward_hook(on_model),
        loss.register_forward_hook(on_loss),
        *([pooling.register_forward_hook(on_pooling)] if pooling is not None else []),
        *(
            parameter.register_post_accumulate_grad_hook(on_gradient(name))  # type: ignore[no-untyped-call]
            for name, parameter in loss.named_parameters()
            if parameter.requires_grad
        ),
    ]
    model.smart_batching_collate = on_collate  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        del model.smart_batching_collate
        for handle in handles:
            handle.remove()


def norms_by_layer(norms: dict[str, float], loss: nn.Module, model: SentenceTransformer) -> dict[str, float]:
    """Gradient norm of each layer, in the order in which a text passes them.

    Args:
        norms: Parameter of the loss → square of its gradient's norm.
        loss: Whose parameters are in that order; gradients come in the opposite one.
        model: Whose modules give the names.
    """
    squares: dict[str, float] = {}
    for name, _ in loss.named_parameters():
        if name in norms:
            layer = _layer_of(name, model)
            squares[layer] = squares.get(layer, 0.0) + norms[name]
    return {layer: square**0.5 for layer, square in squares.items()}


def _layer_of(name: str, model: SentenceTransformer) -> str:
    found = re.match(r"(?:loss\.)*model\.(\d+)\.(.*)", name)
    if found is None:
        return "loss"
    place, rest = int(found[1]), found[2]
    layer = _LAYER.search(rest)
    if layer is not None:
        return f"layer {layer[1]}"
    if place == 0:
        return "embeddings" if "embed" in rest else "encoder, other"
    return type(model[place]).__name__
