"""Pairs and triplets from labelled texts: rows of one label are positives, rows of another negatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Any

import numpy as np

from workbench.data.input_example import InputExample
from workbench.data.rows import each_row, require_rows, row_label, row_texts
from workbench.errors import InvalidValueError
from workbench.util.checks import require_count


def pairs_by_label(dataset: Any, *, per_text: int = 1, seed: int = 0) -> list[InputExample]:
    """Pair every text with others of its label.

    Args:
        dataset: A list of ``InputExample``, or any data set with a length; the first text of a row counts.
        per_text: Others a text is the anchor of; fewer where its label has few. No pair comes twice.
        seed: Of the draw.

    Returns:
        Anchors and positives, an anchor's pairs behind each other, the label 0.

    Raises:
        InvalidValueError: No label has two different texts, or ``per_text`` is below 1.
        InvalidTypeError: A row without a text or a label.
    """
    groups = _groups(dataset)
    numbers = np.random.default_rng(seed)
    return [
        InputExample(texts=[anchor, positive])
        for texts in groups.values()
        for anchor, positive in _pairs(texts, require_count(per_text, "per_text"), numbers)
    ]


def triplets_by_label(dataset: Any, *, per_text: int = 1, seed: int = 0) -> list[InputExample]:
    """The same pairs, each with a text of another label: anchor, positive, negative.

    Raises:
        InvalidValueError: All texts have one label, or what ``pairs_by_label`` refuses.
        InvalidTypeError: A row without a text or a label.
    """
    groups = _groups(dataset)
    numbers = np.random.default_rng([seed, 1])
    texts = [text for own in groups.values() for text in own]
    # Mixed, so that walking on from a label leads to any other.
    numbers.shuffle(texts)
    label_of: defaultdict[str, set[Hashable]] = defaultdict(set)
    for label, own in groups.items():
        for text in own:
            label_of[text].add(label)
    if len(groups) < 2:
        raise InvalidValueError(
            "labels-all-alike", "all texts have one label", expected="two labels or more", where="dataset"
        )
    found = pairs_by_label(dataset, per_text=per_text, seed=seed)
    for example in found:
        anchor = label_of[example.texts[0]]
        # Under two labels at once, a text is nobody's negative that has one of them.
        start = int(numbers.integers(len(texts)))
        order = (texts[(start + step) % len(texts)] for step in range(len(texts)))
        negative = next((text for text in order if not label_of[text] & anchor), None)
        if negative is None:
            raise InvalidValueError(
                "negative-not-found",
                f"no text of another label than {example.texts[0][:60]!r}",
                fix="Look for texts that stand under several labels",
                where="dataset",
            )
        example.texts.append(negative)
    return found


def _groups(dataset: Any) -> dict[Hashable, list[str]]:
    """The different texts of each label."""
    require_rows(dataset, "dataset")
    groups: defaultdict[Hashable, dict[str, None]] = defaultdict(dict)
    for row in each_row(dataset):
        groups[row_label(row)][row_texts(row)[0]] = None
    if all(len(texts) < 2 for texts in groups.values()):
        raise InvalidValueError(
            "labels-not-repeated",
            f"none of {len(groups):,} labels has two different texts",
            expected="labels that texts share",
            fix="Check that the column holds classes, not scores",
            where="dataset",
        )
    return {label: list(texts) for label, texts in groups.items()}


def _pairs(texts: list[str], per_text: int, numbers: np.random.Generator) -> list[tuple[str, str]]:
    """Each text with the next ones of a circle in drawn order; two texts meet once, whichever comes first."""
    order = [texts[place] for place in numbers.permutation(len(texts))]
    found: dict[frozenset[str], tuple[str, str]] = {}
    for place, anchor in enumerate(order):
        for step in range(1, min(per_text, len(order) - 1) + 1):
            other = order[(place + step) % len(order)]
            found.setdefault(frozenset((anchor, other)), (anchor, other))
    return list(found.values())
