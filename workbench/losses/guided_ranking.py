"""The kernel of the guided losses: negatives that a guide finds nearer than the positive are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from workbench.errors import ShapeMismatchError
from workbench.losses.checks import one_of, positive
from workbench.losses.columns import embed
from workbench.losses.precision import precise
from workbench.models.protocols import Features, TextModel
from workbench.util.similarity import cos_sim
from workbench.util.tensor import batch_to_device

MarginStrategy = Literal["absolute", "relative"]
_WHERE = "guided ranking loss"


@dataclass(frozen=True)
class GuidedRanking:
    """Which rows are negatives of which, and how sharply they are told apart.

    Attributes:
        temperature: Divisor of the cosines.
        margin_strategy: ``absolute``: a candidate is left out where the guide's cosine is above that of the
            positive less the margin; ``relative``: less the margin times its absolute value.
        margin: How much less.
        contrast_anchors: The other anchors are negatives too.
        contrast_positives: The positives of the others are negatives of a row's positive too.

    Raises:
        InvalidValueError: A temperature that is not positive.
        UnknownNameError: No such strategy.
    """

    temperature: float = 0.01
    margin_strategy: MarginStrategy = "absolute"
    margin: float = 0.0
    contrast_anchors: bool = True
    contrast_positives: bool = True

    def __post_init__(self) -> None:
        positive(self.temperature, "temperature", _WHERE)
        one_of(self.margin_strategy, ("absolute", "relative"), "margin_strategy", _WHERE)

    def row_losses(self, columns: list[Tensor], guides: list[Tensor], own: Tensor) -> Tensor:
        """``-log(exp(cos(a, p) / T) / Σ exp(cos / T))`` of some rows, over the negatives that are left.

        Args:
            columns: Anchors, positives, and any number of negatives. Shape ``(n, dim)`` each.
            guides: What the guide makes of the same texts. Shape ``(n, guide's dim)`` each.
            own: Which rows. Shape ``(rows,)``.

        Returns:
            Shape ``(rows,)``.
        """
        row = torch.arange(len(own), device=own.device)
        is_own = own[:, None] == torch.arange(len(columns[0]), device=own.device)
        guided = precise(cos_sim, guides[0][own], guides[1])
        bound = self._bound(guided[row, own])
        # Which column's rows are compared with which column, and whether a row's own is kept in any case.
        pairs = [(0, 1), *[(0, 0)] * self.contrast_anchors, *[(1, 1)] * self.contrast_positives]
        pairs += [(0, negative) for negative in range(2, len(columns))]
        logits = []
        for left, right in pairs:
            scores = precise(cos_sim, columns[left][own], columns[right])
            left_out = precise(cos_sim, guides[left][own], guides[right]) > bound
            if (left, right) == (0, 1):
                left_out = left_out & ~is_own
            logits.append(scores.masked_fill(left_out, -torch.inf) / self.temperature)
        return torch.logsumexp(torch.cat(logits, dim=1), dim=1) - logits[0][row, own]

    def _bound(self, guided: Tensor) -> Tensor:
        """The guide's cosine above which a candidate is left out. Shape ``(rows, 1)``."""
        margin = self.margin if self.margin_strategy == "absolute" else guided.abs() * self.margin
        # Equal texts have equal cosines but for rounding, which must not decide.
        rounding = 32 * torch.finfo(guided.dtype).eps
        return (guided - margin + rounding).unsqueeze(1)


def must_retokenize(model: TextModel, guide: TextModel) -> bool:
    """Whether the guide would read the model's token ids otherwise than the model does."""
    if model.tokenizer.get_vocab() != guide.tokenizer.get_vocab():
        return True
    return (guide.max_seq_length or 0) < (model.max_seq_length or 0)


def guide_embedding(model: TextModel, guide: TextModel, features: Features, retokenize: bool) -> Tensor:
    """Embed one column with the guide, without a gradient. Shape ``(batch, guide's dim)``."""
    with torch.no_grad():
        if retokenize:
            texts = model.tokenizer.batch_decode(features["input_ids"], skip_special_tokens=True)
            features = batch_to_device(guide.tokenize(texts), guide.device)
        return embed(guide, features)


def check_guides(embeddings: list[Tensor], guides: list[Tensor], where: str) -> None:
    """Refuse a guide that did not embed the same rows.

    Raises:
        ShapeMismatchError: Another number of columns or rows.
    """
    if [len(column) for column in embeddings] != [len(column) for column in guides]:
        raise ShapeMismatchError(
            "guide-shape",
            f"the guide's columns have {[len(column) for column in guides]} rows",
            expected=f"{[len(column) for column in embeddings]}",
            where=where,
        )
