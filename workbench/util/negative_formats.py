"""Anchors, positives and mined negatives as columns, in the shape a loss takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from workbench.util.mining_pairs import Pairs
from workbench.util.negative_search import GONE, Negatives

Columns = dict[str, list[Any]]


def _triplets(pairs: Pairs, found: Negatives, names: tuple[str, str], scored: bool) -> Columns:
    columns: Columns = {names[0]: [], names[1]: [], "negative": [], **({"scores": []} if scored else {})}
    for anchor, positive, positive_score, negatives in _each_pair(pairs, found):
        for negative, score in negatives:
            columns[names[0]].append(anchor)
            columns[names[1]].append(positive)
            columns["negative"].append(negative)
            if scored:
                columns["scores"].append([positive_score, score])
    return columns


def _tuples(pairs: Pairs, found: Negatives, names: tuple[str, str], scored: bool) -> Columns:
    count = found.places.shape[1]
    columns: Columns = {names[0]: [], names[1]: []}
    columns |= {f"negative_{number}": [] for number in range(1, count + 1)}
    columns |= {"scores": []} if scored else {}
    for anchor, positive, positive_score, negatives in _each_pair(pairs, found):
        if len(negatives) < count:
            continue
        columns[names[0]].append(anchor)
        columns[names[1]].append(positive)
        for number, (negative, _) in enumerate(negatives, 1):
            columns[f"negative_{number}"].append(negative)
        if scored:
            columns["scores"].append([positive_score, *(score for _, score in negatives)])
    return columns


def _labeled_pairs(pairs: Pairs, found: Negatives, names: tuple[str, str], scored: bool) -> Columns:
    last = "score" if scored else "label"
    columns: Columns = {names[0]: [], names[1]: [], last: []}
    for row, anchor in enumerate(pairs.anchors):
        own = zip(pairs.positives[row], found.positive_scores[row], strict=True)
        texts = [(pairs.corpus[place], score, 1) for place, score in own]
        texts += [(text, score, 0) for text, score in _negatives(pairs, found, row)]
        for text, score, label in texts:
            columns[names[0]].append(anchor)
            columns[names[1]].append(text)
            columns[last].append(score if scored else label)
    return columns


def _labeled_lists(pairs: Pairs, found: Negatives, names: tuple[str, str], scored: bool) -> Columns:
    last = "scores" if scored else "labels"
    columns: Columns = {names[0]: [], names[1]: [], last: []}
    for anchor, positive, positive_score, negatives in _each_pair(pairs, found):
        if not negatives:
            continue
        columns[names[0]].append(anchor)
        columns[names[1]].append([positive, *(text for text, _ in negatives)])
        scores = [positive_score, *(score for _, score in negatives)]
        columns[last].append(scores if scored else [1] + [0] * len(negatives))
    return columns


FORMATS: dict[str, Callable[[Pairs, Negatives, tuple[str, str], bool], Columns]] = {
    "triplet": _triplets,
    "n-tuple": _tuples,
    "labeled-pair": _labeled_pairs,
    "labeled-list": _labeled_lists,
}


def _each_pair(pairs: Pairs, found: Negatives) -> Iterable[tuple[str, str, float, list[tuple[str, float]]]]:
    """Anchor, positive, its score and the anchor's negatives, an anchor's positives behind each other."""
    for row, anchor in enumerate(pairs.anchors):
        negatives = _negatives(pairs, found, row)
        for place, score in zip(pairs.positives[row], found.positive_scores[row], strict=True):
            yield anchor, pairs.corpus[place], score, negatives


def _negatives(pairs: Pairs, found: Negatives, row: int) -> list[tuple[str, float]]:
    places, scores = found.places[row].tolist(), found.scores[row].tolist()
    return [(pairs.corpus[place], score) for place, score in zip(places, scores, strict=True) if score > GONE]
