"""Splitting rows so that what belongs together stays together: no sentence stands in two splits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.normalise import normalised
from workbench.data.rows import each_row, require_rows, row_texts
from workbench.errors import InvalidValueError, ShapeMismatchError

_Counts = NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """Which rows went where, and how near that is to what was wanted.

    Attributes:
        rows: Name of a split → its rows, rising.
        wanted: Name → share of the rows that was asked for.
        achieved: Name → share that it got.
        components: Groups of rows that could not be parted.
        largest_component: Rows of the largest.
        label_counts: Name → label → rows; empty without labels.
    """

    rows: Mapping[str, tuple[int, ...]]
    wanted: Mapping[str, float]
    achieved: Mapping[str, float]
    components: int
    largest_component: int
    label_counts: Mapping[str, Mapping[Hashable, int]]

    def take(self, dataset: Sequence[Any], name: str) -> list[Any]:
        """The rows of one split of a list."""
        return [dataset[row] for row in self.rows[name]]


def split_by_group(
    dataset: Any,
    shares: Mapping[str, float],
    *,
    groups: Sequence[Hashable] | None = None,
    labels: Sequence[Hashable] | None = None,
    share_texts: bool = True,
    seed: int = 0,
    tolerance: float = 0.05,
) -> Split:
    """Split rows so that neither a text nor a group stands in two splits.

    Rows that share a text (Unicode form, case, punctuation and white space aside) or a group are joined, and
    so are rows joined by a third. What is joined goes into one split: the largest first, each to where rows
    (of its labels, where there are labels) are missing most.

    Args:
        dataset: A list of ``InputExample``, or any data set with a length.
        shares: Name of a split → its share; they add up to 1.
        groups: What must stay together besides equal texts, one a row: an intent, a document, a user.
        labels: Classes whose shares should be alike in all splits, one a row.
        share_texts: Join rows that share a text. False splits by ``groups`` alone.
        seed: Decides among equals.
        tolerance: By how much a share may differ from the one wanted; a difference of one row always may.

    Raises:
        InvalidValueError: Shares that are none, a component too large for the sizes wanted, an empty split.
        ShapeMismatchError: Not one group or label a row.

    Example:
        ``split_by_group(examples, {"train": 0.8, "dev": 0.1, "test": 0.1}).rows["dev"]``
    """
    rows = require_rows(dataset, "split_by_group")
    _check_shares(shares)
    for name, column in (("groups", groups), ("labels", labels)):
        if column is not None and len(column) != rows:
            raise ShapeMismatchError(f"{name}-count", f"{len(column)} for {rows} rows", where=name)
    texts = [row_texts(row) for row in each_row(dataset)] if share_texts else [()] * rows
    component = connected_rows(texts, groups)
    classes = [None] * rows if labels is None else labels
    place = _assign(component, _numbers(classes), np.array(list(shares.values())), seed)
    split = _described(place, component, dict(shares), None if labels is None else labels)
    _check_sizes(split, component, rows, tolerance, texts)
    return split


def connected_rows(
    texts: Sequence[Sequence[str]], groups: Sequence[Hashable] | None = None
) -> NDArray[np.int64]:
    """The component of each row: rows that share a text or a group, directly or through others.

    Args:
        texts: The texts of each row.
        groups: The group of each row.

    Returns:
        Shape ``(rows,)``, numbers from 0.
    """
    # Imported here: nothing else of this room needs it, and it takes a while.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    known: dict[tuple[str, Hashable], int] = {}
    edges: list[tuple[int, int]] = []
    for row, values in enumerate(texts):
        nodes: list[tuple[str, Hashable]] = [("text", normalised(value)) for value in values]
        if groups is not None:
            nodes.append(("group", groups[row]))
        edges += [(row, len(texts) + known.setdefault(node, len(known))) for node in nodes]
    size = len(texts) + len(known)
    ends = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (ends[0], ends[1])), shape=(size, size))
    found: NDArray[np.int64] = connected_components(graph, directed=False)[1][: len(texts)]
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def _assign(
    component: NDArray[np.int64], classes: NDArray[np.int64], shares: _Counts, seed: int
) -> NDArray[np.int64]:
    """The split of each row: the largest components first, each where the squared shortfall falls most."""
    members: list[list[int]] = [[] for _ in range(component.max() + 1)]
    for row, number in enumerate(component.tolist()):
        members[number].append(row)
    wanted = np.outer(np.bincount(classes), shares)
    have = np.zeros_like(wanted)
    place = np.empty(len(component), dtype=np.int64)
    numbers = np.random.default_rng(seed)
    order = sorted(numbers.permutation(len(members)).tolist(), key=lambda number: -len(members[number]))
    for number in order:
        rows = members[number]
        kinds, counts = np.unique(classes[rows], return_counts=True)
        more = counts[:, None]
        growth = (2 * more * (have[kinds] - wanted[kinds]) + more**2) / wanted[kinds]
        best = int(growth.sum(axis=0).argmin())
        have[kinds, best] += counts
        place[rows] = best
    return place


def _described(
    place: NDArray[np.int64],
    component: NDArray[np.int64],
    wanted: dict[str, float],
    labels: Sequence[Hashable] | None,
) -> Split:
    rows = {name: tuple(np.flatnonzero(place == number).tolist()) for number, name in enumerate(wanted)}
    sizes = np.bincount(component)
    counts: dict[str, Mapping[Hashable, int]] = {}
    if labels is not None:
        counts = {name: dict(Counter(labels[row] for row in taken)) for name, taken in rows.items()}
    achieved = {name: len(taken) / len(place) for name, taken in rows.items()}
    return Split(rows, wanted, achieved, len(sizes), int(sizes.max()), counts)


def _numbers(values: Sequence[Hashable]) -> NDArray[np.int64]:
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)


def _check_shares(shares: Mapping[str, float]) -> None:
    values = list(shares.values())
    plain = all(isinstance(share, int | float) and 0 < share < 1 for share in values)
    if len(values) < 2 or not plain or not math.isclose(sum(values), 1, abs_tol=1e-6):
        raise InvalidValueError(
            "shares-not-a-whole",
            f"{dict(shares)!r}",
            expected="two or more names with shares between 0 and 1 that add up to 1",
            where="shares",
        )


def _check_sizes(
    split: Split,
    component: NDArray[np.int64],
    rows: int,
    tolerance: float,
    texts: Sequence[Sequence[str]],
) -> None:
    """Refuse an empty split, and sizes far from those wanted."""
    missed = [
        name
        for name, share in split.achieved.items()
        if share == 0 or abs(share - split.wanted[name]) > max(tolerance, 1 / rows)
    ]
    if not missed:
        return
    sizes = ", ".join(f"{name} {len(split.rows[name])} of {rows} rows" for name in missed)
    largest = int(np.bincount(component).argmax())
    example = next((texts[row][0] for row in np.flatnonzero(component == largest).tolist() if texts[row]), "")
    raise InvalidValueError(
        "component-too-large",
        f"{sizes}. The largest of {split.components} groups that cannot be parted has "
        f"{split.largest_component} rows{f', one of them {example[:60]!r}' if example else ''}",
        expected=", ".join(f"{name} {share:.0%}" for name, share in split.wanted.items()),
        fix="Look for a text or a group that joins many rows, ask for other shares, or raise tolerance",
        where="split_by_group",
    )
