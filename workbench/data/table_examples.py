"""From a table to input examples: texts in the order of a loss's roles, labels as it expects them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.data.input_example import InputExample
from workbench.data.labelled_table import LabelledTable, empty_rows
from workbench.data.labels import Labels, read_labels
from workbench.data.role_matching import match_columns
from workbench.data.roles import Roles
from workbench.errors import DataFileError, InvalidValueError

# The role of a label → how it is read where the caller does not say.
_KIND_OF_ROLE = {"score": "score", "relevance": "score", "label": "class"}


@dataclass(frozen=True)
class Duplicates:
    """What occurs more than once.

    Attributes:
        rows: Rows whose texts are all those of an earlier row.
        texts: Texts that occur in more than one row.
        same_sides: Rows of which two texts are the same.
    """

    rows: int
    texts: int
    same_sides: int


def to_input_examples(
    table: LabelledTable,
    roles: Roles,
    needs_columns: Sequence[str],
    *,
    labels: Labels | str | None = None,
) -> list[InputExample]:
    """Make the examples for a loss, matched by role.

    Args:
        table: The data.
        roles: The roles of its columns, as ``find_roles`` finds them.
        needs_columns: ``needs.columns`` of the loss, such as ``("anchor", "positive", "negative*")``.
        labels: What ``read_labels`` gave; or a kind of labels (``needs.labels``), read without further
            arguments; None for the kind that the label's role suggests, and for no labels without one.

    Returns:
        One example a row, with the row's number as guid; label 0 where there are none.

    Raises:
        InvalidValueError: Columns are missing, or labels are wanted and no column holds them.
        DataFileError: A text is empty, or a label cannot be read; the rows are named.
    """
    match = match_columns(roles, needs_columns)
    for column in match.columns:
        if empty := empty_rows(table, column):
            raise DataFileError(
                "text-empty",
                f"{len(empty):,} of {len(table):,} rows have no visible character: {table.places(empty)}",
                expected="a text in every row",
                fix="Fill them in, or leave these rows out with drop_empty_rows",
                where=f"{table.source.name}, column {column!r}",
            )
    values = _label_values(table, roles, labels)
    indexes = [table.columns.index(column) for column in match.columns]
    return [
        InputExample(guid=str(number), texts=[row[index] or "" for index in indexes], label=value)
        for number, row, value in zip(table.numbers, table.rows, values, strict=True)
    ]


def _label_values(table: LabelledTable, roles: Roles, labels: Labels | str | None) -> Sequence[object]:
    if isinstance(labels, Labels):
        if len(labels.values) != len(table):
            raise InvalidValueError(
                "labels-of-another-table",
                f"{len(labels.values):,} labels for {len(table):,} rows",
                expected="one label a row",
                fix="Read the labels from the table that is given",
                where="labels",
            )
        return labels.values
    if labels == "none" or (labels is None and roles.label is None):
        return [0] * len(table)
    if roles.label is None:
        raise InvalidValueError(
            "labels-missing",
            f"No column holds labels; the loss takes {labels}",
            expected="a column of labels",
            fix=f"Name it, such as roles={{{table.columns[-1]!r}: 'label'}}, or take a loss without labels",
            where=table.source.name,
        )
    kind = labels or _KIND_OF_ROLE[roles.role(roles.label) or "label"]
    return read_labels(table, roles.label, kind).values


def count_duplicates(table: LabelledTable, columns: Sequence[str]) -> Duplicates:
    """Count what occurs more than once: in-batch negatives of a loss would be positives there.

    Args:
        table: The data.
        columns: The columns of texts.
    """
    indexes = [table.columns.index(column) for column in columns]
    texts: Counter[str] = Counter()
    rows: Counter[tuple[str | None, ...]] = Counter()
    same_sides = 0
    for row in table.rows:
        picked = tuple(row[index] for index in indexes)
        rows[picked] += 1
        different = set(picked)
        same_sides += len(different) < len(picked)
        texts.update(text for text in different if text is not None)
    return Duplicates(
        rows=len(table) - len(rows),
        texts=sum(count > 1 for count in texts.values()),
        same_sides=same_sides,
    )
