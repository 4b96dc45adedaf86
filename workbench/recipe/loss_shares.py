"""What each row of a batch adds to a loss, asked of the loss itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from workbench.errors import WorkbenchError

_MEAN_TOLERANCE = 1e-5


def loss_shares(
    loss: nn.Module, embeddings: Sequence[Tensor], labels: Tensor | None, total: float
) -> tuple[float, ...] | None:
    """What each row adds to a loss, asked of the loss itself; None where it is no sum over rows.

    Args:
        loss: Called through ``compute_loss_from_embeddings``, or through the rows of its ranking.
        embeddings: What it was given, ``(batch, dim)`` a column.
        labels: One a row, or None.
        total: What it gave for the batch.
    """
    rows = len(embeddings[0])
    with torch.no_grad():
        try:
            if hasattr(loss, "ranking"):
                ranking: Any = loss.ranking
                own = torch.arange(rows, device=embeddings[0].device)
                single = ranking.row_losses(embeddings[0], list(embeddings[1:]), own)
            else:
                compute: Any = loss.compute_loss_from_embeddings
                single = torch.stack(
                    [
                        compute(
                            [column[row : row + 1] for column in embeddings],
                            None if labels is None else labels[row : row + 1],
                        )
                        for row in range(rows)
                    ]
                )
        except (WorkbenchError, AttributeError, TypeError, IndexError, RuntimeError):
            # A loss that needs the whole batch says so in its own way.
            return None
    if single.shape != (rows,) or abs(float(single.mean()) - total) > _MEAN_TOLERANCE * max(1.0, abs(total)):
        return None
    return tuple(float(value) / rows for value in single)
