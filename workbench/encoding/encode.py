"""Texts to rows: tokenise once, plan by length, run the modules, write each row where it belongs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from workbench.encoding.engine import Engine
from workbench.encoding.linear import Compute
from workbench.encoding.plan import TEXTS_A_BATCH, length_batches, packed_batches, unique_texts
from workbench.encoding.ready import Way, refuse_device, way_for
from workbench.encoding.report import StageClock
from workbench.encoding.shared_queue import available_threads, run_shared
from workbench.models.packed import pack
from workbench.models.packed_pooling import pool_packed
from workbench.models.protocols import Features, InputModule, Tokenized
from workbench.models.transformer import Transformer
from workbench.util.tensor import batch_to_device, truncate_embeddings

OutputValue = Literal["sentence_embedding", "token_embeddings"]


@dataclass(frozen=True)
class Rows:
    """What came out, one entry a text in the order given.

    Attributes:
        embeddings: Shape ``(texts, dim)``; empty for another output value.
        parts: Per text, the token embeddings or all features; empty for sentence embeddings.
        truncated: Indices of cut texts.
        tokens: Tokens kept.
        unique: Distinct texts computed.
        packed, padded_because, padding, seconds: See ``EncodeReport``.
    """

    embeddings: Tensor
    parts: list[Any]
    truncated: tuple[int, ...]
    tokens: int
    unique: int
    packed: bool = False
    padded_because: str = ""
    padding: float = 1.0
    seconds: dict[str, float] = field(default_factory=dict)


def encode_texts(
    model: nn.Module,
    first: InputModule,
    texts: Sequence[str],
    *,
    prompt: str = "",
    batch_size: int | None,
    device: torch.device,
    dim: int,
    output_value: OutputValue | None = "sentence_embedding",
    normalize: bool = False,
    truncate_dim: int | None = None,
    to_cpu: bool = True,
    progress: bool = False,
    compute: Compute = "float32",
) -> Rows:
    """Run ``model`` over ``texts``.

    Args:
        model: All modules, ``first`` included, in eval mode.
        first: The module that tokenises.
        texts: Checked strings.
        prompt: Put before every text; its tokens are known to a pooling that leaves them out.
        batch_size: Most texts a forward call; None leaves it to their tokens.
        device: Where the modules are.
        dim: Length of a finished row.
        output_value: Sentence embeddings, token embeddings, or None for all features.
        normalize: Scale sentence embeddings to unit length, after truncation.
        truncate_dim: Keep the first so many dimensions of a sentence embedding.
        to_cpu: Gather rows on the CPU.
        progress: Show a bar.
        compute: In which type the encoder's linear layers multiply.

    Returns:
        Rows in the order of ``texts``.

    Raises:
        InvalidValueError: ``compute-not-supported``.
    """
    distinct, places = unique_texts(texts)
    clock = StageClock()
    with clock.stage("tokenize"):
        tokenized = first.tokenize_texts([prompt + text for text in distinct])
    lengths = [item.length for item in tokenized]
    refuse_device(compute, device.type)
    way = _way(model, lengths, output_value, compute)
    run = _Run(
        modules=list(cast(nn.Sequential, model)),
        first=first,
        tokenized=tokenized,
        device=device,
        prompt_length=_prompt_length(first, prompt),
        normalize=normalize,
        truncate_dim=truncate_dim,
        compute=compute,
        output_value=output_value,
        rows=_RowBlock(len(distinct), torch.device("cpu") if to_cpu else device),
        parts=[None] * (len(distinct) if output_value != "sentence_embedding" else 0),
        clock=clock,
        bar=tqdm(desc="Batches", disable=not progress),
    )
    padded_tokens = run.packed(way.engine, batch_size) if way.engine else run.padded(batch_size)
    run.bar.close()
    rows = run.rows.filled(dim)
    if len(distinct) != len(texts) and len(rows):
        rows = rows[torch.tensor(places, device=rows.device)]
    return Rows(
        embeddings=rows,
        parts=[run.parts[place] for place in places] if run.parts else [],
        truncated=tuple(index for index, place in enumerate(places) if tokenized[place].truncated),
        tokens=sum(lengths[place] for place in places),
        unique=len(distinct),
        packed=way.engine is not None,
        padded_because=way.reason,
        padding=padded_tokens / max(1, sum(lengths)),
        seconds=clock.seconds,
    )


def _way(model: nn.Module, lengths: Sequence[int], output_value: OutputValue | None, compute: Compute) -> Way:
    if output_value != "sentence_embedding":
        return Way(None, f"output_value is {output_value!r}")
    if not all(lengths):
        return Way(None, "a text has no token")
    return way_for(list(cast(nn.Sequential, model)), compute)


class _RowBlock:
    """The finished rows, in one block that is allocated when the first of them tells length and type."""

    def __init__(self, texts: int, home: torch.device) -> None:
        self._texts, self._home = texts, home
        self._rows: Tensor | None = None
        self._allocating = threading.Lock()

    def write(self, places: Sequence[int], done: Tensor) -> None:
        """Put finished rows at their places; from a GPU the copy runs while the next batch computes."""
        with self._allocating:
            if self._rows is None:
                pin = done.is_cuda and self._home.type == "cpu"
                shape = (self._texts, done.shape[1])
                self._rows = torch.empty(shape, dtype=done.dtype, device=self._home, pin_memory=pin)
        self._rows[torch.tensor(places, device=self._home)] = done.to(self._home)

    def filled(self, dim: int) -> Tensor:
        """All rows; without a text, none of length ``dim``."""
        return torch.empty((0, dim), device=self._home) if self._rows is None else self._rows


@dataclass(frozen=True)
class _Run:
    """One call's texts, settings and results."""

    modules: list[nn.Module]
    first: InputModule
    tokenized: list[Tokenized]
    device: torch.device
    prompt_length: int | None
    normalize: bool
    truncate_dim: int | None
    compute: Compute
    output_value: OutputValue | None
    rows: _RowBlock
    parts: list[Any]
    clock: StageClock
    bar: Any

    def packed(self, engine: Engine, batch_size: int | None) -> int:
        """Run texts in rows without padding; returns the tokens computed."""
        lengths = [item.length for item in self.tokenized]
        on_cpu = self.device.type == "cpu"
        threads = available_threads() if on_cpu else 1
        batches = packed_batches(lengths, batch_size, threads=threads, budget=engine.tokens_a_batch)
        self.bar.reset(total=len(batches))

        def work(batch: list[int]) -> None:
            with torch.inference_mode():
                self._packed_batch(engine, batch)

        if on_cpu:
            run_shared(batches, work)
        else:
            for batch in batches:
                work(batch)
        return sum(lengths)

    def padded(self, batch_size: int | None) -> int:
        """Run texts of like length in padded batches; returns the tokens computed, padding included."""
        lengths = [item.length for item in self.tokenized]
        batches = length_batches(lengths, batch_size or TEXTS_A_BATCH)
        self.bar.reset(total=len(batches))
        half = self.compute == "bfloat16"
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            for batch in batches:
                self._padded_batch(batch)
        return sum(len(batch) * lengths[batch[0]] for batch in batches)

    def _packed_batch(self, engine: Engine, indices: list[int]) -> None:
        first = cast(Transformer, self.first)
        with self.clock.stage("copy"):
            batch = pack(first.encoder, [self.tokenized[index] for index in indices])
            if self.device.type == "cuda":
                batch = batch.pinned()
            batch = batch.to(self.device, non_blocking=True)
        with self.clock.stage("forward"):
            tokens = engine.run(batch)
        with self.clock.stage("pool"):
            done = self._finish(pool_packed(self.modules[1:], tokens, batch, self.prompt_length))
        with self.clock.stage("copy"):
            self.rows.write(indices, done)
        self.bar.update()

    def _padded_batch(self, indices: list[int]) -> None:
        with self.clock.stage("copy"):
            features: Features = self.first.collate([self.tokenized[index] for index in indices])
            features = batch_to_device(features, self.device)
        if self.prompt_length is not None:
            features["prompt_length"] = self.prompt_length
        with self.clock.stage("forward"):
            features = self.modules[0](features)
        with self.clock.stage("pool"):
            for module in self.modules[1:]:
                features = module(features)
        if self.output_value == "sentence_embedding":
            with self.clock.stage("pool"):
                done = self._finish(features["sentence_embedding"])
            with self.clock.stage("copy"):
                self.rows.write(indices, done)
        else:
            for position, index in enumerate(indices):
                self.parts[index] = _part(features, position, len(indices), self.output_value)
        self.bar.update()

    def _finish(self, rows: Tensor) -> Tensor:
        kept = rows if self.truncate_dim is None else truncate_embeddings(rows, self.truncate_dim)
        return nn.functional.normalize(kept, p=2, dim=1) if self.normalize else kept


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
