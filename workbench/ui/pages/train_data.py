"""The data of a run on the Train page: where its rows come from, and what is seen of them beforehand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data.encodings import ENCODINGS, EncodingCandidate
from workbench.data.labelled_table import LabelledTable
from workbench.data.table_preview import TablePreview, preview_file, preview_table
from workbench.errors import InvalidValueError, UnknownNameError, WorkbenchError
from workbench.ui.pages.train_paste import as_csv

if TYPE_CHECKING:
    from workbench.losses.needs import DataNeeds
    from workbench.recipe.config import TrainingConfig

BUNDLED_DATA = "support-desk"
# Asked first whatever the data: what most people train with.
COMMON_LOSSES = ("MultipleNegativesRankingLoss", "CoSENTLoss", "CosineSimilarityLoss")
_HEAD = 6
_FIT_ROWS = 2000
_HUB_ROWS = 2000
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class DataWish:
    """Where the rows come from, as the form says it; each field is of the named source alone."""

    source: str
    view: str = "answers"
    language: str = "en"
    pasted: str = ""
    path: Path | None = None
    hub_name: str = ""
    subset: str | None = None
    split: str = "train"
    encoding: str | None = None
    rescale: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    held_out_share: float = 0.2


@dataclass(frozen=True)
class Batch:
    """One batch as the loss will see it.

    Attributes:
        roles: Of the text columns, in the loss's order.
        rows: Texts of each row.
        labels: One a row; None where the loss takes none.
        in_batch: Whether the other rows serve as negatives.
        train, dev, test: How many examples each part holds; 0 without a dev part.
    """

    roles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...] | None
    in_batch: bool
    train: int
    dev: int
    test: int
    test_shape: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """What the page shows of the data before a run.

    Attributes:
        columns: Names, roles and reasons; role None is left out.
        preview: Of a table; None of the bundled set, or where an encoding has to be chosen first.
        encodings: Ways to read a file that is not UTF-8.
        refusal: Why it was not read.
        head: The first rows.
        fits: Loss → why it does not fit; empty where it does.
        batch: The first batch; None where the loss does not fit.
        batch_error: Why there is none.
    """

    columns: tuple[tuple[str, str | None, str], ...] = ()
    preview: TablePreview | None = None
    encodings: tuple[EncodingCandidate, ...] = ()
    refusal: WorkbenchError | None = None
    head: tuple[tuple[str | None, ...], ...] = ()
    fits: Mapping[str, str] = field(default_factory=dict)
    batch: Batch | None = None
    batch_error: WorkbenchError | None = None


def data_values(wish: DataWish) -> dict[str, Any]:
    """The ``data`` of a config.

    Raises:
        InvalidValueError: ``no-file``, ``nothing-pasted``, ``hub-name-missing``.
    """
    common = {
        "roles": dict(wish.roles),
        "rescale": wish.rescale,
        "held_out_share": wish.held_out_share,
    }
    if wish.source == BUNDLED_DATA:
        return {"source": BUNDLED_DATA, "view": wish.view, "language": wish.language}
    if wish.source == "hub":
        if not wish.hub_name:
            raise InvalidValueError(
                "hub-name-missing", "no name", expected="owner/name of a data set", where="data"
            )
        return {"source": f"hub:{wish.hub_name}", "subset": wish.subset, "split": wish.split, **common}
    if wish.source == "paste":
        if not wish.pasted.strip():
            raise InvalidValueError(
                "nothing-pasted", "no line", expected="a pair a line, parted by a tab or commas", where="data"
            )
        return {"source": f"input:{_PASTED}", **common}
    if wish.path is None:
        raise InvalidValueError(
            "no-file", "no file", expected="CSV, TSV, JSONL or Parquet", fix="Choose one", where="data"
        )
    return {"source": f"input:{_file_name(wish.path)}", "encoding": wish.encoding, **common}


_PASTED = "pasted.csv"


@contextmanager
def inputs_of(wish: DataWish) -> Iterator[dict[str, Path]]:
    """The files that have to go with the run, by the name that its config gives them."""
    if wish.source == "file" and wish.path is not None:
        yield {_file_name(wish.path): wish.path}
    elif wish.source == "paste":
        with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
            path = Path(folder) / _PASTED
            path.write_text(as_csv(wish.pasted), encoding="utf-8", newline="")
            yield {_PASTED: path}
    else:
        yield {}


@contextmanager
def with_files(config: TrainingConfig, wish: DataWish) -> Iterator[TrainingConfig]:
    """The config with the path of the visitor's file, for what is done in this process."""
    with inputs_of(wish) as inputs:
        path = next(iter(inputs.values()), None)
        if path is None:
            yield config
        else:
            yield config.model_copy(update={"data": config.data.model_copy(update={"source": str(path)})})


def _file_name(path: Path) -> str:
    suffix = path.suffix.lower()
    return f"data{suffix if suffix in _SUFFIXES else '.csv'}"


def look_at(wish: DataWish, config: TrainingConfig) -> Look:
    """Look at the data and at the first batch of the config's loss.

    Args:
        wish: Where the rows come from.
        config: Of the run; its ``data.source`` is not read.

    Raises:
        WorkbenchError: The data cannot be read at all.
    """
    with inputs_of(wish) as inputs:
        if wish.source == BUNDLED_DATA:
            return _with_batch(_desk_look(wish), config, None)
        if wish.source == "hub":
            table = _hub_table(wish)
            return _with_batch(_table_look(table, preview_table(table, wish.roles, head=_HEAD)), config, None)
        path = next(iter(inputs.values()))
        found = preview_file(path, encoding=wish.encoding, roles=wish.roles)
        if found.table is None or found.preview is None:
            return Look(encodings=found.encodings, refusal=found.refusal)
        return _with_batch(_table_look(found.table, found.preview), config, path)


def encoding_choices(look: Look) -> list[tuple[str, str]]:
    """Title and value of each encoding, the likely ones of this file first."""
    likely = [(one.title, one.encoding) for one in look.encodings]
    return [*likely, *((title, key) for key, title in ENCODINGS.items() if key not in dict(likely).values())]


def _desk_look(wish: DataWish) -> Look:
    from workbench.recipe.config import DataConfig
    from workbench.recipe.desk_examples import DESK_ROLES, desk_examples

    roles = DESK_ROLES[wish.view]
    data = DataConfig(view=wish.view, language=wish.language)  # type: ignore[arg-type] # checked by the form
    fits = {}
    for name, needs in _needs().items():
        try:
            desk_examples(data, needs)
        except WorkbenchError as error:
            fits[name] = error.expected or error.message
        else:
            fits[name] = ""
    return Look(columns=tuple((column, role, "") for column, role in roles.items()), fits=fits)


def _hub_table(wish: DataWish) -> LabelledTable:
    from workbench.data.hub_table import load_hub_table

    return load_hub_table(wish.hub_name, config=wish.subset, split=wish.split, limit=_HUB_ROWS)


def _table_look(table: LabelledTable, preview: TablePreview) -> Look:
    part = replace(table, rows=table.rows[:_FIT_ROWS], numbers=table.numbers[:_FIT_ROWS])
    return Look(
        columns=tuple((one.column, one.role, one.reason) for one in preview.roles.columns),
        preview=preview,
        head=preview.head[:_HEAD],
        fits={name: _misfit(part, preview, needs) for name, needs in _needs().items()},
    )


def _misfit(table: LabelledTable, preview: TablePreview, needs: DataNeeds) -> str:
    """Why a loss does not fit a table; empty where it does."""
    from workbench.data.labels import read_labels
    from workbench.data.role_matching import match_columns

    try:
        match_columns(preview.roles, needs.columns)
        if needs.labels != "none":
            if preview.roles.label is None:
                return f"labels: {needs.labels}"
            read_labels(table, preview.roles.label, needs.labels)
    except WorkbenchError as error:
        return error.came
    return ""


def _needs() -> dict[str, DataNeeds]:
    from workbench.losses import LOSSES
    from workbench.losses.needs import DataNeeds

    found = {name: getattr(kind, "needs", None) for name, kind in LOSSES.items()}
    return {name: needs for name, needs in found.items() if isinstance(needs, DataNeeds)}


def _with_batch(look: Look, config: TrainingConfig, path: Path | None) -> Look:
    try:
        return replace(look, **_batch(look, config, path))
    except WorkbenchError as error:
        return replace(look, batch_error=error)


def _batch(look: Look, config: TrainingConfig, path: Path | None) -> dict[str, Any]:
    from workbench.recipe.build_loader import index_batches
    from workbench.recipe.prepare import loss_needs
    from workbench.recipe.read_examples import load_examples

    data = config.data
    if path is not None:
        data = data.model_copy(update={"source": str(path)})
    if data.source.startswith("hub:") and look.preview is not None and look.preview.rows >= _HUB_ROWS:
        # Only its first rows were fetched: the run reads the rest.
        raise InvalidValueError("batch-later", "the run draws its batches from all rows", where="data")
    needs = loss_needs(config.loss)
    examples = load_examples(data, needs, config.seed)
    if not examples.train:
        raise UnknownNameError("no-training-rows", "no row", expected="rows to train on")
    rows = index_batches(examples.train, needs, config.batch_size, config.seed, 1)[0]
    batch = [examples.train[row] for row in rows]
    roles = tuple(dict.fromkeys(examples.roles.values()))
    texts = tuple(role for role in roles if role not in ("score", "label", "relevance"))
    width = len(batch[0].texts)
    head = tuple(examples.train[row] for row in range(min(_HEAD, len(examples.train))))
    labelled = needs.labels != "none"
    found: dict[str, Any] = {
        "batch": Batch(
            roles=tuple(texts[i] if i < len(texts) else f"text {i + 1}" for i in range(width)),
            rows=tuple(tuple(one.texts) for one in batch),
            labels=tuple(_label(one.label) for one in batch) if labelled else None,
            in_batch=needs.in_batch_negatives,
            train=len(examples.train),
            dev=examples.dev.items if examples.dev else 0,
            test=examples.test.items,
            test_shape=examples.test.shape,
            notices=examples.notices,
        )
    }
    if not look.head:
        found["head"] = tuple((*one.texts, *([_label(one.label)] if labelled else [])) for one in head)
    return found


def _label(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
