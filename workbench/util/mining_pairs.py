"""Pairs of an anchor and a positive without repeats, for mining negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pairs:
    """Anchors and positives without repeats.

    Attributes:
        anchors: Each once, in the order of their first row.
        corpus: Each text once: the corpus that was given, then the positives.
        positives: Places in ``corpus`` of each anchor's positives, each once.
        anchor_rows: The first row of each anchor.
        corpus_rows: Where each text of ``corpus`` stood first: in the corpus given, then in the rows.
        most_rows: Rows of the anchor that has most.
    """

    anchors: list[str]
    corpus: list[str]
    positives: list[list[int]]
    anchor_rows: list[int]
    corpus_rows: list[int]
    most_rows: int


def without_repeats(anchors: Sequence[str], positives: Sequence[str], corpus: Sequence[str] | None) -> Pairs:
    """Number anchors and candidate texts, each once; all positives of an anchor are its own."""
    texts = [*(corpus or ()), *positives]
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        first.setdefault(text, row)
    places = {text: place for place, text in enumerate(first)}
    found: dict[str, dict[int, None]] = {}
    rows: dict[str, list[int]] = {}
    for row, (anchor, positive) in enumerate(zip(anchors, positives, strict=True)):
        found.setdefault(anchor, {})[places[positive]] = None
        rows.setdefault(anchor, []).append(row)
    return Pairs(
        list(found),
        list(first),
        [list(own) for own in found.values()],
        [own[0] for own in rows.values()],
        list(first.values()),
        max(map(len, rows.values())),
    )
