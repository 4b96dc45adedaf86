"""How far the columns of a comparison agree, pair by pair, judged against the measured noise floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from workbench.compare.causes import Cause, differing_causes, harmless_differences
from workbench.compare.reasons import reason_text
from workbench.compare.results import Agreement, EncodedColumn, NoiseFloor, Verdict
from workbench.compare.similarity_matrix import cosine_matrix, row_cosines
from workbench.contenders.contract import Settings

# Rank correlation over all pairs grows with the square of the texts: above this an even sample is taken.
SPEARMAN_TEXTS = 1000

# Largest distance between two embeddings, relative to their length, that rounding explains: 16 steps of
# bfloat16 (2^-8) and float16 (2^-11); 512 of float32 (2^-23), since in a deep encoder many small ones add
# up there. all-MiniLM-L6-v2 shows 3 to 4 steps in half precision, 5 to 20 in float32. Faults start at 1e-2.
# int8 rounds every input and weight to 255 steps: up to 0.22 on all-MiniLM-L6-v2. That is the size of a fault
# too: only a setting that differs tells the two apart.
ROUNDING = {"int8": 2.0**-2, "bfloat16": 2.0**-4, "float16": 2.0**-7, "float32": 2.0**-14}


def agreements(columns: Sequence[EncodedColumn], floor: NoiseFloor) -> tuple[Agreement, ...]:
    """Judge every pair of columns, in the order of the columns."""
    return tuple(agree(left, right, floor) for left, right in combinations(columns, 2))


def agree(left: EncodedColumn, right: EncodedColumn, floor: NoiseFloor) -> Agreement:
    """Judge one pair.

    The verdict is ``identical`` where all numbers are bit-equal; ``float noise`` up to ``margin`` times the
    pair's floor; ``precision`` beyond it where nothing but the precision of the encoder can explain the
    difference and it has that size; ``different`` otherwise.

    Args:
        left, right: Columns over the same texts.
        floor: Measured on them.
    """
    a, b = left.embeddings, right.embeddings
    same_dim = a.shape == b.shape
    by_text = _largest_by_text(a, b)
    limit = floor.margin * pair_floor(left, right, floor)
    beyond = tuple(int(i) for i in np.flatnonzero(by_text > limit))
    causes = differing_causes(left, right, beyond)
    verdict = _verdict(left, right, limit, explained=bool(causes))
    cosines = row_cosines(a, b) if same_dim else np.full(len(a), np.nan)
    max_abs = float(by_text.max(initial=0.0)) if same_dim else float("nan")
    key, values = _reason(left, right, verdict, causes, max_abs, limit / floor.margin, len(beyond))
    return Agreement(
        left=left.column.label,
        right=right.column.label,
        verdict=verdict,
        max_abs=max_abs,
        min_cosine=float(cosines.min()) if len(cosines) else float("nan"),
        mean_cosine=float(cosines.mean()) if len(cosines) else float("nan"),
        spearman=similarity_spearman(a, b),
        differing_texts=beyond,
        setting_differences=setting_differences(left.column.settings, right.column.settings),
        reason=reason_text(key, values),
        reason_key=key,
        reason_values=values,
    )


def setting_differences(left: Settings, right: Settings) -> dict[str, tuple[object, object]]:
    """Name of each setting that is not the same → its two values."""
    pairs = {
        field.name: (getattr(left, field.name), getattr(right, field.name)) for field in fields(Settings)
    }
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


def pair_floor(left: EncodedColumn, right: EncodedColumn, floor: NoiseFloor) -> float:
    """The noise floor that counts for two columns.

    The larger of the two where they compute in one precision. Where they do not, the smaller: the rounding
    of the coarser one is what is to be seen. A column that differs from itself by more than rounding can
    explain has a fault that depends on the batch; it does not raise the floor above that bound.
    """
    floors = []
    for column in (left, right):
        largest = float(np.abs(column.embeddings).max(initial=0.0))
        measured = floor.per_column.get(column.column.label, floor.max_abs)
        floors.append(min(measured, ROUNDING[column.column.settings.precision] * largest))
    same = left.column.settings.precision == right.column.settings.precision
    return max(floors) if same else min(floors)


def similarity_spearman(left: NDArray[np.floating], right: NDArray[np.floating]) -> float:
    """Rank correlation of two columns' cosines over all pairs of texts; the dimensions may differ.

    NaN where it is undefined: fewer than three texts, or all pairs of one column alike. Above
    ``SPEARMAN_TEXTS`` texts, every k-th text is taken.
    """
    from scipy.stats import spearmanr

    if len(left) < 3:
        return float("nan")
    rows = np.unique(np.linspace(0, len(left) - 1, min(len(left), SPEARMAN_TEXTS)).astype(int))
    upper = np.triu_indices(len(rows), k=1)
    a, b = cosine_matrix(left[rows])[upper], cosine_matrix(right[rows])[upper]
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b).statistic)


def _largest_by_text(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Largest absolute difference of a component, a text; infinite where the dimensions differ."""
    if a.shape != b.shape:
        return np.full(len(a), np.inf)
    largest: NDArray[np.float64] = np.abs(a.astype(np.float64) - b).max(axis=1, initial=0.0)
    return largest


def _verdict(left: EncodedColumn, right: EncodedColumn, limit: float, *, explained: bool) -> Verdict:
    a, b = left.embeddings, right.embeddings
    if a.shape != b.shape:
        return "different"
    if np.array_equal(a, b):
        return "identical"
    if _largest_by_text(a, b).max(initial=0.0) <= limit:
        return "float noise"
    coarse = max(ROUNDING[column.column.settings.precision] for column in (left, right))
    if not explained and coarse > ROUNDING["float32"]:
        lengths = np.maximum(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
        if np.all(np.linalg.norm(a - b, axis=1) <= coarse * lengths):
            return "precision"
    return "different"


def _reason(
    left: EncodedColumn,
    right: EncodedColumn,
    verdict: Verdict,
    causes: tuple[Cause, ...],
    size: float,
    floor: float,
    beyond: int,
) -> tuple[str, dict[str, object]]:
    """Key and values of the sentence for one pair."""
    settings = left.column.settings, right.column.settings
    values: dict[str, object] = {
        "left": left.column.label,
        "right": right.column.label,
        "left_dim": left.dim,
        "right_dim": right.dim,
        "left_value": settings[0].precision,
        "right_value": settings[1].precision,
        "size": size,
        "floor": floor,
        "count": beyond,
        "texts": len(left.embeddings),
    }
    if verdict in ("identical", "float noise"):
        harmless = harmless_differences(left, right)
        head = "identical" if verdict == "identical" else "noise"
        return (f"{head}-although", {**values, "causes": harmless}) if harmless else (head, values)
    mixed = settings[0].precision != settings[1].precision
    if verdict == "precision":
        return ("precision" if mixed else "precision-same"), values
    dimensions = "-dimensions" if left.dim != right.dim else ""
    if not causes:
        unexplained = f"different-unexplained{dimensions}"
        return ("precision-beyond" if mixed and not dimensions else unexplained), values
    if mixed:
        causes = (*causes, ("precision-too", values))
    return f"different{dimensions}", {**values, "causes": causes}
