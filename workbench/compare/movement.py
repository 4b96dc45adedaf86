"""What a training moved: the texts whose neighbours changed most, and the items whose score or rank did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compare.held_out import HeldOut, Rows
from workbench.compare.item_scores import ItemScores
from workbench.compare.neighbours import nearest_of_all

# Distinct texts compared all with all; of more, every k-th.
TEXTS = 2000
NEIGHBOURS = 10
SHOWN = 10


@dataclass(frozen=True)
class TextMove:
    """A text with other neighbours than before.

    Attributes:
        text: The text.
        kept: Share of its nearest texts that it kept.
        before, after: Its nearest text in the base and in the tuned model.
    """

    text: str
    kept: float
    before: str
    after: str


@dataclass(frozen=True)
class ItemMove:
    """An item that the two models see differently.

    Attributes:
        texts: Its texts.
        before, after: For a mean the item's metric; for a correlation its rank among the items as a share,
            0 the least similar.
        gold: For a correlation the rank of its gold score as a share; None for a mean.
    """

    texts: tuple[str, ...]
    before: float
    after: float
    gold: float | None

    @property
    def change(self) -> float:
        """How far it came towards gold, or how much better it became; negative where it got worse."""
        if self.gold is None:
            return self.after - self.before
        return abs(self.before - self.gold) - abs(self.after - self.gold)


@dataclass(frozen=True)
class Movement:
    """What moved between base and tuned model.

    Attributes:
        texts: Distinct texts that were compared.
        neighbours: Nearest texts that were looked at, each.
        mean_kept: Mean share of neighbours kept.
        text_moves: Texts that kept the least, the least first.
        improved, worsened: Items that gained and lost most, the largest first.
    """

    texts: int
    neighbours: int
    mean_kept: float
    text_moves: tuple[TextMove, ...]
    improved: tuple[ItemMove, ...]
    worsened: tuple[ItemMove, ...]


def movement(
    held_out: HeldOut, before: Rows, after: Rows, scores: tuple[ItemScores, ItemScores], shown: int = SHOWN
) -> Movement | None:
    """Compare the neighbourhoods and the items of two models.

    Args:
        held_out: The data.
        before, after: Embeddings of ``held_out.documents()``. Shape ``(texts, dim)``; dims may differ.
        scores: Item scores of both under the primary metric.
        shown: How many texts and items to name.

    Returns:
        None where there are fewer than three distinct texts.
    """
    texts = list(held_out.documents())
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        first.setdefault(text, row)
    if len(first) < 3:
        return None
    spread = np.linspace(0, len(first) - 1, min(len(first), TEXTS)).astype(int)
    rows = np.asarray(list(first.values()))[np.unique(spread)]
    count = min(NEIGHBOURS, (len(rows) - 1) // 2 or 1)
    old, new = nearest_of_all(before[rows], count), nearest_of_all(after[rows], count)
    kept = (old[:, :, None] == new[:, None, :]).any(axis=2).mean(axis=1)
    chosen = [row for row in np.argsort(kept, kind="stable")[:shown] if kept[row] < 1]
    moves = tuple(
        TextMove(texts[rows[row]], float(kept[row]), texts[rows[old[row, 0]]], texts[rows[new[row, 0]]])
        for row in chosen
    )
    improved, worsened = item_moves(held_out, *scores, shown)
    return Movement(len(rows), count, float(kept.mean()), moves, improved, worsened)


def item_moves(
    held_out: HeldOut, before: ItemScores, after: ItemScores, shown: int = SHOWN
) -> tuple[tuple[ItemMove, ...], tuple[ItemMove, ...]]:
    """The items that improved and that worsened most, at most ``shown`` of each."""
    gold = None if before.gold is None else _rank_shares(before.gold)
    old, new = (one.values if gold is None else _rank_shares(one.values) for one in (before, after))
    moves = [
        ItemMove(
            held_out.item_texts(item),
            float(old[item]),
            float(new[item]),
            None if gold is None else float(gold[item]),
        )
        for item in range(held_out.items)
    ]
    order: Sequence[ItemMove] = sorted(moves, key=lambda move: -move.change)
    improved = tuple(move for move in order[:shown] if move.change > 0)
    worsened = tuple(move for move in order[::-1][:shown] if move.change < 0)
    return improved, worsened


def _rank_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    shares: NDArray[np.float64] = (rankdata(values) - 1) / max(len(values) - 1, 1)
    return shares
