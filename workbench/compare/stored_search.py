"""Searching embeddings in the form in which they are stored: float32, int8, or one bit a component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.errors import UnknownNameError
from workbench.util.quantization import QuantizedPrecision, quantize_embeddings
from workbench.util.retrieval import semantic_search
from workbench.util.similarity import dot_score

# Of binary rows so many times the wanted results are fetched by Hamming distance, then scored again.
RESCORE_TIMES = 4
_QUERIES_AT_ONCE = 32

Found = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True)
class StoredRows:
    """Embeddings as an index holds them.

    Attributes:
        form: One of ``FORMS``.
        rows: Shape ``(rows, bytes)`` for ``binary``, packed bits filled up to whole words of eight bytes;
            else ``(rows, dim)``.
        dim: Components of an embedding.
        ranges: Least and greatest value of each dimension, which ``int8`` is read by. Shape ``(2, dim)``.
    """

    form: str
    rows: NDArray[Any]
    dim: int
    ranges: NDArray[np.float32]

    @property
    def bytes_a_row(self) -> int:
        """What one embedding takes, words filled up aside."""
        return {"float32": 4 * self.dim, "int8": self.dim}.get(self.form, -(-self.dim // 8))


def store(form: str, embeddings: NDArray[np.float32]) -> StoredRows:
    """Put embeddings into a form.

    Args:
        form: One of ``FORMS``.
        embeddings: Shape ``(rows, dim)``; of ``int8`` they also give the ranges.

    Raises:
        UnknownNameError: ``unknown-form``.
    """
    _check(form)
    dim = embeddings.shape[1]
    ranges = np.stack((embeddings.min(axis=0), embeddings.max(axis=0))).astype(np.float32)
    if form == "binary":
        return StoredRows(form, _whole_words(quantize_embeddings(embeddings, "ubinary")), dim, ranges)
    precision: QuantizedPrecision = "int8" if form == "int8" else "float32"
    return StoredRows(form, quantize_embeddings(embeddings, precision, ranges=ranges), dim, ranges)


def search(stored: StoredRows, queries: NDArray[np.float32], top_k: int) -> Found:
    """The rows that are closest to each query by dot product, the best first.

    Queries stay float32 in every form. ``int8`` rows are scored by the middle of their steps; ``binary``
    ones are fetched by Hamming distance and scored again by the query against their signs.

    Args:
        stored: What is searched.
        queries: Shape ``(queries, dim)``.
        top_k: Results a query; fewer where there are fewer rows.

    Returns:
        Places and scores, shape ``(queries, top_k)`` each.
    """
    return _SEARCHES[stored.form](stored, queries, min(top_k, len(stored.rows)))


def _check(form: str) -> None:
    if form not in FORMS:
        raise UnknownNameError("unknown-form", repr(form)[:60], expected=f"one of {', '.join(FORMS)}")


def _search_float(stored: StoredRows, queries: NDArray[np.float32], top_k: int) -> Found:
    hits = semantic_search(queries, stored.rows, top_k=top_k, score_function=dot_score)
    places = np.array([[hit["corpus_id"] for hit in one] for one in hits], dtype=np.int64)
    scores = np.array([[hit["score"] for hit in one] for one in hits], dtype=np.float32)
    return places, scores


def _search_int8(stored: StoredRows, queries: NDArray[np.float32], top_k: int) -> Found:
    starts, widths = stored.ranges[0], stored.ranges[1] - stored.ranges[0]
    steps = np.where(widths == 0, np.float32(1), widths / 255)
    # q · (start + (level + 128.5) step) = (q step) · level + a constant of the query.
    constant = queries @ (starts + 128.5 * steps)
    levels = torch.from_numpy(stored.rows).float()
    scores = torch.from_numpy(queries * steps) @ levels.T + torch.from_numpy(constant)[:, None]
    best = scores.topk(top_k, dim=1)
    return best.indices.numpy(), best.values.numpy()


def _search_binary(stored: StoredRows, queries: NDArray[np.float32], top_k: int) -> Found:
    words = stored.rows.view(np.uint64)
    asked = _whole_words(quantize_embeddings(queries, "ubinary")).view(np.uint64)
    wanted = min(top_k * RESCORE_TIMES, len(words))
    places, scores = [], []
    for first in range(0, len(queries), _QUERIES_AT_ONCE):
        part = asked[first : first + _QUERIES_AT_ONCE]
        distances = np.zeros((len(part), len(words)), dtype=np.uint16)
        for column in range(words.shape[1]):
            distances += np.bitwise_count(part[:, column, None] ^ words[None, :, column])
        # Stable, so that equal distances keep the order of the rows.
        fetched = (
            torch.from_numpy(distances.astype(np.int32)).topk(wanted, dim=1, largest=False).indices.numpy()
        )
        bits = np.unpackbits(stored.rows[fetched], axis=2)[:, :, : stored.dim]
        signs = bits.astype(np.float32) * 2 - 1
        again = np.einsum("qd,qrd->qr", queries[first : first + _QUERIES_AT_ONCE], signs)
        order = np.argsort(-again, axis=1, kind="stable")[:, :top_k]
        places.append(np.take_along_axis(fetched, order, axis=1))
        scores.append(np.take_along_axis(again, order, axis=1))
    return np.concatenate(places), np.concatenate(scores)


def _whole_words(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows of bytes, filled up with zeros to whole words: alike in all rows, they change no distance."""
    missing = -packed.shape[1] % 8
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, missing))))


_SEARCHES: Mapping[str, Callable[[StoredRows, NDArray[np.float32], int], Found]] = {
    "float32": _search_float,
    "int8": _search_int8,
    "binary": _search_binary,
}
FORMS: tuple[str, ...] = tuple(_SEARCHES)
