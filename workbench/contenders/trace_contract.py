"""The contract of a trace: the stages of a pipeline, what is kept of each, where it is watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# Key of each stage → what it holds, in the order in which a text passes them.
STAGES: Mapping[str, str] = {
    "provenance": "files, versions, dtype, threads",
    "text": "the text as handed to the tokenizer, prompt included",
    "normalisation": "the normalised text and its pieces",
    "tokens": "token ids without special tokens, not cut",
    "specials": "special tokens put before and after",
    "truncation": "tokens kept",
    "padding": "attention mask, type ids and position ids that the encoder works with",
    "embeddings": "input embeddings",
    "layers": "the output of each layer, and what the pooling reads",
    "pooling": "one vector a text",
    "modules": "each module after the pooling",
    "precision": "the types that numbers are held in",
    "batching": "the embeddings as they are returned",
    "similarity": "scores of the texts among themselves",
    "ranking": "the nearest texts of each text",
}


@dataclass(frozen=True)
class StageRecord:
    """What a pipeline did at one stage.

    Attributes:
        facts: Of the pipeline as a whole: plain JSON values.
        plain: Name → one JSON value a text.
        arrays: Name → one array a text; rows are real tokens, padding is left out.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    plain: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    arrays: Mapping[str, tuple[NDArray[Any], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """A pipeline seen stage by stage over some texts.

    Attributes:
        name: Of the pipeline.
        texts: As they were given, before any prompt.
        settings: What the pipeline was asked to do, as far as it is known.
        stages: Key of ``STAGES`` → record; a stage that could not be seen is absent.
        floors: ``stage/name`` → largest difference that this pipeline shows against itself there, when only
            batching, order and attention kernel change. Empty where it was not measured.
    """

    name: str
    texts: tuple[str, ...]
    settings: Mapping[str, Any]
    stages: Mapping[str, StageRecord]
    floors: Mapping[str, float] = field(default_factory=dict)

    def stage(self, key: str) -> StageRecord:
        """The record of a stage; an empty one where the stage was not seen."""
        return self.stages.get(key, StageRecord())

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """What the pipeline returned. Shape ``(texts, dim)``."""
        rows = self.stage("batching").arrays.get("embedding", ())
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, 0), dtype=np.float32)


class Watch(Protocol):
    """Stands beside a running pipeline. Each method is told a value and returns the one to go on with.

    Watching returns what it was told. A proof returns another pipeline's value at one stage.
    """

    def prepared(self, originals: Sequence[str], prepared: Sequence[str]) -> list[str]:
        """Texts of a batch, before and after the pipeline prepared them for the tokenizer."""
        ...

    def features(self, originals: Sequence[str], prepared: Sequence[str], features: Any) -> Any:
        """What the tokenizer made of a batch: padded tensors by name, shape ``(batch, tokens)`` each."""
        ...

    def encoding(self, encoder: Any) -> AbstractContextManager[None]:
        """Hooks on the encoder while it runs."""
        ...

    def pool_input(self, hidden: Any) -> Any:
        """Token vectors that the pooling reads. Shape ``(batch, tokens, dim)``."""
        ...

    def pooled(self, rows: Any) -> Any:
        """One vector a text. Shape ``(batch, dim)``."""
        ...

    def module(self, name: str, rows: Any) -> Any:
        """The output of a module after the pooling. Shape ``(batch, dim)``."""
        ...

    def finished(self, rows: Any) -> Any:
        """The batch as it leaves the last module. Shape ``(batch, dim)``."""
        ...
