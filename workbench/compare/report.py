"""A comparison as data for others: JSON, rows of tables, CSV and Parquet of the embeddings."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from workbench.compare.results import Agreement, Comparison, Coverage, EncodedColumn, NoiseFloor, Speed
from workbench.errors import WorkbenchError

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_UNDEFINED = {
    "dimensions": "the two columns have embeddings of different lengths",
    "spearman": "fewer than three texts, or all pairs of one column are equally similar",
}


def comparison_dict(comparison: Comparison, *, embeddings: bool = False) -> dict[str, object]:
    """Everything a report holds, ready for ``json.dumps(..., allow_nan=False)``.

    A number that is undefined becomes null, with the reason beside it under ``<name>_undefined``.

    Args:
        comparison: The last event of a comparison.
        embeddings: Put the embeddings in too.
    """
    return {
        "texts": list(comparison.texts),
        "columns": [_column_dict(column, embeddings) for column in comparison.columns],
        "failures": {label: error_dict(error) for label, error in comparison.failures.items()},
        "noise_floor": _floor_dict(comparison.noise_floor),
        "agreements": [agreement_dict(agreement) for agreement in comparison.agreements],
        "coverage": [coverage_dict(coverage) for coverage in comparison.coverage],
        "speeds": [asdict(speed) for speed in comparison.speeds],
        "conditions": {**asdict(comparison.conditions), "versions": dict(comparison.conditions.versions)},
    }


def agreement_dict(agreement: Agreement) -> dict[str, object]:
    """One pair of columns as JSON data."""
    row: dict[str, object] = {
        "left": agreement.left,
        "right": agreement.right,
        "verdict": agreement.verdict,
        "differing_texts": list(agreement.differing_texts),
        "setting_differences": {name: list(pair) for name, pair in agreement.setting_differences.items()},
        "reason": agreement.reason,
        "reason_key": agreement.reason_key,
        "reason_values": plain(agreement.reason_values),
    }
    for name in ("max_abs", "min_cosine", "mean_cosine", "spearman"):
        value = float(getattr(agreement, name))
        row[name] = value if math.isfinite(value) else None
        if not math.isfinite(value):
            row[f"{name}_undefined"] = _UNDEFINED["spearman" if name == "spearman" else "dimensions"]
    return row


def coverage_dict(coverage: Coverage) -> dict[str, object]:
    """One column's coverage as JSON data."""
    return {**asdict(coverage), "warning_values": plain(coverage.warning_values)}


def error_dict(error: WorkbenchError) -> dict[str, object]:
    """A failure as JSON data."""
    return {
        "code": error.code,
        "message": error.message,
        "came": error.came,
        "expected": error.expected,
        "fix": error.fix,
        "where": error.where,
    }


def agreement_rows(agreements: Sequence[Agreement]) -> list[dict[str, object]]:
    """Rows of a table, one a pair; numbers raw, None where undefined."""
    names = ("left", "right", "verdict", "max_abs", "min_cosine", "mean_cosine", "spearman", "reason")
    return [{name: agreement_dict(agreement)[name] for name in names} for agreement in agreements]


def coverage_rows(coverage: Sequence[Coverage]) -> list[dict[str, object]]:
    """Rows of a table, one a column."""
    hidden = ("warning_key", "warning_values")
    return [
        {name: value for name, value in coverage_dict(row).items() if name not in hidden} for row in coverage
    ]


def speed_rows(speeds: Sequence[Speed]) -> list[dict[str, object]]:
    """Rows of a table, one a column."""
    return [asdict(speed) for speed in speeds]


def embeddings_csv(comparison: Comparison, *, escape_formulas: bool = True) -> str:
    """All embeddings as CSV: column, index and text, then the numbers, nine digits each (float32 exactly).

    Args:
        comparison: The last event of a comparison.
        escape_formulas: Put ``'`` before a text that a spreadsheet would run as a formula. Switch it off
            where a program reads the file.
    """
    dims = max((column.dim for column in comparison.columns), default=0)
    out = io.StringIO(newline="")
    # CRLF as in RFC 4180: with a bare line feed, csv would leave a carriage return in a text unquoted.
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["column", "index", "text", *(f"e{place}" for place in range(dims))])
    for column in comparison.columns:
        label = _cell(column.column.label, escape_formulas)
        for index, row in enumerate(column.embeddings):
            text = _cell(comparison.texts[index], escape_formulas)
            writer.writerow([label, index, text, *(format(float(value), ".9g") for value in row)])
    return out.getvalue()


def embeddings_parquet(comparison: Comparison) -> bytes:
    """All embeddings as Parquet: column, index, text, embedding (a list of float32); nothing is escaped."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = comparison.columns
    table = pa.table(
        {
            "column": pa.array([c.column.label for c in columns for _ in comparison.texts], pa.string()),
            "index": pa.array([i for _ in columns for i in range(len(comparison.texts))], pa.int32()),
            "text": pa.array([text for _ in columns for text in comparison.texts], pa.string()),
            "embedding": pa.array(
                [row for column in columns for row in column.embeddings], pa.list_(pa.float32())
            ),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def plain(value: object) -> object:
    """A value with tuples as lists, mappings as dicts, and numbers that JSON does not know as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def _column_dict(column: EncodedColumn, embeddings: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "label": column.column.label,
        "contender": column.column.contender,
        "model": column.column.model,
        "model_sha256": column.model_sha256,
        "settings": asdict(column.column.settings),
        "dim": column.dim,
        "encode_seconds": column.encode_seconds,
        "skipped_modules": list(column.skipped_modules),
        "token_counts": [asdict(count) for count in column.token_counts],
        "truncated": list(column.truncated),
    }
    if embeddings:
        row["embeddings"] = column.embeddings.tolist()
    return row


def _floor_dict(floor: NoiseFloor | None) -> dict[str, object] | None:
    if floor is None:
        return None
    return {
        "max_abs": floor.max_abs,
        "per_column": dict(floor.per_column),
        "margin": floor.margin,
        "how": floor.how,
    }


def _cell(text: str, escape: bool) -> str:
    return f"'{text}" if escape and text.startswith(_FORMULA_STARTS) else text
