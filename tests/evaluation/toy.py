"""A model that looks its embeddings up, and counts what it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.util.similarity import SimilarityFunction


class Toy:
    """Text → vector, from a table or from the text's own hash-free seed."""

    def __init__(
        self, table: Mapping[str, Sequence[float]] | None = None, similarity: str = "cosine"
    ) -> None:
        self.table = table
        self.similarity_fn_name = similarity
        self.asked: list[list[str]] = []

    def vector(self, text: str) -> NDArray[Any]:
        if self.table is not None:
            return np.asarray(self.table[text], dtype=np.float32)
        seed = list(text.encode())
        return np.random.default_rng(seed).normal(size=8).astype(np.float32)

    def encode(self, sentences: list[str], **kwargs: Any) -> Tensor:
        self.asked.append(list(sentences))
        return torch.from_numpy(np.stack([self.vector(text) for text in sentences]))

    def encode_query(self, sentences: list[str], **kwargs: Any) -> Tensor:
        return self.encode(sentences, **kwargs)

    def encode_document(self, sentences: list[str], **kwargs: Any) -> Tensor:
        return self.encode(sentences, **kwargs)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Tensor:
        return SimilarityFunction.to_similarity_fn(self.similarity_fn_name)(embeddings1, embeddings2)


class Collapsed(Toy):
    """Every text at one point, or at NaN."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.value = value

    def vector(self, text: str) -> NDArray[Any]:
        return np.full(8, self.value, dtype=np.float32)


class Scaled(Toy):
    """The same directions, other lengths."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def vector(self, text: str) -> NDArray[Any]:
        return (super().vector(text) * np.float32(self.factor)).astype(np.float32)
