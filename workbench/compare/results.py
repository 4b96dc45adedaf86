"""The results of a comparison: raw values, units in the names, and the conditions they were taken under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.contenders.contract import Settings, TokenCount
from workbench.errors import WorkbenchError

Verdict = Literal["identical", "float noise", "precision", "different"]


@dataclass(frozen=True)
class Column:
    """One column of a comparison: contender × model × settings.

    Attributes:
        label: Unique name of the column, such as ``"own"`` or ``"manual"``.
        contender: Key of the contender table: ``own``, ``upstream``, ``manual``.
        model: Bundled name, folder or Hub name, as the user gave it.
        settings: Every setting, stated.
    """

    label: str
    contender: str
    model: str
    settings: Settings


@dataclass(frozen=True)
class EncodedColumn:
    """What a column made of the texts.

    Attributes:
        column: Which one.
        embeddings: Shape ``(texts, dim)``, float32.
        token_counts: One a text.
        model_sha256: Hash over the admitted files.
        encode_seconds: Wall time of this first pass, model loading excluded. Not a benchmark.
        skipped_modules: Modules of the model that this contender does not know and leaves out, such as Dense.
    """

    column: Column
    embeddings: NDArray[np.float32]
    token_counts: tuple[TokenCount, ...]
    model_sha256: str
    encode_seconds: float
    skipped_modules: tuple[str, ...] = ()

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.embeddings.shape[1])

    @property
    def truncated(self) -> tuple[bool, ...]:
        """Which texts were cut at the maximum length."""
        return tuple(count.full > count.kept for count in self.token_counts)


@dataclass(frozen=True)
class NoiseFloor:
    """The difference that the same pipeline shows against itself, measured on these texts.

    Attributes:
        max_abs: Largest absolute difference of a component between two runs of one pipeline that
            differ only in batching and order.
        per_column: The same, by column label.
        margin: A pair counts as float noise up to ``margin ×`` the floor of the pair: the larger of its
            two columns', or the smaller where they compute in different precisions.
        how: One sentence on what was varied.
    """

    max_abs: float
    per_column: Mapping[str, float]
    margin: float
    how: str


@dataclass(frozen=True)
class Agreement:
    """How far two columns agree, text by text.

    Attributes:
        left, right: Column labels.
        verdict: Against the noise floor.
        max_abs: Largest absolute difference of a component; NaN where the dimensions differ.
        min_cosine, mean_cosine: Over the texts; NaN where the dimensions differ.
        spearman: Rank correlation of the two columns' pairwise similarities; NaN if undefined.
        differing_texts: Indices of the texts beyond the noise floor.
        setting_differences: Name of the setting → (left value, right value).
        reason: What the reader should take from this row, in English.
        reason_key, reason_values: The same for any language: ``reasons.reason_text`` fills a table of
            templates with them.
    """

    left: str
    right: str
    verdict: Verdict
    max_abs: float
    min_cosine: float
    mean_cosine: float
    spearman: float
    differing_texts: tuple[int, ...]
    setting_differences: Mapping[str, tuple[object, object]]
    reason: str
    reason_key: str = ""
    reason_values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Speed:
    """Speed of one column, from interleaved rounds after a warm-up.

    Attributes:
        label: Column.
        rounds: Timed calls.
        sentences_per_second, tokens_per_second: From the median call; tokens are those kept.
        p50_ms, p95_ms: Milliseconds a call over all the texts.
        device, threads: Where it ran.
        peak_memory_mb: Peak resident memory of a child process that loads the column and encodes the
            texts once; on CUDA the peak allocated there. None where it was not measured.
    """

    label: str
    rounds: int
    sentences_per_second: float
    tokens_per_second: float
    p50_ms: float
    p95_ms: float
    device: str
    threads: int
    peak_memory_mb: float | None = None


@dataclass(frozen=True)
class Coverage:
    """How well a tokenizer's vocabulary fits the texts.

    Attributes:
        label: Column.
        unknown_share: Unknown tokens among all kept, special tokens aside.
        tokens_per_word: Tokens a word, special tokens aside.
        truncated: Texts cut at the maximum length.
        texts: All texts.
        empty: Texts without a visible character.
        warning: Why the embeddings should not be trusted for these texts, in English; empty where nothing
            is wrong.
        warning_key, warning_values: The same for any language, as in ``Agreement``.
    """

    label: str
    unknown_share: float
    tokens_per_word: float
    truncated: int
    texts: int
    empty: int
    warning: str
    warning_key: str = ""
    warning_values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Conditions:
    """Under what the numbers were obtained."""

    versions: Mapping[str, str]
    cpu: str
    cores: int
    gpu: str | None
    python: str
    date_utc: str


@dataclass(frozen=True)
class Comparison:
    """All of it. ``columns`` holds those that succeeded, ``failures`` the others by label."""

    texts: tuple[str, ...]
    columns: tuple[EncodedColumn, ...]
    failures: Mapping[str, WorkbenchError]
    noise_floor: NoiseFloor | None
    agreements: tuple[Agreement, ...]
    coverage: tuple[Coverage, ...]
    speeds: tuple[Speed, ...]
    conditions: Conditions


@dataclass(frozen=True)
class Progress:
    """An event: ``done`` of ``total`` texts of ``label`` in ``stage``; the rest of the events are results."""

    stage: Literal["loading", "encoding", "noise floor", "speed"]
    label: str
    done: int
    total: int


@dataclass(frozen=True)
class ColumnFailed:
    """An event: a column could not be opened or encoded; the comparison goes on without it."""

    label: str
    error: WorkbenchError


Event = (
    Progress
    | EncodedColumn
    | Coverage
    | ColumnFailed
    | tuple[Agreement, ...]
    | NoiseFloor
    | tuple[Speed, ...]
    | Comparison
)
