"""Large batches in little memory: embed a few rows at a time, and again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from tqdm.auto import tqdm

from workbench.errors import InvalidValueError
from workbench.losses.columns import embed
from workbench.models.protocols import EmbeddingModel, Features
from workbench.util.checks import require_count


@dataclass(frozen=True)
class MiniBatches:
    """How the rows of a batch are embedded: so many at a time, their activations thrown away and rebuilt.

    The backward pass embeds every mini-batch once more, with the random state of the first time, so that
    dropout repeats. Its gradient is that of the whole batch; what is held at a time is the activations of
    one mini-batch. Of the gradient cache of the paper this keeps the result and the memory, and autograd
    does the book-keeping, so that gradient scaling, accumulation and distributed averaging see nothing new.

    Attributes:
        size: Rows at a time, 1 or more.
        tokens: Most tokens at a time, padding not counted, instead of ``size``; a longer row goes alone.
        progress: Show a bar.

    Raises:
        InvalidValueError: A size or a number of tokens below 1.

    Source: Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup,
    https://arxiv.org/abs/2101.06983; sentence-transformers' Cached losses.
    """

    size: int = 32
    tokens: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        require_count(self.size, "mini_batch_size")
        if self.tokens is not None:
            require_count(self.tokens, "mini_batch_num_tokens")

    def embed(self, model: EmbeddingModel, features: Features) -> Tensor:
        """Embed one column. Shape ``(batch, dim)``."""
        return torch.cat([self._embed_part(model, part) for part in self.parts(features)])

    def embed_columns(self, model: EmbeddingModel, sentence_features: Iterable[Features]) -> list[Tensor]:
        """Embed every column. Shape ``(batch, dim)`` each."""
        return [self.embed(model, features) for features in sentence_features]

    def over_rows(self, rows: Tensor, loss_of: Callable[[Tensor], Tensor]) -> Tensor:
        """Compute a number a row, so many rows at a time, and without keeping what lies between.

        Args:
            rows: Indices. Shape ``(rows,)``.
            loss_of: Indices to one number each; must be the same each time it is called.

        Returns:
            Shape ``(rows,)``.
        """
        parts = [
            checkpoint(loss_of, part, use_reentrant=False, preserve_rng_state=False)
            for part in torch.split(rows, self.size)
        ]
        return torch.cat(parts)

    def parts(self, features: Features) -> Iterator[Features]:
        """Cut a column into mini-batches, without the padding on the right that all rows of one have."""
        starts = self._starts(features)
        bounds = zip(starts, [*starts[1:], _rows(features)], strict=True)
        parts = [_rows_of(features, begin, end) for begin, end in bounds]
        yield from tqdm(parts, desc="Mini-batches", disable=not self.progress)

    def _embed_part(self, model: EmbeddingModel, part: Features) -> Tensor:
        embedded: Tensor = checkpoint(embed, model, part, use_reentrant=False)
        return embedded

    def _starts(self, features: Features) -> list[int]:
        """First row of each mini-batch."""
        rows = _rows(features)
        if self.tokens is None:
            return list(range(0, rows, self.size))
        if "attention_mask" not in features:
            raise InvalidValueError(
                "tokens-not-counted",
                "mini_batch_num_tokens with features that have no attention_mask",
                fix="Give mini_batch_size instead",
                where="mini_batch_num_tokens",
            )
        starts, held = [0], 0
        for row, tokens in enumerate(features["attention_mask"].sum(dim=1).tolist()):
            if held and held + tokens > self.tokens:
                starts.append(row)
                held = 0
            held += tokens
        return starts


def _rows(features: Features) -> int:
    return len(features["offsets"] if "offsets" in features else features["input_ids"])


def _rows_of(features: Features, begin: int, end: int) -> Features:
    """Cut some rows out of a column, and the padding on the right that all of them have."""
    if "offsets" in features:
        return _texts_of(features, begin, end)
    rows = _rows(features)
    part = {
        name: value[begin:end] if isinstance(value, Tensor) and value.shape[:1] == (rows,) else value
        for name, value in features.items()
    }
    mask = part.get("attention_mask")
    if mask is None:
        return part
    used = mask.any(dim=0).nonzero()
    width = int(used[-1]) + 1 if len(used) else 1
    return {
        name: value[:, :width] if isinstance(value, Tensor) and value.shape[:2] == mask.shape else value
        for name, value in part.items()
    }


def _texts_of(features: Features, begin: int, end: int) -> Features:
    """The same for a column without padding: all ids in one row, and where each text begins."""
    offsets = features["offsets"]
    first = int(offsets[begin])
    last = int(offsets[end]) if end < len(offsets) else len(features["input_ids"])
    return features | {"input_ids": features["input_ids"][first:last], "offsets": offsets[begin:end] - first}
