"""What happened to the texts of one call, and where its time went."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate

from workbench.encoding.linear import Compute

STAGES = ("tokenize", "forward", "pool", "copy")


@dataclass(frozen=True)
class EncodeReport:
    """What happened to the texts of one call.

    Attributes:
        texts: How many came.
        unique: How many distinct ones were computed.
        empty: Texts without a visible character.
        replaced_surrogates: Texts in which a lone surrogate became U+FFFD.
        truncated: Indices of the texts that were cut at the maximum length.
        tokens: Tokens kept over all texts, special tokens included.
        max_length: The limit in tokens.
        compute: In which type the encoder's linear layers multiplied.
        packed: Whether the texts ran without padding.
        padded_because: Why not; empty where they did.
        padding: Tokens computed for each real one; 1.0 where nothing is padded.
        seconds: Stage → time in it, summed over threads: tokenize, forward, pool, copy.
    """

    texts: int
    unique: int
    empty: int
    replaced_surrogates: int
    truncated: tuple[int, ...]
    tokens: int
    max_length: int | None
    compute: Compute = "float32"
    packed: bool = False
    padded_because: str = ""
    padding: float = 1.0
    seconds: Mapping[str, float] = field(default_factory=dict)


def added(reports: Sequence[EncodeReport]) -> EncodeReport:
    """One report of several calls in a row, of one model and its settings; the first may have had no text."""
    texts = [0, *accumulate(report.texts for report in reports)]
    tokens = sum(report.tokens for report in reports)
    padded = next((report for report in reports if report.padded_because), reports[-1])
    return replace(
        padded,
        texts=texts[-1],
        unique=sum(report.unique for report in reports),
        empty=sum(report.empty for report in reports),
        replaced_surrogates=sum(report.replaced_surrogates for report in reports),
        truncated=tuple(
            start + index for start, report in zip(texts, reports, strict=False) for index in report.truncated
        ),
        tokens=tokens,
        padding=sum(report.padding * report.tokens for report in reports) / tokens if tokens else 1.0,
        seconds={stage: sum(report.seconds.get(stage, 0.0) for report in reports) for stage in STAGES},
    )


class StageClock:
    """Adds up the time that any thread spends in a stage."""

    def __init__(self) -> None:
        self._adding = threading.Lock()
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        begun = time.perf_counter()
        yield
        taken = time.perf_counter() - begun
        with self._adding:
            self.seconds[name] += taken
