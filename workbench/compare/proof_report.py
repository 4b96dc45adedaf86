"""A proof as JSON: finite numbers only, an undefined one as null with its reason beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np

from workbench.compare.proof_reasons import ENGLISH
from workbench.compare.proof_results import Proof, best_other
from workbench.evaluation.metrics.score import Undefined

FORMAT = "workbench-proof"
VERSION = 1


def proof_dict(proof: Proof, templates: Mapping[str, str] = ENGLISH) -> dict[str, object]:
    """Everything a proof holds, ready for ``json.dumps(..., allow_nan=False)``.

    A value that is undefined becomes null, with the reason under ``<name>_undefined``.

    Args:
        proof: From ``proof.prove``.
        templates: Sentences of the verdict in the reader's language; keys and values stand beside them.
    """
    data = {"format": FORMAT, "version": VERSION, **_fields(proof)}
    best = best_other(proof)
    data["best_other"] = None if best is None else best.model
    data["verdict"] = {
        "outcome": proof.verdict.outcome,
        "choice": proof.verdict.choice,
        "reasons": [
            {"key": one.key, "values": _plain(one.values), "text": one.text(templates)}
            for one in proof.verdict.reasons
        ],
    }
    return data


def proof_json(proof: Proof, templates: Mapping[str, str] = ENGLISH) -> str:
    """The same as text."""
    return json.dumps(proof_dict(proof, templates), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _fields(value: object) -> dict[str, object]:
    row: dict[str, object] = {}
    for field in fields(value):  # type: ignore[arg-type]
        inner = getattr(value, field.name)
        row[field.name] = _plain(inner)
        if isinstance(inner, Undefined):
            row[f"{field.name}_undefined"] = inner.reason
        elif isinstance(inner, float) and not math.isfinite(inner):
            row[f"{field.name}_undefined"] = "not a finite number"
    return row


def _plain(value: object) -> object:
    if isinstance(value, Undefined):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
