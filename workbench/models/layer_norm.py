"""Layer normalisation of the sentence embedding, with learned scale and shift."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from torch import nn

from workbench.models.module_checks import Size, check_config, read_feature
from workbench.models.protocols import Features


class LayerNormConfig(BaseModel):
    """What the module's ``config.json`` may hold, in every version."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dimension: Size


class LayerNorm(nn.Module):
    """Bring each embedding to mean 0 and variance 1, then scale and shift: ``γ (x - μ) / √(σ² + 1e-5) + β``.

    Args:
        dimension: Length of an embedding, 1 to 8192.

    Raises:
        InvalidValueError, InvalidTypeError: Not such a length.

    Source: sentence-transformers' ``LayerNorm``.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.LayerNorm"

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.dimension = check_config(LayerNormConfig, {"dimension": dimension}, "LayerNorm").dimension
        self.norm = nn.LayerNorm(self.dimension)

    @classmethod
    def from_config(cls, config: LayerNormConfig) -> Self:
        """Build the module that a folder describes; its weights are loaded after."""
        return cls(config.dimension)

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds."""
        return {"dimension": self.dimension}

    @property
    def in_dimension(self) -> int:
        """Length of the embedding that it takes."""
        return self.dimension

    def get_sentence_embedding_dimension(self) -> int:
        """Length of an embedding."""
        return self.dimension

    def forward(self, features: Features) -> Features:
        """Set ``sentence_embedding``. Shape ``(batch, dim)``.

        Raises:
            UnknownNameError: There is no sentence embedding yet.
            ShapeMismatchError: Its length is not ``dimension``.
        """
        tensor = read_feature(features, "sentence_embedding", "LayerNorm", self.dimension)
        features["sentence_embedding"] = self.norm(tensor)
        return features
