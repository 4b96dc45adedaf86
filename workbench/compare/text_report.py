"""A comparison as text for a terminal: who agrees with whom and why, and what each column did."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.compare.results import Comparison

_PAIR_HEADER = ("columns", "verdict", "max |Δ|", "min cos", "mean cos", "Spearman", "")
_COLUMN_HEADER = (
    "column",
    "dim",
    "cut",
    "unknown",
    "tokens/word",
    "sentences/s",
    "tokens/s",
    "p50 ms",
    "p95 ms",
    "peak MB",
    "device",
)


def as_text(comparison: Comparison) -> str:
    """The pairs with their verdicts, the noise floor, the columns, and every warning once."""
    parts = []
    if comparison.agreements:
        pairs = [
            (
                f"{row.left} · {row.right}",
                row.verdict,
                _number(row.max_abs, ".1e"),
                _number(row.min_cosine, ".6f"),
                _number(row.mean_cosine, ".6f"),
                _number(row.spearman, ".6f"),
                row.reason,
            )
            for row in comparison.agreements
        ]
        parts.append(_table(_PAIR_HEADER, pairs))
    if comparison.noise_floor is not None:
        parts.append(f"Noise floor {comparison.noise_floor.max_abs:.1e}: {comparison.noise_floor.how}")
    labels = [column.column.label for column in comparison.columns]
    parts.append(_table(_COLUMN_HEADER, [_column_row(comparison, label) for label in labels]))
    parts += [
        f"{column.column.label} leaves out modules of this model: {', '.join(column.skipped_modules)}"
        for column in comparison.columns
        if column.skipped_modules
    ]
    parts += dict.fromkeys(row.warning for row in comparison.coverage if row.warning)
    return "\n\n".join(parts)


def _column_row(comparison: Comparison, label: str) -> tuple[str, ...]:
    encoded = next(column for column in comparison.columns if column.column.label == label)
    coverage = next((row for row in comparison.coverage if row.label == label), None)
    speed = next((row for row in comparison.speeds if row.label == label), None)
    return (
        label,
        str(encoded.dim),
        f"{sum(encoded.truncated)}/{len(encoded.truncated)}",
        f"{coverage.unknown_share:.1%}" if coverage else "–",
        f"{coverage.tokens_per_word:.2f}" if coverage else "–",
        f"{speed.sentences_per_second:,.0f}" if speed else "–",
        f"{speed.tokens_per_second:,.0f}" if speed else "–",
        f"{speed.p50_ms:.1f}" if speed else "–",
        f"{speed.p95_ms:.1f}" if speed else "–",
        f"{speed.peak_memory_mb:,.0f}" if speed and speed.peak_memory_mb is not None else "–",
        encoded.column.settings.device,
    )


def _number(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest value; the first and the last stand left, the rest right."""
    widths = [max(len(row[index]) for row in [header, *rows]) for index in range(len(header))]
    last = len(header) - 1
    lines = (
        "  ".join(
            value.ljust(width) if index in (0, last) else value.rjust(width)
            for index, (value, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [header, *rows]
    )
    return "\n".join(lines)
