"""Unit-length embeddings."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict
from torch import nn
from torch.nn import functional

from workbench.models.module_checks import FeatureName, check_config, read_feature
from workbench.models.protocols import Features


class NormalizeConfig(BaseModel):
    """What ``2_Normalize/config.json`` may hold; 2.x writes none, which means the defaults."""

    model_config = ConfigDict(extra="forbid", strict=True)

    module_input_name: FeatureName = "sentence_embedding"
    module_output_name: FeatureName | None = None


class Normalize(nn.Module):
    """Scale embeddings to unit length: ``x / max(‖x‖₂, 1e-12)`` over the last axis.

    Args:
        module_input_name: Feature to read. Shape ``(..., dim)``.
        module_output_name: Feature to write, of the same shape; None writes the one that was read.

    Raises:
        InvalidValueError, InvalidTypeError: A name that cannot be a feature's.

    Source: sentence-transformers' ``Normalize``. In float16 the bound 1e-12 rounds to zero, so that there
    a row of zeros becomes NaN, as it does upstream.
    """

    legacy_type: ClassVar[str] = "sentence_transformers.models.Normalize"

    def __init__(
        self, module_input_name: str = "sentence_embedding", module_output_name: str | None = None
    ) -> None:
        super().__init__()
        given = {"module_input_name": module_input_name, "module_output_name": module_output_name}
        config = check_config(NormalizeConfig, given, "Normalize")
        self.module_input_name = config.module_input_name
        self.module_output_name = config.module_output_name or config.module_input_name

    @classmethod
    def from_config(cls, config: NormalizeConfig) -> Self:
        """Build the module that a folder describes."""
        return cls(config.module_input_name, config.module_output_name)

    def get_config(self) -> dict[str, Any]:
        """Give what config.json holds: nothing for the defaults, since 2.x does not read the file."""
        names = {"module_input_name": self.module_input_name, "module_output_name": self.module_output_name}
        return {} if set(names.values()) == {"sentence_embedding"} else names

    def forward(self, features: Features) -> Features:
        """Set the output feature.

        Raises:
            UnknownNameError: The input feature is missing, which upstream passes over in silence.
        """
        tensor = read_feature(features, self.module_input_name, "Normalize")
        features[self.module_output_name] = functional.normalize(tensor, p=2.0, dim=-1)
        return features

    def extra_repr(self) -> str:
        """Show the features read and written."""
        return f"{self.module_input_name} → {self.module_output_name}"
