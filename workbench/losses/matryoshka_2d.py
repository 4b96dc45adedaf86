"""Embeddings that may be cut short both ways: in length and in layers."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.losses.adaptive_layer import AdaptiveLayerLoss, LayerWeighting
from workbench.losses.matryoshka import MatryoshkaLoss
from workbench.losses.wrapping import InnerLoss
from workbench.models.protocols import LayeredModel


class Matryoshka2dLoss(AdaptiveLayerLoss):
    """``AdaptiveLayerLoss`` around ``MatryoshkaLoss`` around a loss: some layers, each at some lengths.

    Data as the loss inside needs it. The arguments are those of the two losses.

    Source: sentence-transformers' loss of this name; Li et al., 2D Matryoshka Sentence Embeddings,
    https://arxiv.org/abs/2402.14776.
    """

    def __init__(
        self,
        model: LayeredModel,
        loss: InnerLoss,
        matryoshka_dims: Sequence[int],
        matryoshka_weights: Sequence[float] | None = None,
        n_layers_per_step: int = 1,
        n_dims_per_step: int = 1,
        last_layer_weight: float = 1.0,
        prior_layers_weight: float = 1.0,
        kl_div_weight: float = 1.0,
        kl_temperature: float = 0.3,
        layer_weighting: LayerWeighting = "uniform",
    ) -> None:
        super().__init__(
            model,
            MatryoshkaLoss(model, loss, matryoshka_dims, matryoshka_weights, n_dims_per_step),
            n_layers_per_step,
            last_layer_weight,
            prior_layers_weight,
            kl_div_weight,
            kl_temperature,
            layer_weighting,
        )
