"""Which phrasing of the bundled set is trained on and which is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, get_args

Split = Literal["train", "dev", "test", "unseen"]
SPLITS: tuple[Split, ...] = get_args(Split)

# Of eleven phrasings five are trained on, two choose and four test; of nine four, two and three. Fewer than
# two for dev would leave it without a pair of one intent.
_TURNS: tuple[Split, ...] = (
    *("train", "test", "dev", "train", "test", "train", "test", "dev", "train", "test", "train"),
)


def stable_rank(*texts: str) -> bytes:
    """A sort key that looks random and is the same in every process and version."""
    return hashlib.sha256("\x1f".join(texts).encode()).digest()


def assign_splits(texts: Sequence[str], unseen: bool) -> list[Split]:
    """The split of each phrasing of one intent in one language.

    The order in which an author wrote them (the plain ones first) must not decide, so they take turns in the
    order of their hashes. Adding or changing a phrasing reshuffles its own intent and no other.

    Args:
        texts: Phrasings of one intent.
        unseen: The whole intent is held out.
    """
    if unseen:
        return ["unseen"] * len(texts)
    order = sorted(range(len(texts)), key=lambda index: stable_rank(texts[index]))
    splits: list[Split] = ["train"] * len(texts)
    for turn, index in enumerate(order):
        splits[index] = _TURNS[turn % len(_TURNS)]
    return splits
