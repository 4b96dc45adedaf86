"""What a user sees of a data file before it is used: columns, roles, scale, scripts, or other encodings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.data.encodings import EncodingCandidate, EncodingRefusedError
from workbench.data.label_scales import Scale
from workbench.data.labelled_files import read_table
from workbench.data.labelled_table import LabelledTable
from workbench.data.labels import read_labels
from workbench.data.roles import Roles, find_roles
from workbench.data.scripts import count_scripts
from workbench.data.table_examples import Duplicates, count_duplicates
from workbench.errors import DataFileError

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class TablePreview:
    """A table at a glance.

    Attributes:
        columns: Names of the columns.
        head: The first rows.
        rows: How many rows there are.
        separator: ``comma``, ``semicolon``, ``tab``, ``bar``; None where there is none.
        encoding: How the bytes were read; None for Parquet.
        roles: The role of each column, with its reason.
        scale: The scale of the scores; None without scores, or where they cannot be read.
        label_problem: Why the scores cannot be read, as a sentence with rows and cure; None without.
        scripts: Script → rows, judged by all texts of the row together.
        duplicates: What occurs more than once.
        notices: What the user should be told.
    """

    columns: tuple[str, ...]
    head: tuple[tuple[str | None, ...], ...]
    rows: int
    separator: str | None
    encoding: str | None
    roles: Roles
    scale: Scale | None
    label_problem: str | None
    scripts: dict[str, int]
    duplicates: Duplicates
    notices: tuple[str, ...]


@dataclass(frozen=True)
class FilePreview:
    """A file at a glance: a table, or the encodings in which it could be read.

    Attributes:
        table: The rows that were read; None where the encoding has to be chosen first.
        preview: The table at a glance; None without a table.
        encodings: Ways to read the file that is not UTF-8, the likeliest first, each with its first lines.
        refusal: Why it was not read; None where it was.
    """

    table: LabelledTable | None
    preview: TablePreview | None
    encodings: tuple[EncodingCandidate, ...] = ()
    refusal: EncodingRefusedError | None = None


def preview_file(
    path: Path,
    original_name: str | None = None,
    *,
    encoding: str | None = None,
    roles: Mapping[str, str | None] | None = None,
) -> FilePreview:
    """Read a file for a first look. Bytes that are not UTF-8 are a result here, not an error.

    Args:
        path: Where the file lies now.
        original_name: The name its owner gave it; that of ``path`` if None.
        encoding: The encoding that the user chose.
        roles: Column → role, as the user chose.

    Raises:
        DataFileError: Anything else that ``read_table`` refuses.
        UnknownNameError: ``roles`` names what there is none of.
    """
    try:
        table = read_table(path, original_name, encoding=encoding)
    except EncodingRefusedError as error:
        return FilePreview(None, None, error.candidates, error)
    return FilePreview(table, preview_table(table, roles))


def preview_table(
    table: LabelledTable, roles: Mapping[str, str | None] | None = None, *, head: int = 20
) -> TablePreview:
    """Look at a table that is in memory.

    Args:
        table: The data.
        roles: Column → role, as the user chose.
        head: Rows to show.

    Raises:
        UnknownNameError: ``roles`` names what there is none of.
    """
    found = find_roles(table, roles)
    scale, problem, told = _look_at_labels(table, found)
    texts = [table.columns.index(column) for column in found.texts]
    whole = (" ".join([row[index] or "" for index in texts]) for row in table.rows)
    return TablePreview(
        columns=table.columns,
        head=table.rows[:head],
        rows=len(table),
        separator=_SEPARATORS.get(table.source.separator or ""),
        encoding=table.source.encoding,
        roles=found,
        scale=scale,
        label_problem=problem,
        scripts=count_scripts(whole) if texts else {},
        duplicates=count_duplicates(table, found.texts),
        notices=(*table.notices, *told),
    )


def _look_at_labels(table: LabelledTable, roles: Roles) -> tuple[Scale | None, str | None, tuple[str, ...]]:
    if roles.label is None:
        return None, None, ()
    kind = "class" if roles.role(roles.label) == "label" else "score"
    values = table.column(roles.label)
    if kind == "score" and all(value is None or value.lstrip().startswith("[") for value in values):
        return None, None, ()
    try:
        labels = read_labels(table, roles.label, kind)
    except DataFileError as error:
        return None, error.message, ()
    return labels.scale, None, labels.notices
