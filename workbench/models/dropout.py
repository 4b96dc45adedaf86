"""Dropout on the sentence embedding: active in training, the identity otherwise."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from workbench.models.module_checks import check_config, read_feature
from workbench.models.protocols import Features


class DropoutConfig(BaseModel):
    """What the module's ``config.json`` may hold, in every version."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dropout: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2


class Dropout(nn.Module):
    """Set components of ``sentence_embedding`` to zero at random and scale the rest by ``1 / (1 - p)``.

    Args:
        dropout: Probability p of a component to be set to zero, 0 to 1.

    Raises:
        InvalidValueError, InvalidTypeError: Not a probability.

    Source: sentence-transformers' ``Dropout``.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.Dropout"

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.dropout = check_config(DropoutConfig, {"dropout": dropout}, "Dropout").dropout
        self.dropout_layer = nn.Dropout(self.dropout)

    @classmethod
    def from_config(cls, config: DropoutConfig) -> Self:
        """Build the module that a folder describes."""
        return cls(config.dropout)

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds."""
        return {"dropout": self.dropout}

    def forward(self, features: Features) -> Features:
        """Set ``sentence_embedding``. Shape ``(batch, dim)``.

        Raises:
            UnknownNameError: There is no sentence embedding yet.
        """
        tensor = read_feature(features, "sentence_embedding", "Dropout")
        features["sentence_embedding"] = self.dropout_layer(tensor)
        return features
