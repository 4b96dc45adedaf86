"""Token embeddings as a learned weighted mean over the layers of the encoder."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

import torch
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError, UnknownNameError
from workbench.models.module_checks import Size, check_config
from workbench.models.protocols import Features


class WeightedLayerPoolingConfig(BaseModel):
    """What the module's ``config.json`` may hold; 6.x writes the dimension without ``word_``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    word_embedding_dimension: Size = Field(
        validation_alias=AliasChoices("word_embedding_dimension", "embedding_dimension")
    )
    num_hidden_layers: Annotated[int, Field(ge=1, le=64)] = 12
    layer_start: Annotated[int, Field(ge=0, le=64)] = 4

    @model_validator(mode="after")
    def _start_within_layers(self) -> Self:
        if self.layer_start > self.num_hidden_layers:
            raise InvalidValueError(
                "layer-start",
                f"layer_start is {self.layer_start} with {self.num_hidden_layers} layers",
                expected="at most the number of layers: 0 is the input embeddings, the last is the output",
                where="WeightedLayerPooling",
            )
        return self


class WeightedLayerPooling(nn.Module):
    """Replace the token embeddings by ``Σ wₗ hₗ / Σ wₗ`` over the layers l from ``layer_start`` on.

    Args:
        word_embedding_dimension: Length of a token embedding, 1 to 8192.
        num_hidden_layers: Layers of the encoder; with the input embeddings it gives one state more.
        layer_start: First state that counts; 0 is the input embeddings.
        layer_weights: First value of w, copied; all ones where None.
            Shape ``(num_hidden_layers + 1 - layer_start,)``.
        embedding_dimension: The newer name of ``word_embedding_dimension``.

    Raises:
        InvalidValueError, InvalidTypeError: An argument that cannot be used.
        ShapeMismatchError: ``layer_weights`` of another shape.

    Source: sentence-transformers' ``WeightedLayerPooling``.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.WeightedLayerPooling"

    def __init__(
        self,
        word_embedding_dimension: int | None = None,
        num_hidden_layers: int = 12,
        layer_start: int = 4,
        layer_weights: Tensor | None = None,
        *,
        embedding_dimension: int | None = None,
    ) -> None:
        super().__init__()
        given = {
            "word_embedding_dimension": word_embedding_dimension,
            "embedding_dimension": embedding_dimension,
            "num_hidden_layers": num_hidden_layers,
            "layer_start": layer_start,
        }
        config = check_config(WeightedLayerPoolingConfig, given, "WeightedLayerPooling")
        self.word_embedding_dimension = config.word_embedding_dimension
        self.num_hidden_layers = config.num_hidden_layers
        self.layer_start = config.layer_start
        used = num_hidden_layers + 1 - layer_start
        first = torch.ones(used) if layer_weights is None else layer_weights
        if not isinstance(first, Tensor) or not first.is_floating_point():
            raise InvalidTypeError(
                "layer-weights",
                f"layer_weights is {type(first).__name__}",
                expected="a tensor of floats",
                where="WeightedLayerPooling",
            )
        if first.shape != (used,):
            raise ShapeMismatchError(
                "layer-weights",
                f"layer_weights has shape {tuple(first.shape)}",
                expected=f"({used},): {num_hidden_layers} layers + 1 - layer_start {layer_start}",
                where="WeightedLayerPooling",
            )
        # A copy: training must not write into the caller's tensor.
        self.layer_weights = nn.Parameter(first.detach().clone())

    @classmethod
    def from_config(cls, config: WeightedLayerPoolingConfig) -> Self:
        """Build the module that a folder describes; its weights are loaded after."""
        return cls(config.word_embedding_dimension, config.num_hidden_layers, config.layer_start)

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds, under the names of 2.x."""
        return {
            "word_embedding_dimension": self.word_embedding_dimension,
            "layer_start": self.layer_start,
            "num_hidden_layers": self.num_hidden_layers,
        }

    @property
    def in_dimension(self) -> int:
        """Length of a token embedding that it takes."""
        return self.word_embedding_dimension

    def get_word_embedding_dimension(self) -> int:
        """Length of a token embedding."""
        return self.word_embedding_dimension

    def forward(self, features: Features) -> Features:
        """Set ``token_embeddings``, shape ``(batch, tokens, dim)``, from ``all_layer_embeddings``.

        Raises:
            UnknownNameError: The encoder gave no hidden states, which upstream passes over in silence.
            ShapeMismatchError: Another number of states than the encoder described, or another length.
        """
        layers = features.get("all_layer_embeddings")
        if layers is None:
            raise UnknownNameError(
                "feature-missing",
                "The features hold no 'all_layer_embeddings'",
                expected=f"one of {sorted(features)}",
                fix="Let the encoder put out its hidden states (output_hidden_states=True)",
                where="WeightedLayerPooling",
            )
        states = self.num_hidden_layers + 1
        dims = {layer.shape[-1] for layer in layers}
        if len(layers) != states or dims != {self.word_embedding_dimension}:
            raise ShapeMismatchError(
                "layer-count",
                f"{len(layers)} hidden states of length {sorted(dims)}",
                expected=f"{states} of length {self.word_embedding_dimension}",
                fix="Build this module with the encoder's number of layers and hidden size",
                where="WeightedLayerPooling",
            )
        used = torch.stack(tuple(layers[self.layer_start :]))  # (layers, batch, tokens, dim)
        weighted = self.layer_weights.view(-1, 1, 1, 1) * used
        features["token_embeddings"] = weighted.sum(dim=0) / self.layer_weights.sum()
        return features
