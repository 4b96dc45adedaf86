"""Labelled data from the Hub, through the optional package ``datasets``: tables only, never code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.data.labelled_table import MAX_TABLE_BYTES, LabelledTable, TableSource, keep_rows
from workbench.data.memory_tables import cell_text
from workbench.data.tables import Record, checked_columns
from workbench.errors import (
    DataFileError,
    DataSourceError,
    InvalidTypeError,
    InvalidValueError,
    MissingExtraError,
    WorkbenchError,
)

# What a part of a request may look like. Anything else never reaches the network or a path.
_PATTERNS = {
    "name": (re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII), "owner/name"),
    "config": (re.compile(r"[\w-][\w.-]{0,95}", re.ASCII), "a plain name, such as 'pair-score'"),
    "split": (re.compile(r"\w[\w.-]{0,95}", re.ASCII), "a plain name, such as 'train'; rows by limit"),
    "revision": (re.compile(r"\w[\w.-]{0,95}(/[\w.-]{1,96}){0,3}", re.ASCII), "a branch, tag or commit"),
}
_TABLES = frozenset({".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt", ".arrow"})
_PACKED = frozenset({".gz", ".zst", ".bz2", ".xz"})
# Formats whose decoding can run what the file says.
_NEVER_OPENED = frozenset(
    {".tar", ".pkl", ".pickle", ".pt", ".pth", ".npy", ".npz", ".bin", ".joblib", ".zip"}
)
_TIMEOUT_S = 4.0
# Class of huggingface_hub's or datasets' error → code and what it means.
_HUB_ERRORS = {
    "GatedRepoError": ("dataset-gated", "Its owner asks for consent first"),
    "RepositoryNotFoundError": ("dataset-not-found", "There is no public data set of this name"),
    "RevisionNotFoundError": ("dataset-revision-not-found", "It has no such revision"),
    "DisabledRepoError": ("dataset-disabled", "It was disabled"),
    "OfflineModeIsEnabled": ("hub-offline", "HF_HUB_OFFLINE is set, so the Hub is not asked"),
}


def load_hub_table(
    name: str,
    *,
    config: str | None = None,
    split: str = "train",
    revision: str | None = None,
    limit: int | None = None,
    max_bytes: int = MAX_TABLE_BYTES,
) -> LabelledTable:
    """Read a public data set from the Hub row by row, until ``limit`` or the budget of memory.

    Args:
        name: ``owner/name``.
        config: Its configuration, for a data set that has several.
        split: Its split.
        revision: Branch, tag or commit; the commit it stands for is kept in the table's source.
        limit: Rows to read; None for all.
        max_bytes: Memory that the rows may take.

    Raises:
        MissingExtraError: ``datasets-missing``.
        InvalidValueError: A name that is none, checked before anything is asked.
        DataSourceError: The Hub cannot be reached, or does not give the data set to everybody.
        DataFileError: It consists of code or of files that are no tables, or its rows cannot be read.
    """
    for argument, value in (("name", name), ("config", config), ("split", split), ("revision", revision)):
        if value is not None or argument in ("name", "split"):
            _check_name(argument, value)
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise InvalidValueError(
            "limit-out-of-range", f"{limit!r}", expected="a whole number from 1", where="limit"
        )
    # The package would prefer a folder of this name, with whatever lies in it.
    if Path(name).exists():
        raise InvalidValueError(
            "dataset-name-is-a-folder",
            f"There is a folder {name!r} here",
            expected="the name of a data set on the Hub",
            fix="Read its files with read_table, or start elsewhere",
            where="name",
        )
    try:
        import datasets
        import huggingface_hub
    except ImportError as error:
        raise MissingExtraError(
            "datasets-missing", "The package datasets is not installed", fix="pip install datasets"
        ) from error
    try:
        info = huggingface_hub.HfApi(token=False).dataset_info(name, revision=revision, timeout=_TIMEOUT_S)
    except Exception as error:  # The package documents no base class for what can go wrong on the way.
        raise _not_fetched(name, error) from error
    _check_files(name, [str(one.rfilename) for one in info.siblings or ()])
    try:
        rows = datasets.load_dataset(
            name,
            config,
            split=split,
            revision=info.sha,
            streaming=True,
            token=False,
            download_config=datasets.DownloadConfig(max_retries=0, token=False),
        )
    except Exception as error:  # The same holds for datasets: ValueError, OSError, its own, its loaders'.
        raise _not_fetched(name, error) from error
    table = table_from_dataset(rows.take(limit) if limit else rows, name, max_bytes=max_bytes)
    return replace(table, source=replace(table.source, revision=info.sha))


def _check_name(argument: str, value: object) -> None:
    pattern, expected = _PATTERNS[argument]
    if not isinstance(value, str) or not pattern.fullmatch(value) or ".." in value:
        raise InvalidValueError(
            f"dataset-{argument}-invalid", f"{value!r}"[:80], expected=expected, where=argument
        )


def _check_files(name: str, files: list[str]) -> None:
    """Refuse a data set of code, and one of files whose decoding can run what they say."""
    paths = [PurePosixPath(file) for file in files]
    if any(path.suffix == ".py" and path.stem == name.split("/")[1] for path in paths):
        raise DataFileError(
            "dataset-has-script",
            "It is read by a script of its own",
            expected="a data set of Parquet, CSV or JSON files",
            fix="Look for a converted copy; code from the Hub is never run",
            where=name,
        )
    tables = [
        path
        for path in paths
        if path.suffix in _TABLES or (path.suffix in _PACKED and len(path.suffixes) > 1)
    ]
    refused = [path for path in paths if path.suffix.lower() in _NEVER_OPENED]
    if refused or not tables:
        raise DataFileError(
            "dataset-not-of-tables",
            f"It holds {refused[0].as_posix()[:80]!r}" if refused else "It holds no file with a table",
            expected="only Parquet, CSV, TSV, JSON or text files",
            fix="Choose another data set",
            where=name,
        )


def _not_fetched(name: str, error: Exception) -> DataSourceError:
    known = next(
        (_HUB_ERRORS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _HUB_ERRORS), None
    )
    code, came = known or (
        "dataset-not-fetched",
        f"It could not be read ({type(error).__name__}: {str(error)[:200]})",
    )
    fix = "Check name, configuration, split and network, or read a file of your own"
    return DataSourceError(code, came, fix=fix, where=name)


def table_from_dataset(
    dataset: Any, name: str = "data set", *, max_bytes: int = MAX_TABLE_BYTES
) -> LabelledTable:
    """Read a ``datasets.Dataset`` or ``IterableDataset``; classes by name come as their names.

    Args:
        dataset: One split, not a dict of splits.
        name: For errors.
        max_bytes: Memory that the rows may take.

    Raises:
        InvalidTypeError: Something else came, such as all splits at once.
        DataFileError: A value cannot be read, too much, or no row.
        DataSourceError: The rows of a streamed data set stopped coming.
    """
    if isinstance(dataset, Mapping):
        raise InvalidTypeError(
            "dataset-has-splits",
            f"All splits at once: {', '.join(map(str, list(dataset)[:8]))}",
            expected="one split",
            fix=f"Choose one, such as dataset[{next(iter(dataset), 'train')!r}]",
            where=name,
        )
    if not hasattr(dataset, "column_names") or not hasattr(dataset, "features"):
        raise InvalidTypeError(
            "dataset-of-unknown-type",
            f"A {type(dataset).__name__}",
            expected="a datasets.Dataset or IterableDataset",
            where=name,
        )
    if dataset.features is None:
        # A stream that does not know its columns tells them with its first row.
        dataset = dataset._resolve_features() if hasattr(dataset, "_resolve_features") else dataset
    features = dict(dataset.features or {})
    readable = {column: feature for column, feature in features.items() if _is_readable(feature)}
    notices = [
        f"Left out column {column!r}: it holds {type(feature).__name__}."
        for column, feature in features.items()
        if column not in readable
    ]
    if not readable:
        raise DataFileError(
            "columns-none", "No column holds texts or numbers", expected="at least one", where=name
        )
    columns = checked_columns(readable, name)
    # Chosen before the walk: images and sounds would be decoded on the way.
    chosen = dataset.select_columns(list(readable))
    rows = _rows(chosen, readable, name)
    return keep_rows(rows, columns, TableSource(name), notices=notices, max_bytes=max_bytes)


def _is_readable(feature: Any) -> bool:
    kind = type(feature).__name__
    if kind == "ClassLabel":
        return True
    if kind in ("List", "LargeList", "Sequence"):
        return _value_type(feature.feature).startswith(("int", "uint", "float"))
    numeric = ("int", "uint", "float", "bool", "decimal")
    return _value_type(feature).startswith((*numeric, "string", "large_string"))


def _value_type(feature: Any) -> str:
    return str(feature.dtype) if type(feature).__name__ == "Value" else ""


def _rows(dataset: Iterable[Mapping[str, Any]], features: Mapping[str, Any], name: str) -> Iterator[Record]:
    names = {column: getattr(feature, "names", None) for column, feature in features.items()}
    try:
        for number, row in enumerate(dataset, 1):
            place = f"{name}, row {number}"
            yield number, tuple([_cell(row[column], names[column], column, place) for column in features])
    except (WorkbenchError, GeneratorExit):
        raise
    except Exception as error:  # What a stream can raise is not documented.
        raise _not_fetched(name, error) from error


def _cell(value: Any, names: list[str] | None, column: str, place: str) -> str | None:
    if names is not None and isinstance(value, int):
        # -1 is how test splits hide their classes.
        return names[value] if 0 <= value < len(names) else None
    return cell_text(value, column, place)
