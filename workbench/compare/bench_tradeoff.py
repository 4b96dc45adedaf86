"""Quality against speed: dimensions kept × form of storage × precision of the encoder."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.compare.bench_statistics import LEVEL
from workbench.compare.interleaved import interleaved
from workbench.compare.similarity_matrix import unit_rows
from workbench.compare.stored_search import FORMS, search, store
from workbench.contenders.contract import Contender
from workbench.data.desk.examples import retrieval
from workbench.errors import WorkbenchError
from workbench.evaluation.metrics.ranking import ndcg_at_k, tie_groups

DEPTH = 10
SHARES_OF_DIM = (1, 2, 3, 6, 12)
INDEX_ROWS = 20_000
ENCODE_ROUNDS = 2
SEARCH_ROUNDS = 3
SEARCH_BUDGET_SECONDS = 4.0
_RESAMPLES = 2000


@dataclass(frozen=True)
class TradeoffPoint:
    """One way to encode, cut and store.

    Attributes:
        precision: In which the encoder computed.
        dim: Components kept, scaled to unit length again.
        form: ``float32``, ``int8`` or ``binary`` (fetched by Hamming distance and scored again).
        ndcg: nDCG@10 of the bundled test questions over all articles.
        low, high: 95% interval of its difference to float32 in full, over the questions.
        bytes_a_vector: What is stored.
        queries_per_second: Exact search in an index of ``INDEX_ROWS``.
    """

    precision: str
    dim: int
    form: str
    ndcg: float
    low: float
    high: float
    bytes_a_vector: int
    queries_per_second: float


@dataclass(frozen=True)
class EncodeSpeed:
    """How fast one precision of the encoder made the rows.

    Attributes:
        precision: Of the encoder.
        sentences_per_second: From the median call.
    """

    precision: str
    sentences_per_second: float


@dataclass(frozen=True)
class Tradeoff:
    """All points.

    Attributes:
        contender: Who encoded.
        queries, documents: Of the judged search.
        index_rows: Of the timed search: the same rows again and again, since the time follows from their
            number alone.
        points: In the order precision, dimension, form.
        encode: A precision each.
        not_run: Precision → why it is missing.
    """

    contender: str
    queries: int
    documents: int
    index_rows: int
    points: tuple[TradeoffPoint, ...]
    encode: tuple[EncodeSpeed, ...]
    not_run: Mapping[str, str]


def kept_dims(dim: int) -> tuple[int, ...]:
    """Dimensions to look at: the whole, a half, a third, a sixth, a twelfth (384, 192, 128, 64, 32).

    Example:
        >>> kept_dims(384)
        (384, 192, 128, 64, 32)
    """
    return tuple(dict.fromkeys(max(1, dim // share) for share in SHARES_OF_DIM))


def measure_tradeoff(
    name: str, opened: Mapping[str, Contender], not_run: Mapping[str, str], stop: Callable[[], bool]
) -> Generator[str, None, Tradeoff | None]:
    """Encode the bundled questions and articles in each precision, and search them in every form.

    Args:
        name: The contender.
        opened: Precision → it, opened; ``float32`` first where it is there.
        not_run: Precision → why it could not be opened.
        stop: Asked between two calls.

    Yields:
        What was just done, call by call.

    Returns:
        None where nothing could encode.

    Raises:
        Cancelled: ``stop`` said so.
    """
    desk = retrieval("test")
    texts = [*desk.queries.values(), *desk.corpus.values()]
    rows: dict[str, NDArray[np.float32]] = {}
    missing = dict(not_run)
    for precision, contender in opened.items():
        try:
            rows[precision] = np.asarray(unit_rows(contender.encode(texts)), dtype=np.float32)
        except WorkbenchError as error:
            missing[precision] = error.message
    if not rows:
        return None
    calls = {precision: _encode(opened[precision], texts) for precision in rows}
    seconds: dict[str, list[float]] = {precision: [] for precision in rows}
    for timed in interleaved(calls, rounds=ENCODE_ROUNDS, budget_seconds=30.0, stop=stop):
        seconds[timed.label].append(timed.seconds)
        yield f"{name} · {timed.label}"
    places = {article: place for place, article in enumerate(desk.corpus)}
    relevant = [[places[article] for article in desk.relevant[query]] for query in desk.queries]
    queries = len(relevant)
    speeds = yield from _search_speeds(next(iter(rows.values())), queries, stop)
    return Tradeoff(
        name,
        queries,
        len(desk.corpus),
        INDEX_ROWS,
        tuple(_points(rows, queries, relevant, speeds)),
        tuple(EncodeSpeed(one, len(texts) / float(np.median(seconds[one]))) for one in rows),
        missing,
    )


def cut(rows: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """The first components, scaled to unit length again. Shape ``(rows, dim)``."""
    return np.asarray(unit_rows(rows[:, :dim]), dtype=np.float32)


def ndcg_of_queries(
    queries: NDArray[np.float32],
    documents: NDArray[np.float32],
    form: str,
    relevant: Sequence[Sequence[int]],
) -> NDArray[np.float64]:
    """nDCG@10 of each query over documents in a form. Shape ``(queries,)``."""
    # As deep as one looks: more results would rescore every binary row.
    places, scores = search(store(form, documents), queries, DEPTH)
    found = np.empty(len(queries))
    for query, wanted in enumerate(relevant):
        every = np.full(len(documents), float(scores[query].min()) - 1.0)
        every[places[query]] = scores[query]
        hits = np.zeros(len(documents), dtype=np.int64)
        hits[list(wanted)] = 1
        found[query] = ndcg_at_k(tie_groups(every, hits, depth=DEPTH), DEPTH, len(wanted))
    return found


def _encode(contender: Contender, texts: list[str]) -> Callable[[], object]:
    return lambda: contender.encode(texts)


def _points(
    rows: Mapping[str, NDArray[np.float32]],
    queries: int,
    relevant: Sequence[Sequence[int]],
    speeds: Mapping[tuple[int, str], float],
) -> Iterator[TradeoffPoint]:
    whole: NDArray[np.float64] | None = None
    # One draw for all points: they are compared with each other on the same questions.
    draws = np.random.default_rng(0).integers(0, queries, (_RESAMPLES, queries))
    for precision, every in rows.items():
        for dim in kept_dims(every.shape[1]):
            kept = cut(every, dim)
            for form in FORMS:
                scores = ndcg_of_queries(kept[:queries], kept[queries:], form, relevant)
                whole = scores if whole is None else whole
                means = (scores - whole)[draws].mean(axis=1)
                low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                yield TradeoffPoint(
                    precision,
                    dim,
                    form,
                    float(scores.mean()),
                    float(low),
                    float(high),
                    store(form, kept[queries:]).bytes_a_row,
                    speeds[dim, form],
                )


def _search_speeds(
    rows: NDArray[np.float32], queries: int, stop: Callable[[], bool]
) -> Generator[str, None, dict[tuple[int, str], float]]:
    """Queries a second for each dimension and form, in interleaved rounds."""
    times = -(-INDEX_ROWS // len(rows))
    calls: dict[str, Callable[[], object]] = {}
    keys: dict[str, tuple[int, str]] = {}
    for dim in kept_dims(rows.shape[1]):
        kept = cut(rows, dim)
        index = np.tile(kept, (times, 1))[:INDEX_ROWS]
        for form in FORMS:
            keys[f"{dim} {form}"] = (dim, form)
            calls[f"{dim} {form}"] = _search(form, index, kept[:queries])
    seconds: dict[str, list[float]] = {label: [] for label in calls}
    for timed in interleaved(calls, rounds=SEARCH_ROUNDS, budget_seconds=SEARCH_BUDGET_SECONDS, stop=stop):
        seconds[timed.label].append(timed.seconds)
        yield timed.label
    return {keys[label]: queries / float(np.median(found)) for label, found in seconds.items()}


def _search(form: str, index: NDArray[np.float32], queries: NDArray[np.float32]) -> Callable[[], object]:
    stored = store(form, index)
    return lambda: search(stored, queries, DEPTH)
