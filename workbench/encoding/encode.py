"""Texts to rows: tokenise once, plan by length, run the modules, write each row where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from workbench.encoding.plan import length_batches, unique_texts
from workbench.models.protocols import Features, InputModule
from workbench.util.tensor import batch_to_device, truncate_embeddings

OutputValue = Literal["sentence_embedding", "token_embeddings"]


@dataclass(frozen=True)
class EncodeReport:
    """What happened to the texts of one call.

    Attributes:
        texts: How many came.
        unique: How many distinct ones were computed.
        empty: Texts without a visible character.
        replaced_surrogates: Texts in which a lone surrogate became U+FFFD.
        truncated: Indices of the texts that were cut at the maximum length.
        tokens: Tokens kept over all texts, special tokens included.
        max_length: The limit in tokens.
    """

    texts: int
    unique: int
    empty: int
    replaced_surrogates: int
    truncated: tuple[int, ...]
    tokens: int
    max_length: int | None


@dataclass(frozen=True)
class Rows:
    """What came out, one entry a text in the order given.

    Attributes:
        embeddings: Shape ``(texts, dim)``; empty for another output value.
        parts: Per text, the token embeddings or all features; empty for sentence embeddings.
        truncated: Indices of cut texts.
        tokens: Tokens kept.
        unique: Distinct texts computed.
    """

    embeddings: Tensor
    parts: list[Any]
    truncated: tuple[int, ...]
    tokens: int
    unique: int


def encode_texts(
    model: nn.Module,
    first: InputModule,
    texts: Sequence[str],
    *,
    prompt: str = "",
    batch_size: int,
    device: torch.device,
    dim: int,
    output_value: OutputValue | None = "sentence_embedding",
    normalize: bool = False,
    truncate_dim: int | None = None,
    to_cpu: bool = True,
    progress: bool = False,
) -> Rows:
    """Run ``model`` over ``texts``.

    Args:
        model: All modules, ``first`` included, in eval mode.
        first: The module that tokenises.
        texts: Checked strings.
        prompt: Put before every text; its tokens are known to a pooling that leaves them out.
        batch_size: Texts a forward call.
        device: Where the modules are.
        dim: Length of a finished row.
        output_value: Sentence embeddings, token embeddings, or None for all features.
        normalize: Scale sentence embeddings to unit length, after truncation.
        truncate_dim: Keep the first so many dimensions of a sentence embedding.
        to_cpu: Gather rows on the CPU.
        progress: Show a bar.

    Returns:
        Rows in the order of ``texts``.
    """
    distinct, places = unique_texts(texts)
    tokenized = first.tokenize_texts([prompt + text for text in distinct])
    prompt_length = _prompt_length(first, prompt)
    home = torch.device("cpu") if to_cpu else device
    rows: Tensor | None = None
    parts: list[Any] = [None] * (len(distinct) if output_value != "sentence_embedding" else 0)
    batches = length_batches([item.length for item in tokenized], batch_size)
    with torch.inference_mode():
        for batch in tqdm(batches, desc="Batches", disable=not progress):
            features: Features = first.collate([tokenized[index] for index in batch])
            features = batch_to_device(features, device)
            if prompt_length is not None:
                features["prompt_length"] = prompt_length
            out = model(features)
            if output_value == "sentence_embedding":
                done = _finish(out["sentence_embedding"], normalize, truncate_dim)
                if rows is None:
                    rows = torch.empty((len(distinct), done.shape[1]), dtype=done.dtype, device=home)
                rows[torch.tensor(batch, device=home)] = done.to(home)
            else:
                for position, index in enumerate(batch):
                    parts[index] = _part(out, position, len(batch), output_value)
        if rows is None:
            rows = torch.empty((0, dim), dtype=torch.float32, device=home)
        everything = rows if len(distinct) == len(texts) else rows[torch.tensor(places, device=home)]
    return Rows(
        embeddings=everything,
        parts=[parts[place] for place in places] if parts else [],
        truncated=tuple(index for index, place in enumerate(places) if tokenized[place].truncated),
        tokens=sum(tokenized[place].length for place in places),
        unique=len(distinct),
    )


def _finish(rows: Tensor, normalize: bool, truncate_dim: int | None) -> Tensor:
    kept = rows if truncate_dim is None else truncate_embeddings(rows, truncate_dim)
    return nn.functional.normalize(kept, p=2, dim=1) if normalize else kept


def _prompt_length(first: InputModule, prompt: str) -> int | None:
    """Tokens that the prompt takes at the front of a text: those of the prompt alone less a closing token."""
    if not prompt:
        return None
    ids = first.tokenize_texts([prompt])[0].inputs["input_ids"]
    closing = getattr(first.tokenizer, "all_special_ids", ())
    return len(ids) - 1 if ids and ids[-1] in closing else len(ids)


def _part(out: Features, position: int, size: int, output_value: OutputValue | None) -> Any:
    if output_value == "token_embeddings":
        mask = out["attention_mask"][position]
        last = int(mask.nonzero().max()) if mask.any() else 0
        return out["token_embeddings"][position][: last + 1]
    return {
        name: value[position]
        if isinstance(value, Tensor) and value.ndim and value.shape[0] == size
        else value
        for name, value in out.items()
    }
