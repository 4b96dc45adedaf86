"""The manual recipe as a list of steps over a tokenizer and an encoder, each of which can be replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.contenders.trace_contract import Watch


def as_they_are(texts: list[str]) -> list[str]:
    """No prompt, no change."""
    return texts


def longest_first(texts: Sequence[str]) -> list[int]:
    """Indices of the texts, the longest first."""
    return sorted(range(len(texts)), key=lambda index: -len(texts[index]))


def in_order_given(order: Sequence[int]) -> list[int]:
    """For each text the place of its row in ``order``."""
    places = [0] * len(order)
    for place, index in enumerate(order):
        places[index] = place
    return places


def all_inputs(batch: Any) -> dict[str, Any]:
    """Everything that the tokenizer gave goes to the encoder."""
    return dict(batch)


def last_hidden_state(outputs: Any) -> Tensor:
    """Half precision ends here: sums over tokens are taken in float32."""
    hidden: Tensor = outputs.last_hidden_state.float()
    return hidden


def to_unit_length(rows: Tensor) -> Tensor:
    """Scale each row to length 1."""
    return F.normalize(rows, p=2, dim=1)


@dataclass(frozen=True)
class ManualPipeline:
    """Tokenise, encode, pool, finish, put back into order.

    Attributes:
        tokenizer, encoder: Of transformers.
        tokenize: Tokenizer and prepared texts → padded tensors.
        pool: Outputs of the encoder, hidden states, batch → one vector a text.
        prepare: Texts → what goes to the tokenizer.
        inputs: Batch → keyword arguments of the encoder.
        hidden: Outputs of the encoder → token vectors to pool.
        modules: Name and function of each step after the pooling.
        order: Texts → the order in which they are encoded.
        restore: That order → for each text the place of its row.
        batch_size: Texts a forward call.
        device: Where the encoder is.
    """

    tokenizer: Any
    encoder: Any
    tokenize: Callable[[Any, list[str]], Any]
    pool: Callable[[Any, Tensor, Any], Tensor]
    prepare: Callable[[list[str]], list[str]] = as_they_are
    inputs: Callable[[Any], dict[str, Any]] = all_inputs
    hidden: Callable[[Any], Tensor] = last_hidden_state
    modules: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = ()
    order: Callable[[Sequence[str]], list[int]] = longest_first
    restore: Callable[[Sequence[int]], list[int]] = in_order_given
    batch_size: int = 32
    device: str = "cpu"

    def run(self, texts: Sequence[str], watch: Watch | None = None) -> Tensor:
        """One embedding a text. Shape ``(texts, dim)``, on the CPU; at least one text."""
        order = self.order(texts)
        rows = [
            self._batch([texts[index] for index in order[start : start + self.batch_size]], watch)
            for start in range(0, len(order), self.batch_size)
        ]
        return torch.cat(rows)[self.restore(order)]

    def _batch(self, originals: list[str], watch: Watch | None) -> Tensor:
        prepared = self.prepare(list(originals))
        if watch:
            prepared = watch.prepared(originals, prepared)
        batch = self.tokenize(self.tokenizer, prepared)
        if watch:
            batch = watch.features(originals, prepared, batch)
        batch = batch.to(self.device)
        with torch.inference_mode(), watch.encoding(self.encoder) if watch else nullcontext():
            outputs = self.encoder(**self.inputs(batch))
        with torch.inference_mode():
            hidden = self.hidden(outputs)
            if watch:
                hidden = watch.pool_input(hidden)
            rows = self.pool(outputs, hidden, batch)
            if watch:
                rows = watch.pooled(rows)
            for name, module in self.modules:
                rows = module(rows)
                if watch:
                    rows = watch.module(name, rows)
            if watch:
                rows = watch.finished(rows)
        return rows.cpu()
