"""Encoded columns and contenders made for a test, without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.compare.results import Column, EncodedColumn, NoiseFloor
from workbench.contenders.contract import Settings, TokenCount, TokenView


def encoded(
    label: str,
    embeddings: Any,
    *,
    model: str = "m",
    sha256: str = "0" * 64,
    full: Sequence[int] = (),
    unknown: Sequence[int] = (),
    skipped: tuple[str, ...] = (),
    contender: str = "manual",
    **settings: Any,
) -> EncodedColumn:
    """A column as if it had been encoded; every text has 8 tokens unless ``full`` says otherwise."""
    rows = np.asarray(embeddings, dtype=np.float32)
    stated = replace(Settings(), **settings)
    lengths = list(full) or [8] * len(rows)
    bad = list(unknown) or [0] * len(rows)
    counts = tuple(
        TokenCount(kept=min(length, stated.max_length), full=length, unknown=bad[index])
        for index, length in enumerate(lengths)
    )
    return EncodedColumn(Column(label, contender, model, stated), rows, counts, sha256, 0.1, skipped)


def floor_of(value: float, *columns: EncodedColumn) -> NoiseFloor:
    """One floor for all the columns."""
    return NoiseFloor(value, {column.column.label: value for column in columns}, 4.0, "as given")


class FakeContender:
    """Embeds a text by its hash; records its calls.

    Args:
        name: As a contender's.
        settings: As a contender's.
        dim: Length of an embedding.
        noise: Added to every component, times the number of texts of the call: a dependence on the batch.
        log: Gets ``(name, number of texts)`` of every call.
    """

    def __init__(
        self,
        name: str = "fake",
        settings: Settings | None = None,
        *,
        dim: int = 4,
        noise: float = 0.0,
        log: list[tuple[str, int]] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings or Settings()
        self.dim = dim
        self.noise = noise
        self.log = log if log is not None else []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.log.append((self.name, len(texts)))
        rows = [self._row(text) + self.noise * len(texts) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dim)

    def _row(self, text: str) -> NDArray[np.float64]:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return np.frombuffer(digest[: self.dim], dtype=np.uint8) / 256 + 0.01

    def token_counts(self, texts: Sequence[str]) -> list[TokenCount]:
        limit = self.settings.max_length
        return [TokenCount(min(len(text) + 2, limit), len(text) + 2, 0) for text in texts]

    def token_view(self, text: str) -> TokenView:
        return TokenView(tuple(text), tuple(map(ord, text)), (1,) * len(text))
