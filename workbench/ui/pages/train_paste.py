"""Pairs that were pasted, as a table with a head."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from workbench.data.column_names import roles_by_name
from workbench.errors import InvalidValueError


def as_csv(pasted: str) -> str:
    """Pasted pairs as CSV with a head: the first line where it names roles, else made from the contents.

    Raises:
        InvalidValueError: ``paste-columns``: a line without two texts, or lines of different lengths.

    Example:
        >>> as_csv("a cat\\ta kitten")
        'anchor,positive\\r\\na cat,a kitten\\r\\n'
    """
    lines = [line for line in pasted.replace("\r\n", "\n").split("\n") if line.strip()]
    tabbed = any("\t" in line for line in lines)
    rows = [line.split("\t") for line in lines] if tabbed else [*csv.reader(io.StringIO("\n".join(lines)))]
    rows = [[cell.strip() for cell in row] for row in rows if row]
    widths = {len(row) for row in rows}
    for number, row in enumerate(rows, start=1):
        if len(row) < 2 or len(row) != len(rows[0]):
            raise InvalidValueError(
                "paste-columns",
                f"{len(row)} column{'' if len(row) == 1 else 's'}",
                expected=f"{len(rows[0])}, as in line 1" if len(widths) > 1 else "two texts or more a line",
                fix="Part them by a tab, or put texts with commas into quotes",
                where=f"line {number}",
            )
    if not all(roles_by_name(cell) for cell in rows[0]):
        rows.insert(0, _head_of(rows))
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _head_of(rows: Sequence[Sequence[str]]) -> list[str]:
    width = len(rows[0])
    if width == 2:
        return ["anchor", "positive"]
    if all(_is_number(row[-1]) for row in rows):
        return (
            ["sentence1", "sentence2", "score"] if width == 3 else [f"column {i + 1}" for i in range(width)]
        )
    return ["anchor", "positive", *(f"negative_{i + 1}" for i in range(width - 2))]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
