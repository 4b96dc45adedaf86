"""What a loss needs of its data: columns by role, kind and range of labels, other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

LabelKind = Literal["none", "score", "binary", "class", "margins", "scores", "vector"]
"""``none``: ignored. ``score``: one number a row. ``binary``: 0 or 1. ``class``: a whole number naming the
row's class. ``margins``: one number a negative, how much better the positive is; or one score a candidate.
``scores``: one teacher score a candidate. ``vector``: a teacher's embedding of the row, or one a column."""


@dataclass(frozen=True)
class DataNeeds:
    """What a loss asks of the data it is fed.

    Attributes:
        columns: Roles of the text columns in their order. A trailing ``*`` stands for any number of them,
            ``+`` for one or more, ``?`` for one or none.
        labels: Kind of the labels.
        label_range: Smallest and largest label; None where any finite number will do.
        in_batch_negatives: Whether the other rows serve as negatives, so that a batch should hold no
            duplicates and more than one row.
        grouped_labels: Whether a batch should hold at least two rows of a class, and two classes.
    """

    columns: tuple[str, ...]
    labels: LabelKind = "none"
    label_range: tuple[float, float] | None = None
    in_batch_negatives: bool = False
    grouped_labels: bool = False

    @property
    def least_columns(self) -> int:
        """Fewest text columns."""
        return sum(not role.endswith(("*", "?")) for role in self.columns)

    @property
    def most_columns(self) -> int | None:
        """Most text columns; None for any number."""
        return None if any(role.endswith(("*", "+")) for role in self.columns) else len(self.columns)


def nothing_to_learn(needs: DataNeeds, columns: int, labels: Tensor | Sequence[int], rows: int) -> str | None:
    """Say why a batch cannot teach anything, whatever its texts.

    Args:
        needs: What the loss asks for.
        columns: Text columns of the batch.
        labels: Labels of the batch; looked at only where they are classes.
        rows: Rows of the batch.

    Returns:
        The reason, or None where there is something to learn.
    """
    # A lone row still has its own hard negatives, where there are some.
    if needs.in_batch_negatives and rows < 2 and columns <= needs.least_columns:
        return "a batch of one row has no negatives: the loss is constant"
    if not needs.grouped_labels:
        return None
    classes = set(labels.tolist() if isinstance(labels, Tensor) else labels)
    if len(classes) == rows:
        return "no two rows of the batch share a label: there is no positive"
    return "all rows of the batch share one label: there is no negative" if len(classes) == 1 else None
