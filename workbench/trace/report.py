"""Differences, proofs and black-box results as plain dicts for JSON; null where a number is not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workbench.trace.black_box import BlackBox, Candidate
from workbench.trace.results import CauseFound, Difference, Proof, Rung


def difference_dict(found: Difference) -> dict[str, Any]:
    """A difference for JSON."""
    return {
        "verdict": found.verdict,
        "first": None if found.first is None else _rung(found.first),
        "cause": None if found.cause is None else _cause(found.cause),
        "gap": _number(found.gap),
        "gap_limit": _number(found.gap_limit),
        "cosine_mean": _number(found.cosine_mean),
        "cosine_min": _number(found.cosine_min),
        "cosine_p01": _number(found.cosine_p01),
        "context": {name: list(values) for name, values in found.context.items()},
        "rungs": [_rung(rung) for rung in found.rungs],
    }


def proof_dict(proof: Proof) -> dict[str, Any]:
    """A proof for JSON."""
    return {
        "left": proof.left.name,
        "right": proof.right.name,
        "closed": proof.closed,
        "faults": [
            {
                "stage": fault.cause.stage,
                "cause": _cause(fault.cause),
                "rung": _rung(fault.rung),
                "gap_before": _number(fault.gap_before),
                "gap_after": _number(fault.gap_after),
                "closed": fault.closed,
            }
            for fault in proof.faults
        ],
        "difference": difference_dict(proof.difference),
    }


def black_box_dict(found: BlackBox) -> dict[str, Any]:
    """A search for JSON."""
    return {
        "reproduced": found.reproduced,
        "sentence": found.sentence,
        "best": _candidate(found.best),
        "others": [_candidate(other) for other in found.others],
        "tried": found.tried,
        "texts": list(found.texts),
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "changes": dict(candidate.changes),
        "verdict": candidate.verdict,
        "max_abs": _number(candidate.max_abs),
        "cosine_mean": _number(candidate.cosine_mean),
        "cosine_min": _number(candidate.cosine_min),
    }


def _rung(rung: Rung) -> dict[str, Any]:
    return {
        "stage": rung.stage,
        "name": rung.name,
        "verdict": rung.verdict,
        "max_abs": _number(rung.max_abs),
        "limit": _number(rung.limit),
        "differing_texts": list(rung.differing_texts),
    }


def _cause(cause: CauseFound) -> dict[str, Any]:
    values: Mapping[str, Any] = cause.values
    return {
        "key": cause.key,
        "stage": cause.stage,
        "sentence": cause.sentence,
        "fix": cause.fix,
        "values": {
            name: _number(value) if isinstance(value, float) else value for name, value in values.items()
        },
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
