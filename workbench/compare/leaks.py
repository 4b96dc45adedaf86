"""Which held-out items a training has seen, and how the data was split: facts that go into a proof."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.compare.held_out import HeldOut

_NAMED = 5


@dataclass(frozen=True)
class LeakFacts:
    """What training and held-out data have in common.

    Attributes:
        training_rows: Rows trained on.
        items: Held-out items looked at.
        leaked_items: Items that stand in the training data whole: they are left out of the proof.
        near_items: Items that stand there but for small changes: left out too; empty where nobody looked.
        shared_texts: Distinct held-out texts that also stand in some training row.
        held_out_texts: Distinct held-out texts.
        examples: The first few texts of leaked items.
        split: How training and held-out data were parted, in a sentence; empty where that is not known.
        how: How leaks were looked for.
    """

    training_rows: int
    items: int
    leaked_items: tuple[int, ...] = ()
    near_items: tuple[int, ...] = ()
    shared_texts: int = 0
    held_out_texts: int = 0
    examples: tuple[str, ...] = ()
    split: str = ""
    how: str = "equal texts, case, width and white space aside"

    @property
    def left_out(self) -> tuple[int, ...]:
        """Items that cannot be judged by, in order."""
        return tuple(sorted({*self.leaked_items, *self.near_items}))


def find_leaks(held_out: HeldOut, training_rows: Iterable[Sequence[str]], *, split: str = "") -> LeakFacts:
    """Look for held-out items whose texts stand together in one training row.

    One sentence of a pair may stand in both parts, as in many caption sets: that is counted as a shared text.
    The pair, whose score would be known, may not.

    Args:
        held_out: The data to judge by.
        training_rows: The texts of each training row.
        split: How the two were parted.
    """
    rows_of: dict[str, set[int]] = defaultdict(set)
    count = 0
    for count, row in enumerate(training_rows, start=1):
        for text in row:
            rows_of[folded(text)].add(count)
    leaked = []
    for item in range(held_out.items):
        together = [rows_of.get(folded(text), set()) for text in held_out.item_texts(item)]
        if set.intersection(*together):
            leaked.append(item)
    judged = {folded(text) for text in (*held_out.queries(), *held_out.documents())}
    return LeakFacts(
        training_rows=count,
        items=held_out.items,
        leaked_items=tuple(leaked),
        shared_texts=sum(text in rows_of for text in judged),
        held_out_texts=len(judged),
        examples=tuple(" | ".join(held_out.item_texts(item)) for item in leaked[:_NAMED]),
        split=split,
    )


def folded(text: str) -> str:
    """A text without what does not count: case, width, white space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
