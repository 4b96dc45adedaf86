"""What the rooms above may know of a model: features, modules and the first module that tokenises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from workbench.util.similarity import SimilarityFunction

# What flows through a model: input_ids, attention_mask, token_embeddings, sentence_embedding, …
Features = dict[str, Any]


@dataclass(frozen=True)
class Tokenized:
    """The ids of one text, not padded.

    Attributes:
        inputs: Model input name → ids, all of one length; ``input_ids`` is always there.
        full_length: Tokens without the length limit, special tokens included. A lower bound for a text
            so long that its end was never tokenised.
        unknown: Unknown tokens among those kept.
    """

    inputs: Mapping[str, Sequence[int]]
    full_length: int
    unknown: int

    @property
    def length(self) -> int:
        """Tokens kept, special tokens included."""
        return len(self.inputs["input_ids"])

    @property
    def truncated(self) -> bool:
        """Whether the text was cut at the limit."""
        return self.full_length > self.length


class Module(Protocol):
    """One step of a model: features in, features out, and a config that its folder carries."""

    legacy_type: ClassVar[str]

    def __call__(self, features: Features) -> Features: ...

    def get_config(self) -> dict[str, Any]: ...


@runtime_checkable
class InputModule(Protocol):
    """The first module: turns texts into the features of a batch."""

    max_seq_length: int | None

    @property
    def tokenizer(self) -> Any: ...

    def tokenize_texts(self, texts: Sequence[str]) -> list[Tokenized]: ...

    def collate(self, batch: Sequence[Tokenized]) -> dict[str, Tensor]: ...

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]: ...

    def save_files(self, folder: Path) -> None: ...


class EmbeddingModel(Protocol):
    """What most losses need of a model: features in, features with ``sentence_embedding`` out."""

    def __call__(self, features: Features) -> Features: ...

    def get_sentence_embedding_dimension(self) -> int: ...

    @property
    def device(self) -> torch.device: ...


class TextModel(EmbeddingModel, Protocol):
    """A model whose texts can be read back and tokenised anew: a guide, an encoder with a decoder."""

    @property
    def tokenizer(self) -> Any: ...

    @property
    def max_seq_length(self) -> int | None: ...

    def tokenize(self, texts: Sequence[str]) -> dict[str, Tensor]: ...


class LayeredModel(EmbeddingModel, Protocol):
    """A model that is a sequence of modules, the first of them an encoder with layers."""

    def __getitem__(self, index: int) -> nn.Module: ...

    def __iter__(self) -> Iterator[nn.Module]: ...


class Encoder(Protocol):
    """What an evaluator may know of a model: texts in, embeddings out, and how it compares them.

    The three that encode take a list of texts, and by name ``batch_size``, ``show_progress_bar``,
    ``convert_to_tensor`` and, where they are asked for, ``normalize_embeddings``, ``prompt``,
    ``prompt_name``, ``precision`` and ``truncate_dim``.
    """

    @property
    def similarity_fn_name(self) -> str | SimilarityFunction | None: ...

    def encode(self, *args: Any, **kwargs: Any) -> Any: ...

    def encode_query(self, *args: Any, **kwargs: Any) -> Any: ...

    def encode_document(self, *args: Any, **kwargs: Any) -> Any: ...

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Tensor: ...


class EncoderModel(TextModel, LayeredModel, Protocol):
    """Both: a sequence of modules that begins with an encoder, and its tokenizer."""


class TrainableModel(EncoderModel, Encoder, Protocol):
    """What training needs of a model: its parameters, its two modes, and how it is saved."""

    training: bool

    def train(self, mode: bool = True) -> Any: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def buffers(self) -> Iterator[Tensor]: ...

    def state_dict(self) -> Mapping[str, Tensor]: ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any: ...

    def smart_batching_collate(self, batch: Sequence[Any]) -> tuple[list[Features], Tensor | None]: ...

    def save(self, path: str | Path) -> None: ...
