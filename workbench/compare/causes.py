"""What explains that two columns differ: the settings that had an effect on these texts, with evidence."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from workbench.compare.results import EncodedColumn
from workbench.contenders.contract import Settings

# Key of a template in ``reasons`` and what fills it.
Cause = tuple[str, dict[str, object]]

# How fast, not what: these never explain a difference by themselves.
_WITHOUT_MEANING = ("threads", "batch_size")
# Lengths of normalised embeddings stray from 1 by rounding, in bfloat16 by up to 2^-8.
_UNIT_TOLERANCE = 1e-2


def differing_causes(left: EncodedColumn, right: EncodedColumn, beyond: tuple[int, ...]) -> tuple[Cause, ...]:
    """The causes of a difference that can be named; precision aside, which ``agreement`` judges by size.

    A setting counts only where these texts show its effect: two maximum lengths, say, only where a text
    is longer than the smaller.

    Args:
        left, right: Columns over the same texts.
        beyond: Indices of the texts that differ by more than float noise.
    """
    if left.model_sha256 != right.model_sha256:
        return (("model", _pair(left, right, _model_name(left, right), _model_name(right, left))),)
    causes = [
        *_skipped(left, right),
        *_prompt(left, right),
        *_lowercase(left, right),
        *_max_length(left, right),
        *_pooling(left, right),
        *_mask(left, right),
        *_normalize(left, right),
    ]
    counts = _other_tokens(left, right)
    if not causes and _differ(left, right, "lowercase"):
        # A vocabulary with case: as many tokens, but other ones.
        causes = [("lowercase-only", _named_pair(left, right, "lowercase"))]
    elif not causes and counts:
        causes = [("tokens", {"count": len(counts), "texts": len(left.token_counts)})]
    if [key for key, _ in causes] == ["max_length"]:
        uncut = [i for i in beyond if not (left.truncated[i] or right.truncated[i])]
        if uncut:
            causes.append(("also-uncut", {"count": len(uncut)}))
    return tuple(causes)


def harmless_differences(left: EncodedColumn, right: EncodedColumn) -> tuple[Cause, ...]:
    """Settings that differ between two columns whose numbers agree."""
    causes: list[Cause] = []
    for field in fields(Settings):
        if field.name in _WITHOUT_MEANING or not _differ(left, right, field.name):
            continue
        values = {**_named_pair(left, right, field.name), "setting": field.name}
        if field.name == "max_length":
            a, b = left.column.settings.max_length, right.column.settings.max_length
            causes.append(("max_length-no-effect", {**values, "shortest": min(a, b)}))
        else:
            causes.append(("no-effect", values))
    return tuple(causes)


def shown(value: object) -> object:
    """A setting's value for a sentence: on and off for switches, ``default`` for what is left alone."""
    if value is None:
        return "default"
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


def _skipped(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    return [
        ("skipped-modules", {"off": column.column.label, "modules": ", ".join(column.skipped_modules)})
        for column, other in ((left, right), (right, left))
        if column.skipped_modules and column.skipped_modules != other.skipped_modules
    ]


def _prompt(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    return [("prompt", _named_pair(left, right, "prompt"))] if _differ(left, right, "prompt") else []


def _lowercase(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    counts = _other_tokens(left, right)
    if not _differ(left, right, "lowercase") or not counts:
        return []
    values = _named_pair(left, right, "lowercase")
    if _differ(left, right, "prompt"):
        # The prompt changes the counts as well: they are no evidence.
        return [("lowercase-only", values)]
    return [("lowercase", {**values, "count": len(counts), "texts": len(left.token_counts)})]


def _max_length(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    shorter, longer = sorted((left, right), key=lambda column: column.column.settings.max_length)
    cut = sum(shorter.truncated)
    if not _differ(left, right, "max_length") or not cut:
        return []
    values: dict[str, object] = {
        "shorter": shorter.column.label,
        "longer": longer.column.label,
        "shorter_value": shorter.column.settings.max_length,
        "longer_value": longer.column.settings.max_length,
        "count": cut,
        "texts": len(shorter.token_counts),
    }
    return [("max_length", values)]


def _pooling(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    return [("pooling", _named_pair(left, right, "pooling"))] if _differ(left, right, "pooling") else []


def _mask(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    # Texts of one length have no padding.
    padded = len({count.kept for count in (*left.token_counts, *right.token_counts)}) > 1
    masked = left.column.settings.use_mask, right.column.settings.use_mask
    if not padded or all(masked):
        return []
    if masked[0] != masked[1]:
        return [("use_mask", {"off": (right if masked[0] else left).column.label})]
    if _differ(left, right, "batch_size"):
        return [("padding-batch", _named_pair(left, right, "batch_size"))]
    return []


def _normalize(left: EncodedColumn, right: EncodedColumn) -> list[Cause]:
    if not _differ(left, right, "normalize"):
        return []
    off = right if left.column.settings.normalize else left
    lengths = np.linalg.norm(off.embeddings.astype(np.float64), axis=1)
    if not np.any(np.abs(lengths - 1) > _UNIT_TOLERANCE):
        return []
    values = {"off": off.column.label, "shortest": float(lengths.min()), "longest": float(lengths.max())}
    return [("normalize", values)]


def _other_tokens(left: EncodedColumn, right: EncodedColumn) -> list[int]:
    """Texts of which the two columns keep another number of tokens, or of unknown ones, before any cut."""
    pairs = zip(left.token_counts, right.token_counts, strict=True)
    return [
        i
        for i, (a, b) in enumerate(pairs)
        if a.full != b.full or (a.kept == b.kept and a.unknown != b.unknown)
    ]


def _differ(left: EncodedColumn, right: EncodedColumn, setting: str) -> bool:
    return bool(getattr(left.column.settings, setting) != getattr(right.column.settings, setting))


def _named_pair(left: EncodedColumn, right: EncodedColumn, setting: str) -> dict[str, object]:
    return _pair(left, right, getattr(left.column.settings, setting), getattr(right.column.settings, setting))


def _pair(left: EncodedColumn, right: EncodedColumn, a: object, b: object) -> dict[str, object]:
    return {
        "left": left.column.label,
        "right": right.column.label,
        "left_value": shown(a),
        "right_value": shown(b),
    }


def _model_name(column: EncodedColumn, other: EncodedColumn) -> str:
    """The model's name; with its hash where the other column has another model of that name."""
    if column.column.model != other.column.model:
        return column.column.model
    return f"{column.column.model} ({column.model_sha256[:8]})"
