"""The checks that every module makes of its arguments and of the features it reads."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from torch import Tensor

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
