"""Unit-length embeddings, and the checks that every module of this room makes of its config and its input."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from workbench.errors import (
    InvalidTypeError,
    InvalidValueError,
    ShapeMismatchError,
    UnknownNameError,
    WorkbenchError,
)
from workbench.models.protocols import Features

MAX_SIZE = 8192

# Strict integers: JSON's "384", 384.0 and true are refused instead of converted.
Size = Annotated[int, Field(ge=1, le=MAX_SIZE)]
FeatureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

_Config = TypeVar("_Config", bound=BaseModel)


def check_config(schema: type[_Config], values: Mapping[str, Any], where: str) -> _Config:
    """Check the arguments of a constructor against the schema of its config.json.

    Args:
        schema: The closed schema.
        values: Argument name → value; None stands for an argument that was not given.
        where: Name of the class, for the message.

    Returns:
        The checked config.

    Raises:
        UnknownNameError: A name that the schema does not list.
        InvalidTypeError: A value of the wrong type.
        InvalidValueError: A value out of range, missing or contradicting another.
    """
    try:
        return schema.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
    raised = details.get("ctx", {}).get("error")
    if isinstance(raised, WorkbenchError):
        raise raised
    kind = details["type"]
    name = ".".join(str(part) for part in details["loc"])
    if kind == "missing":
        raise InvalidValueError("argument-missing", f"{name} was not given", fix=f"Give {name}", where=where)
    came = f"{name} is {reprlib.repr(details['input'])}"
    if kind == "literal_error":
        raise UnknownNameError("unknown-name", came, expected=details["ctx"]["expected"], where=where)
    if kind.endswith("_type"):
        raise InvalidTypeError("argument-type", came, expected=details["msg"], where=where)
    raise InvalidValueError("argument-value", came, expected=details["msg"], where=where)


def read_feature(features: Features, name: str, where: str, dim: int | None = None) -> Tensor:
    """Take the tensor that a module works on out of the features.

    Args:
        features: What the modules before have made.
        name: Key of the tensor.
        where: Name of the class that asks, for the message.
        dim: Length that the tensor's last axis must have; None takes any.

    Returns:
        The tensor itself, not a copy. Shape ``(..., dim)``.

    Raises:
        UnknownNameError: No module before has made it.
        InvalidTypeError: It is no tensor.
        ShapeMismatchError: Its last axis has another length.
    """
    if name not in features:
        raise UnknownNameError(
            "feature-missing",
            f"The features hold no {name!r}",
            expected=f"one of {sorted(features)}",
            fix=f"Put the module that makes {name!r} before this one",
            where=where,
        )
    tensor = features[name]
    if not isinstance(tensor, Tensor):
        raise InvalidTypeError(
            "feature-type", f"{name} is a {type(tensor).__name__}", expected="a tensor", where=where
        )
    if dim is not None and tensor.shape[-1:] != (dim,):
        raise ShapeMismatchError(
            "feature-dimension",
            f"{name} has shape {tuple(tensor.shape)}",
            expected=f"a last axis of {dim}",
            fix="Build this module with the dimension that the module before it puts out",
            where=where,
        )
    return tensor


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
