"""Embeddings that stay good when layers are left out: another loss at several depths."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.losses.checks import one_of
from workbench.losses.needs import DataNeeds
from workbench.losses.wrapping import InnerLoss, check_inner, targets_for
from workbench.models.module_checks import read_feature
from workbench.models.protocols import Features, LayeredModel

LayerWeighting = Literal["uniform", "log", "linear"] | Callable[[int], float]
_WEIGHTS: dict[str, Callable[[int], float]] = {
    "uniform": lambda layer: 1.0,
    "log": lambda layer: 1.0 / (1.0 + math.log(1 + layer)),
    "linear": lambda layer: 1.0 / (1 + layer),
}
_WHERE = "AdaptiveLayerLoss"


class AdaptiveLayerLoss(nn.Module):
    """``w_last loss(E_last) + Σ_layer ( w_layer w_prior/n · loss(E_layer) + w_kl T KL(p_last ‖ p_layer) )``.

    ``E_layer`` are the embeddings made of the output of a layer by the modules after the encoder, layer 0
    being the token embeddings, and ``p = softmax(E / T)``. The sum runs over ``n`` layers below the last.
    Data as the loss inside needs it.

    Args:
        model: The model that is trained; its first module is an encoder.
        loss: A loss of the same model that embeds whole batches.
        n_layers_per_step: Draw so many layers a step with Python's ``random``; -1 for all.
        last_layer_weight: ``w_last``.
        prior_layers_weight: ``w_prior``.
        kl_div_weight: ``w_kl``.
        kl_temperature: ``T``; 0 leaves the divergence out.
        layer_weighting: ``w_layer``: ``uniform`` 1, ``log`` ``1 / (1 + log(1 + layer))``, ``linear``
            ``1 / (1 + layer)``, or a function of the layer.

    Raises:
        InvalidTypeError: A model without an encoder, or a loss that does not compare embeddings.
        InvalidValueError: A loss of another model, or one that embeds by mini-batches.
        UnknownNameError: A weighting that does not exist.

    Source: sentence-transformers' loss of this name; Li et al., 2D Matryoshka Sentence Embeddings,
    https://arxiv.org/abs/2402.14776.
    """

    def __init__(
        self,
        model: LayeredModel,
        loss: InnerLoss,
        n_layers_per_step: int = 1,
        last_layer_weight: float = 1.0,
        prior_layers_weight: float = 1.0,
        kl_div_weight: float = 1.0,
        kl_temperature: float = 0.3,
        layer_weighting: LayerWeighting = "uniform",
    ) -> None:
        super().__init__()
        check_inner(loss, model, _WHERE)
        encoder_of(model, _WHERE)
        if getattr(loss, "mini_batches", None) is not None:
            raise InvalidValueError(
                "loss-by-mini-batches",
                f"a {type(loss).__name__}, which embeds by mini-batches",
                expected="a loss that embeds the whole batch, since all layers of it are kept",
                where=f"{_WHERE}, loss",
            )
        if not callable(layer_weighting):
            one_of(layer_weighting, _WEIGHTS, "layer_weighting", _WHERE)
        self.model = model
        self.loss = loss
        self.n_layers_per_step = n_layers_per_step
        self.last_layer_weight = last_layer_weight
        self.prior_layers_weight = prior_layers_weight
        self.kl_div_weight = kl_div_weight
        self.kl_temperature = kl_temperature
        self.layer_weight = layer_weighting if callable(layer_weighting) else _WEIGHTS[layer_weighting]

    @property
    def needs(self) -> DataNeeds:
        """What the loss inside needs."""
        return self.loss.needs

    def forward(self, sentence_features: Iterable[Features], labels: Tensor | None = None) -> Tensor:
        """Run the encoder once, make embeddings of every layer, and compare."""
        columns = list(sentence_features)
        by_column = [embed_layers(self.model, features) for features in columns]
        layers = [list(embeddings) for embeddings in zip(*by_column, strict=True)]
        return self.compute_loss_from_layers(layers, targets_for(self.loss, columns, labels))

    def compute_loss_from_layers(self, layers: Sequence[list[Tensor]], labels: Any) -> Tensor:
        """The loss of the embeddings of every layer.

        Args:
            layers: From the token embeddings to the last layer: the columns, ``(batch, dim)`` each.
            labels: As the loss inside takes them.
        """
        *prior, last = layers
        loss = self.loss.compute_loss_from_embeddings(last, labels) * self.last_layer_weight
        every = range(len(prior))
        drawn = 0 < self.n_layers_per_step < len(every)
        for layer in random.sample(every, self.n_layers_per_step) if drawn else every:
            weight = self.layer_weight(layer) / (self.n_layers_per_step if drawn else len(every))
            of_layer = self.loss.compute_loss_from_embeddings(prior[layer], labels)
            loss = loss + of_layer * weight * self.prior_layers_weight
            if self.kl_temperature > 0:
                loss = loss + self._divergence(prior[layer], last) * self.kl_div_weight
        return loss

    def _divergence(self, layer: list[Tensor], last: list[Tensor]) -> Tensor:
        wanted = torch.softmax(torch.cat(last).detach() / self.kl_temperature, dim=-1)
        found = torch.log_softmax(torch.cat(layer) / self.kl_temperature, dim=-1)
        return nn.functional.kl_div(found, wanted, reduction="batchmean") * self.kl_temperature


def encoder_of(model: LayeredModel, where: str) -> nn.Module:
    """The library's encoder inside the first module.

    Raises:
        InvalidTypeError: The first module holds none.
    """
    encoder = getattr(model[0], "auto_model", None)
    if not isinstance(encoder, nn.Module):
        raise InvalidTypeError(
            "no-encoder",
            f"the first module is a {type(model[0]).__name__}",
            expected="models.Transformer",
            where=where,
        )
    return encoder


def embed_layers(model: LayeredModel, features: Features) -> list[Tensor]:
    """Embed one column once a layer.

    Returns:
        Token embeddings first, the last layer last. Shape ``(batch, dim)`` each.
    """
    first, *rest = list(model)
    config: Any = encoder_of(model, _WHERE).config
    before = config.output_hidden_states
    config.output_hidden_states = True
    try:
        encoded: Features = first(dict(features))
    finally:
        config.output_hidden_states = before
    *prior, _ = encoded["all_layer_embeddings"]
    embedded = []
    for tokens in (*prior, encoded["token_embeddings"]):
        made = encoded | {"token_embeddings": tokens}
        for module in rest:
            made = module(made)
        embedded.append(read_feature(made, "sentence_embedding", _WHERE))
    return embedded
