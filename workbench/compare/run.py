"""A comparison from start to end: a stream of events, each result as soon as it is ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import agreements
from workbench.compare.conditions import conditions
from workbench.compare.coverage import coverage
from workbench.compare.memory import peak_memory_mb
from workbench.compare.noise_floor import column_floor, noise_floor
from workbench.compare.pool import SHARED, ContenderPool
from workbench.compare.results import (
    Column,
    ColumnFailed,
    Comparison,
    Coverage,
    EncodedColumn,
    Event,
    NoiseFloor,
    Progress,
    Speed,
)
from workbench.compare.settings import validate_settings
from workbench.compare.speed import measure_speed
from workbench.contenders.contract import Contender, ModelPaths, TokenCount
from workbench.contenders.registry import contender_kind
from workbench.data.texts import check_texts
from workbench.errors import Cancelled, InvalidValueError, WorkbenchError
from workbench.models.folder import CheckedModel, open_model

# Label under which a failure of the timing as a whole is told.
SPEED_STAGE = "speed"

# Texts a call: between two calls progress is told and a wish to stop is heard.
_CHUNK = 64


@dataclass
class _State:
    """What has come together so far."""

    texts: list[str]
    cancelled: Callable[[], bool]
    opened: dict[str, Contender] = field(default_factory=dict)
    models: dict[str, CheckedModel] = field(default_factory=dict)
    columns: dict[str, EncodedColumn] = field(default_factory=dict)
    coverage: dict[str, Coverage] = field(default_factory=dict)
    failures: dict[str, WorkbenchError] = field(default_factory=dict)

    def check(self) -> None:
        """Stop here if that was asked for."""
        if self.cancelled():
            raise Cancelled

    def fail(self, label: str, error: Exception) -> ColumnFailed:
        """Take a column out of the comparison."""
        coded = _coded(label, error)
        self.failures[label] = coded
        self.opened.pop(label, None)
        self.columns.pop(label, None)
        self.coverage.pop(label, None)
        return ColumnFailed(label, coded)


def run_comparison(
    columns: Sequence[Column],
    texts: object,
    *,
    speed_rounds: int = 0,
    speed_budget_seconds: float = 30.0,
    measure_memory: bool = False,
    cancelled: Callable[[], bool] | None = None,
    pool: ContenderPool | None = None,
) -> Iterator[Event]:
    """Encode the texts with every column, judge how far the columns agree, and time them.

    A column that fails is told and left out; the others go on.

    Args:
        columns: What to compare, in this order; labels are unique.
        texts: A list of strings; see ``check_texts``.
        speed_rounds: Interleaved timed rounds; 0 leaves speed out.
        speed_budget_seconds: Time for all rounds.
        measure_memory: Measure each column's peak memory too, in a child process that loads it once more.
        cancelled: Asked between any two calls of a contender.
        pool: Where opened contenders are kept; None for the one that all comparisons share.

    Yields:
        Progress throughout; then ``EncodedColumn`` and ``Coverage`` of a column, or its ``ColumnFailed``;
        after all columns ``NoiseFloor``, the agreements, the speeds, and at the end ``Comparison``.

    Raises:
        InvalidTypeError, InvalidValueError: The texts or the columns cannot be used as a whole.
        Cancelled: ``cancelled`` said so.
    """
    checked = check_texts(texts).texts
    _check_request(columns, checked)
    state = _State(checked, cancelled or (lambda: False))
    for column in columns:
        yield from _guarded(state, column.label, _encode_column(state, column, pool or SHARED))
    floors: dict[str, float] = {}
    for label in list(state.columns):
        yield from _guarded(state, label, _measure_floor(state, label, floors))
    floor: NoiseFloor | None = None
    if state.columns:
        floor = noise_floor({label: floors[label] for label in state.columns})
        yield floor
    encoded = tuple(state.columns.values())
    agreed = agreements(encoded, floor) if floor else ()
    yield agreed
    speeds: tuple[Speed, ...] = ()
    if speed_rounds and state.columns:
        timing = _measure_speed(state, speed_rounds, speed_budget_seconds, measure_memory)
        for event in _guarded(state, SPEED_STAGE, timing):
            if isinstance(event, tuple):
                speeds = cast("tuple[Speed, ...]", event)
            else:
                yield event
        yield speeds
    yield Comparison(
        texts=tuple(checked),
        columns=encoded,
        failures=dict(state.failures),
        noise_floor=floor,
        agreements=agreed,
        coverage=tuple(state.coverage.values()),
        speeds=speeds,
        conditions=conditions(),
    )


def encode_in_chunks(
    contender: Contender, texts: Sequence[str], cancelled: Callable[[], bool] | None = None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Encode texts in calls of at most 64, or one batch, longest texts first.

    A call holds whole batches of texts of like length, as one call over all of them would.

    Args:
        contender: An opened contender.
        texts: At least one.
        cancelled: Asked before each call.

    Yields:
        How many texts are done, and the embeddings so far in the order of the texts, shape ``(texts, dim)``;
        the rows of the others are zeros.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    longest_first = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
    batch = contender.settings.batch_size
    size = max(_CHUNK // batch * batch, batch)
    result: NDArray[np.float32] | None = None
    for start in range(0, len(texts), size):
        if cancelled is not None and cancelled():
            raise Cancelled
        rows = longest_first[start : start + size]
        part = contender.encode([texts[row] for row in rows])
        if result is None:
            result = np.zeros((len(texts), part.shape[1]), dtype=np.float32)
        result[rows] = part
        yield start + len(rows), result


def _guarded(state: _State, label: str, events: Iterator[Event]) -> Iterator[Event]:
    """Hand events on; an error takes the column out instead of ending the comparison."""
    try:
        yield from events
    except Cancelled:
        raise
    except Exception as error:
        # Four libraries under one roof: whatever one of them raises must not take the others along.
        yield state.fail(label, error)


def _encode_column(state: _State, column: Column, pool: ContenderPool) -> Iterator[Event]:
    label = column.label
    state.check()
    yield Progress("loading", label, 0, len(state.texts))
    if column.model not in state.models:
        state.models[column.model] = open_model(column.model)
    model = state.models[column.model]
    validate_settings(column.settings, model)
    contender = pool.open(column.contender, model, column.settings)
    yield Progress("encoding", label, 0, len(state.texts))
    seconds = 0.0
    begun = time.perf_counter()
    for done, so_far in encode_in_chunks(contender, state.texts, state.cancelled):
        embeddings = so_far
        seconds += time.perf_counter() - begun
        yield Progress("encoding", label, done, len(state.texts))
        # The time in which the listener has the event is not the contender's.
        begun = time.perf_counter()
    _check_finite(embeddings, label)
    counts = tuple(contender.token_counts(state.texts))
    skipped = () if contender_kind(column.contender).applies_all_modules else model.extra_modules
    encoded = EncodedColumn(column, embeddings, counts, model.admitted.sha256, seconds, skipped)
    state.opened[label], state.columns[label] = contender, encoded
    yield encoded
    state.coverage[label] = coverage(label, state.texts, counts, contender.token_counts([""])[0])
    yield state.coverage[label]


def _measure_floor(state: _State, label: str, floors: dict[str, float]) -> Iterator[Event]:
    state.check()
    yield Progress("noise floor", label, 0, len(state.texts))
    encoded = state.columns[label]
    floors[label] = column_floor(state.opened[label], state.texts, encoded.embeddings, state.cancelled)


def _measure_speed(
    state: _State, rounds: int, budget_seconds: float, measure_memory: bool
) -> Iterator[Event]:
    counts: Mapping[str, Sequence[TokenCount]] = {
        label: encoded.token_counts for label, encoded in state.columns.items()
    }
    speeds: tuple[Speed, ...] = ()
    for event in measure_speed(
        state.opened,
        state.texts,
        counts,
        rounds=rounds,
        budget_seconds=budget_seconds,
        cancelled=state.cancelled,
    ):
        if isinstance(event, Progress):
            yield event
        else:
            speeds = event
    if measure_memory:
        speeds = tuple([replace(speed, peak_memory_mb=_peak(state, speed.label)) for speed in speeds])
    yield speeds


def _peak(state: _State, label: str) -> float | None:
    state.check()
    column = state.columns[label].column
    model = state.models[column.model]
    paths = ModelPaths(model.root, model.encoder)
    try:
        return peak_memory_mb(column.contender, paths, column.settings, state.texts)
    except WorkbenchError:
        # A second copy of the model may not fit where the first one did. The speed stands; the memory
        # is not known.
        return None


def _check_request(columns: Sequence[Column], texts: Sequence[str]) -> None:
    if not texts:
        raise InvalidValueError(
            "no-texts", "No text came", expected="at least one text", fix="Type or load some"
        )
    if not columns:
        raise InvalidValueError(
            "no-columns", "No column came", expected="at least one column", fix="Add a pipeline to compare"
        )
    labels = [column.label for column in columns]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise InvalidValueError(
            "labels-not-unique",
            f"Columns share the label {', '.join(map(repr, twice))}",
            expected="a label of its own for each column",
            fix="Rename all but one",
        )


def _check_finite(embeddings: NDArray[np.float32], label: str) -> None:
    bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(bad):
        raise InvalidValueError(
            "embeddings-not-finite",
            f"{len(bad)} of {len(embeddings)} embeddings hold NaN or infinity, the first of text {bad[0]}",
            expected="finite numbers",
            fix="In float16 the range of the encoder may be exceeded: use bfloat16 or float32",
            where=label,
        )


def _coded(label: str, error: Exception) -> WorkbenchError:
    if isinstance(error, WorkbenchError):
        return error
    wrapped = WorkbenchError(
        "contender-failed",
        f"{type(error).__name__}: {error}".strip()[:500],
        fix="If it speaks of memory, use fewer or shorter texts or a smaller batch; the other columns go on",
        where=label,
    )
    wrapped.__cause__ = error
    return wrapped
