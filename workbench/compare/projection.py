"""A flat map of the embeddings of several columns at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compare.results import EncodedColumn
from workbench.compare.similarity_matrix import unit_rows


@dataclass(frozen=True)
class Projection:
    """Where each text lies on the map.

    Attributes:
        coordinates: Column label → shape ``(texts, 2)``.
        explained: Column label → share of the variance that the map keeps, 0 to 1. The rest is not seen.
    """

    coordinates: Mapping[str, NDArray[np.float64]]
    explained: Mapping[str, float]


def project(columns: Sequence[EncodedColumn]) -> Projection:
    """Lay the embeddings of several columns on one map by principal components.

    The embeddings are scaled to length 1 first: the map shows directions, as the cosine does. Columns of
    one dimension share one fitted plane, so that equal embeddings fall on one point. Columns of another
    dimension have no common space with these: they get a plane of their own, turned or mirrored onto the
    first column by orthogonal Procrustes. No randomness is involved.

    Args:
        columns: Columns of one comparison, over the same texts.

    Returns:
        Coordinates and explained share of each column.
    """
    coordinates: dict[str, NDArray[np.float64]] = {}
    explained: dict[str, float] = {}
    for dim in dict.fromkeys(column.dim for column in columns):
        group = [column for column in columns if column.dim == dim]
        flat, share = _plane(np.concatenate([unit_rows(column.embeddings) for column in group]))
        parts = np.split(flat, len(group))
        if coordinates:
            parts = _turn_onto(parts, next(iter(coordinates.values())))
        for column, part in zip(group, parts, strict=True):
            coordinates[column.column.label] = part
            explained[column.column.label] = share
    ordered = [column.column.label for column in columns]
    return Projection(
        {label: coordinates[label] for label in ordered}, {label: explained[label] for label in ordered}
    )


def _plane(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Two principal components of the rows, padded with zeros where there are fewer, and their share."""
    from sklearn.decomposition import PCA

    flat = np.zeros((len(rows), 2))
    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        # One point, or all on one spot: nothing is lost.
        return flat, 1.0
    found = PCA(n_components=min(2, *rows.shape), svd_solver="full").fit(rows)
    flat[:, : found.n_components_] = found.transform(rows)
    return flat, float(found.explained_variance_ratio_.sum())


def _turn_onto(parts: list[NDArray[np.float64]], target: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Turn or mirror a group of maps so that its first lies on the target as well as it can."""
    from scipy.linalg import orthogonal_procrustes

    middle, goal = parts[0].mean(axis=0), target.mean(axis=0)
    turn, _ = orthogonal_procrustes(parts[0] - middle, target - goal)
    return [(part - middle) @ turn + goal for part in parts]
