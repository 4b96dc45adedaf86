"""The gradient of the vocabulary as the rows of a batch, until the optimizer wants all of it.

A batch reads some hundred of the vocabulary's tens of thousands of rows. A gradient for all of them has to be
filled with zeros, measured and shortened at every step, which on a CPU costs more than the optimizer itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from workbench.training.distributed import is_distributed


class RowGradients:
    """Lets one embedding give its gradient by rows, measures them so, and lays them out for the optimizer.

    What the optimizer sees is the gradient of the whole table, as always: the rows of the batch, and zeros
    elsewhere. Moments, decay and checkpoints are therefore those of the plain step.

    Args:
        table: The embedding; None where gradients stay as they come.
    """

    def __init__(self, table: nn.Embedding | None) -> None:
        self._table = table
        # Zeros but for the rows of the step that is being made.
        self._whole: Tensor | None = None

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Within the block, the table's gradients come by rows."""
        if self._table is None:
            yield
            return
        before = self._table.sparse
        self._table.sparse = True
        try:
            yield
        finally:
            self._table.sparse = before

    @contextmanager
    def clipped(self, parameters: Iterable[nn.Parameter], max_norm: float) -> Iterator[Tensor]:
        """Shorten all gradients together to ``max_norm`` and, within the block, have them whole.

        Args:
            parameters: Whose gradients are there.
            max_norm: Longest gradient; infinity leaves them.

        Yields:
            Length of all gradients before, one number.
        """
        held = list(parameters)
        weight = None if self._table is None else self._table.weight
        if weight is None or weight.grad is None or not weight.grad.is_sparse:
            yield _clip(held, max_norm)
            return
        gradient = weight.grad.coalesce()
        places, rows = gradient.indices()[0], gradient.values()
        # Stands for the table: a tensor whose gradient are the rows that are not zero.
        stand_in = torch.empty_like(rows)
        stand_in.grad = rows
        norm = _clip([stand_in if parameter is weight else parameter for parameter in held], max_norm)
        if self._whole is None:
            self._whole = torch.zeros_like(weight, memory_format=torch.contiguous_format)
        self._whole.index_copy_(0, places, rows)
        weight.grad = self._whole
        try:
            yield norm
        finally:
            self._whole.index_fill_(0, places, 0.0)


def _clip(parameters: Sequence[Tensor], max_norm: float) -> Tensor:
    """What ``clip_grad_norm_`` does, without multiplying all gradients by one where they are short enough."""
    norm = torch.nn.utils.get_total_norm([held.grad for held in parameters if held.grad is not None])
    # On an accelerator the question would wait for it. The small number is that of the library.
    if norm.device.type != "cpu" or not max_norm / (norm + 1e-6) >= 1:
        torch.nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    return norm


def row_gradients(encoder: Any, parameters: Iterable[nn.Parameter]) -> RowGradients:
    """For the vocabulary of an encoder, where it gains by it and nobody else looks at its gradient.

    Args:
        encoder: The library's.
        parameters: That are trained.
    """
    table = encoder.get_input_embeddings()
    plain = isinstance(table, nn.Embedding) and table.max_norm is None and not table.scale_grad_by_freq
    if not plain or is_distributed() or table.weight.device.type != "cpu":
        return RowGradients(None)
    watched = table.weight._backward_hooks or table.weight._post_accumulate_grad_hooks
    trained = any(parameter is table.weight for parameter in parameters)
    return RowGradients(table if trained and not watched else None)
