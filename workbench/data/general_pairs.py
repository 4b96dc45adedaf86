"""A small general set: English sentence pairs of everyday topics, written for this project, with scores.

No training set has them. They tell whether a model that was tuned for one purpose still sees what it saw
before; they are too few to rank models.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

GENERAL_PAIRS_NAME = "built-in general English pairs"

_FILE = Path(__file__).with_name("general_pairs.tsv")


@cache
def general_pairs() -> tuple[tuple[str, str, float], ...]:
    """Both sentences and how alike they are in meaning.

    The scores are one writer's, on the scale of the field: 1 the same, about 0.7 the same with less or other
    detail, about 0.5 one topic and another statement, about 0.25 topics that touch, 0 nothing in common. Some
    pairs share a word and no meaning, some contradict each other (one topic: about 0.5).
    """
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple((row["sentence1"], row["sentence2"], float(row["score"])) for row in rows)
