"""Holding a parsed JSON value to a closed schema, with an error that names the key."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from workbench.errors import ModelFolderError

Schema = TypeVar("Schema", bound=BaseModel)


def hold_to_schema(schema: type[Schema], raw: object, where: str) -> Schema:
    """Parse ``raw`` as ``schema``.

    Args:
        schema: A pydantic model that forbids extra keys.
        raw: What the JSON file held.
        where: The file, for the error.

    Raises:
        ModelFolderError: A key or value outside the schema.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ModelFolderError(
            "config-schema",
            f"{key or 'the file'}: {first['msg']}; it is {str(first['input'])[:80]!r}",
            expected=f"the keys and values of a {schema.__name__}",
            fix="Take the file from the original model",
            where=where,
        ) from error
