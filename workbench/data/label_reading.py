"""What the readers of labels share: the column at hand, its numbers, and refusals that name the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.data.column_contents import NUMBER
from workbench.data.labelled_table import NAMED_ROWS, LabelledTable
from workbench.errors import DataFileError

NOT_FINITE = frozenset(
    sign + word
    for sign in ("", "+", "-")
    for word in ("nan", "inf", "infinity", "∞", "#n/a", "#num!", "#div/0!")
)


@dataclass(frozen=True)
class Reading:
    """How the labels are to be read, and the table they stand in, for errors."""

    table: LabelledTable
    column: str
    decimal: str
    rescale: str | tuple[float, float] | None
    classes: Mapping[str, int] | None


def read_numbers(reading: Reading, values: list[str]) -> tuple[list[float], bool]:
    """All labels as numbers, and whether they carried percent signs."""
    plain = [value.strip() for value in values]
    refuse_rows(
        reading,
        [index for index, value in enumerate(plain) if value.lower() in NOT_FINITE],
        "label-not-finite",
        "are not finite",
        expected="finite numbers",
        fix="Fill in the score or leave these rows out",
    )
    matches = [NUMBER.fullmatch(value) for value in plain]
    other = "." if reading.decimal == "," else ","
    bad = [index for index, match in enumerate(matches) if match is None or other in match[1]]
    swapped = bool(bad) and all(
        (match := matches[index]) is not None and reading.decimal not in match[1] for index in bad
    )
    refuse_rows(
        reading,
        bad,
        "label-not-a-number",
        "are no numbers",
        expected="numbers such as 0.5" if reading.decimal == "." else "numbers such as 0,5",
        fix=f'Read them with decimal="{other}"' if swapped else "Correct these rows or leave them out",
    )
    signs = [bool(match and match[2]) for match in matches]
    if any(signs) and not all(signs):
        few = sum(signs) * 2 <= len(signs)
        refuse_rows(
            reading,
            [index for index, sign in enumerate(signs) if sign is few],
            "label-percent-mixed",
            "have a percent sign and others have none" if few else "have no percent sign and others have one",
            expected="percent signs on all or none",
            fix="Write all scores alike",
        )
    numbers = [float(match[1].replace(",", ".")) for match in matches if match]
    refuse_rows(
        reading,
        [index for index, number in enumerate(numbers) if not math.isfinite(number)],
        "label-not-finite",
        "are not finite",
        expected="finite numbers",
        fix="Correct these rows or leave them out",
    )
    return numbers, all(signs)


def refuse_rows(
    reading: Reading, bad: list[int], code: str, problem: str, *, expected: str, fix: str
) -> None:
    """Raise for the rows listed, if any: how many, and the first five with what they hold."""
    if not bad:
        return
    table = reading.table
    values = table.column(reading.column)
    shown = [f"{table.place(index)}: {(values[index] or '')[:30]!r}" for index in bad[:NAMED_ROWS]]
    more = f" and {len(bad) - NAMED_ROWS:,} more" if len(bad) > NAMED_ROWS else ""
    raise DataFileError(
        code,
        f"{len(bad):,} of {len(values):,} labels {problem} ({', '.join(shown)}{more})",
        expected=expected,
        fix=fix,
        where=f"{table.source.name}, column {reading.column!r}",
    )
