"""The texts nearest to each anchor that are not its positives: candidates, limits and the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.util.checks import require_count, require_finite_rows
from workbench.util.mining_pairs import Pairs
from workbench.util.ranking import top_k_of_rows
from workbench.util.similarity import cos_sim, pairwise_cos_sim
from workbench.util.tensor import EmbeddingLike, as_float, as_matrix, normalize_embeddings

# The score of a candidate that is none.
GONE = -float("inf")


class Encoder(Protocol):
    """A model that embeds queries and documents; it may also name how it compares them."""

    def encode_query(self, *args: Any, **kwargs: Any) -> Any: ...

    def encode_document(self, *args: Any, **kwargs: Any) -> Any: ...


@dataclass(frozen=True)
class GivenEmbeddings:
    """Embeddings that stand in for a model; they are compared by their cosine.

    Attributes:
        anchors: One a row of the data set. Shape ``(rows, dim)``.
        positives: One a row of the data set. Shape ``(rows, dim)``.
        corpus: One a text of ``corpus``, where there is one. Shape ``(texts, dim)``.
    """

    anchors: EmbeddingLike
    positives: EmbeddingLike
    corpus: EmbeddingLike | None = None


@dataclass(frozen=True)
class Encoding:
    """How texts are embedded; each field is handed to the model as it is."""

    batch_size: int = 32
    query_prompt_name: str | None = None
    query_prompt: str | None = None
    corpus_prompt_name: str | None = None
    corpus_prompt: str | None = None
    show_progress_bar: bool = False


@dataclass(frozen=True)
class Limits:
    """Which candidates may be negatives.

    Attributes:
        range_min: Best candidates to pass over, of those that the other limits leave.
        range_max: Rank of the last candidate; None looks at enough for ``num_negatives``, ten times as many
            where a margin or ``max_score`` disqualifies some.
        max_score: Largest similarity to the anchor.
        min_score: Smallest similarity to the anchor.
        absolute_margin: Least distance below the anchor's least similar positive.
        relative_margin: The same as a share of the size of that similarity.
        num_negatives: Negatives an anchor.
        sampling_strategy: The best candidates, or a draw from all of them.
    """

    range_min: int = 0
    range_max: int | None = None
    max_score: float | None = None
    min_score: float | None = None
    absolute_margin: float | None = None
    relative_margin: float | None = None
    num_negatives: int = 3
    sampling_strategy: Literal["top", "random"] = "top"


@dataclass(frozen=True)
class Negatives:
    """What was found, an anchor a row, best first; where too few were, the rest has the score ``-inf``.

    Attributes:
        places: Places in the corpus. Shape ``(anchors, num_negatives)``.
        scores: Similarities to the anchor. The same shape.
        positive_scores: Similarity of each anchor to each of its positives.
        skipped: Limit → candidates that it disqualified, those of the limits before it not among them.
    """

    places: Tensor
    scores: Tensor
    positive_scores: list[list[float]]
    skipped: Mapping[str, int]


@torch.no_grad()
def find_negatives(
    pairs: Pairs,
    model: Encoder | GivenEmbeddings,
    limits: Limits,
    encoding: Encoding,
    *,
    include_positives: bool = False,
    seed: int = 0,
    block: int = 4096,
) -> Negatives:
    """Rank the corpus for each anchor and choose negatives.

    Args:
        pairs: From ``without_repeats``.
        model: Embeds the texts, or their embeddings.
        limits: Which candidates may be negatives.
        encoding: How the texts are embedded.
        include_positives: Let an anchor's positives be candidates too.
        seed: Of the draw, where ``sampling_strategy`` is random.
        block: Anchors compared with the corpus at a time; memory is ``block`` × corpus × 4 bytes.

    Raises:
        InvalidValueError: Limits that leave no room for the negatives, or embeddings that are not finite.
        ShapeMismatchError: Not one embedding a text.
    """
    last = _last_rank(limits, pairs.most_rows)
    anchors, corpus = _embedded(pairs, model, encoding)
    similarity, pairwise = _similarities(model)
    # Its own positives may take the first ranks.
    width = min(last + pairs.most_rows, len(corpus))
    found = [
        top_k_of_rows(as_float(similarity(anchors[start : start + block], corpus)), width)
        for start in range(0, len(anchors), block)
    ]
    scores, places = (torch.cat(part).cpu() for part in zip(*found, strict=True))
    positive_scores = _positive_scores(anchors, corpus, pairs.positives, pairwise)
    if not include_positives:
        for row, own in enumerate(pairs.positives):
            scores[row][torch.isin(places[row], torch.tensor(own))] = GONE
    skipped = _disqualify(scores, limits, torch.tensor([min(own) for own in positive_scores]))
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    scores, places = scores[:, limits.range_min : last], places.gather(1, order)[:, limits.range_min : last]
    if limits.sampling_strategy == "random":
        scores, places = _drawn(scores, places, limits.num_negatives, seed)
    return Negatives(*_exactly(scores, places, limits.num_negatives), positive_scores, skipped)


def _last_rank(limits: Limits, most_rows: int) -> int:
    """The rank after the last candidate, as upstream sets it where ``range_max`` is None."""
    count = require_count(limits.num_negatives, "num_negatives")
    if limits.sampling_strategy not in ("top", "random"):
        raise InvalidValueError(
            "sampling-strategy-unknown",
            f"{limits.sampling_strategy!r}",
            expected="'top' or 'random'",
            where="sampling_strategy",
        )
    disqualifies = (limits.absolute_margin, limits.relative_margin, limits.max_score)
    few = all(limit is None for limit in disqualifies)
    last = limits.range_max
    if last is None:
        last = limits.range_min + (count if few else 10 * count) + most_rows
    if limits.range_min < 0 or last - limits.range_min < count:
        raise InvalidValueError(
            "range-too-narrow",
            f"range_min {limits.range_min} and range_max {last}",
            expected=f"room for {count} negatives from rank 0 on",
            fix="Raise range_max, or lower range_min or num_negatives",
            where="range_min, range_max",
        )
    return last


def _embedded(pairs: Pairs, model: Encoder | GivenEmbeddings, encoding: Encoding) -> tuple[Tensor, Tensor]:
    """Anchors ``(anchors, dim)`` and corpus ``(texts, dim)``, of unit length."""
    if isinstance(model, GivenEmbeddings):
        anchors = as_matrix(model.anchors, "anchors")
        own = as_matrix(model.positives, "positives")
        corpus = own if model.corpus is None else torch.cat([as_matrix(model.corpus, "corpus"), own])
        anchors, corpus = _taken(anchors, pairs.anchor_rows), _taken(corpus, pairs.corpus_rows)
    elif hasattr(model, "encode_query") and hasattr(model, "encode_document"):
        shared = {
            "batch_size": encoding.batch_size,
            "normalize_embeddings": True,
            "convert_to_tensor": True,
            "show_progress_bar": encoding.show_progress_bar,
        }
        corpus = model.encode_document(
            pairs.corpus, prompt_name=encoding.corpus_prompt_name, prompt=encoding.corpus_prompt, **shared
        )
        anchors = model.encode_query(
            pairs.anchors, prompt_name=encoding.query_prompt_name, prompt=encoding.query_prompt, **shared
        )
    else:
        raise InvalidTypeError(
            "model-does-not-encode",
            f"a {type(model).__name__} came",
            expected="a model with encode_query and encode_document, or GivenEmbeddings",
            where="model",
        )
    for name, rows, texts in (("anchors", anchors, pairs.anchors), ("corpus", corpus, pairs.corpus)):
        if len(rows) != len(texts):
            raise ShapeMismatchError(
                "embeddings-count", f"{len(rows)} for {len(texts)} texts", expected="one a text", where=name
            )
        require_finite_rows(rows, name)
    return normalize_embeddings(as_float(anchors)), normalize_embeddings(as_float(corpus))


def _taken(rows: Tensor, wanted: list[int]) -> Tensor:
    if wanted and max(wanted) >= len(rows):
        raise ShapeMismatchError(
            "embeddings-count",
            f"{len(rows)} embeddings",
            expected=f"at least {max(wanted) + 1}: one a row, and one a text of corpus",
            where="GivenEmbeddings",
        )
    return rows[wanted]


def _similarities(model: Any) -> tuple[Any, Any]:
    whole, paired = getattr(model, "similarity", None), getattr(model, "similarity_pairwise", None)
    return (whole, paired) if whole is not None and paired is not None else (cos_sim, pairwise_cos_sim)


def _positive_scores(
    anchors: Tensor, corpus: Tensor, positives: list[list[int]], pairwise: Any
) -> list[list[float]]:
    rows = [row for row, own in enumerate(positives) for _ in own]
    flat = iter(pairwise(anchors[rows], corpus[[place for own in positives for place in own]]).tolist())
    return [[next(flat) for _ in own] for own in positives]


def _disqualify(scores: Tensor, limits: Limits, positive: Tensor) -> dict[str, int]:
    """Set what a limit rules out to ``-inf``, in place, and count it."""
    positive = positive.to(scores.dtype)[:, None]
    skipped: dict[str, int] = {}

    def rule_out(name: str, gone: Tensor) -> None:
        skipped[name] = int((gone & (scores > GONE)).sum())
        scores[gone] = GONE

    if limits.absolute_margin is not None:
        rule_out("absolute_margin", scores + limits.absolute_margin > positive)
    if limits.relative_margin is not None:
        # Of the size: with a negative similarity, (1 - margin) × similarity would let closer ones through.
        rule_out("relative_margin", scores > positive - positive.abs() * limits.relative_margin)
    if limits.max_score is not None:
        rule_out("max_score", scores > limits.max_score)
    if limits.min_score is not None:
        rule_out("min_score", scores < limits.min_score)
    return skipped


def _drawn(scores: Tensor, places: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw ``count`` candidates of each anchor, those ruled out last, best first."""
    keys = np.random.default_rng(seed).random(scores.shape)
    keys[(scores == GONE).numpy()] = 2.0
    chosen = torch.from_numpy(np.sort(np.argsort(keys, axis=1, kind="stable")[:, :count], axis=1))
    return scores.gather(1, chosen), places.gather(1, chosen)


def _exactly(scores: Tensor, places: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The first ``count`` columns; where there are fewer, columns of ``-inf`` are added."""
    missing = count - scores.shape[1]
    if missing > 0:
        scores = torch.cat([scores, scores.new_full((len(scores), missing), GONE)], dim=1)
        places = torch.cat([places, places.new_zeros((len(places), missing))], dim=1)
    return places[:, :count], scores[:, :count]
