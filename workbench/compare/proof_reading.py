"""A proof read back from its JSON: the inverse of ``proof_report.proof_dict``, whatever wrote it checked."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from workbench.compare.proof_report import FORMAT, VERSION
from workbench.compare.proof_results import Proof
from workbench.errors import DataFileError
from workbench.evaluation.metrics.score import Undefined


def proof_from_dict(data: Mapping[str, Any]) -> Proof:
    """Read a proof.

    Args:
        data: From ``proof_dict``; other keys beside it are ignored.

    Raises:
        DataFileError: ``proof-format``.
    """
    if data.get("format") != FORMAT or data.get("version") != VERSION:
        raise DataFileError(
            "proof-format",
            f"{data.get('format')!r} of version {data.get('version')!r}",
            expected=f"{FORMAT} of version {VERSION}",
        )
    try:
        found: Proof = _dataclass(Proof, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataFileError("proof-format", str(error)[:200], expected="a whole proof") from error
    return found


def _dataclass(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for one in fields(kind):
        reason = data.get(f"{one.name}_undefined")
        values[one.name] = _value(hints[one.name], data[one.name], reason)
    return kind(**values)


def _value(hint: Any, value: Any, undefined: str | None = None) -> Any:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if value is None:
        if Undefined in options:
            return Undefined(undefined or "")
        return None if type(None) in options else float("nan")
    chosen = next(one for one in options if one not in (type(None), Undefined))
    origin = get_origin(chosen)
    if is_dataclass(chosen):
        return _dataclass(chosen, value)
    if origin is tuple:
        return tuple(_value(get_args(chosen)[0], inner) for inner in value)
    if origin is not None and origin is not Literal:
        # A mapping: its values stay as JSON has them.
        return dict(value)
    return chosen(value) if chosen in (int, float, str, bool) else value
