"""Reading the examples of a run: the bundled desk, a file or the Hub, split into train, dev and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workbench.compare.held_out import HeldOut
from workbench.data.hub_table import load_hub_table
from workbench.data.labelled_files import read_table
from workbench.data.labelled_table import LabelledTable
from workbench.data.labels import Labels, read_labels
from workbench.data.role_matching import match_columns
from workbench.data.roles import Roles, find_roles
from workbench.data.splits import split_by_group
from workbench.data.table_examples import count_duplicates, to_input_examples
from workbench.losses.needs import DataNeeds
from workbench.recipe.config import DataConfig
from workbench.recipe.desk_examples import desk_examples, desk_held_out
from workbench.recipe.examples import Examples
from workbench.recipe.held_out_shapes import held_out_of

BUNDLED_DATA = "support-desk"
_HUB = "hub:"
MAX_ROWS = 1_000_000
# Below this many rows a third part would hold too few examples to choose a model by.
_ROWS_FOR_DEV = 60


def load_examples(config: DataConfig, needs: DataNeeds, seed: int) -> Examples:
    """Read the examples for a loss.

    Args:
        config: Where from, and what the columns mean.
        needs: What the loss asks of them.
        seed: Decides the split of a file.

    Raises:
        DataFileError: The file, its texts or its labels.
        DataSourceError: The Hub.
        InvalidValueError: Roles or labels that do not fit the loss, or too little to split.
    """
    if config.source == BUNDLED_DATA:
        return desk_examples(config, needs)
    table = load_table(config)
    roles = find_roles(table, dict(config.roles))
    taken = match_columns(roles, needs.columns)
    labels = _labels(table, roles, needs, config.rescale)
    examples = to_input_examples(table, roles, needs.columns, labels=labels if labels else "none")
    shares = _shares(len(table), config)
    parts = _split(table, roles, shares, seed)
    judged, where = (table, parts["test"]) if config.held_out is None else (_held_out_table(config), None)
    told = list(table.notices)
    if "dev" not in parts:
        told.append(
            f"{len(table)} rows are too few to keep some back for choosing the best model: "
            "the last one is taken."
        )
    return Examples(
        train=tuple(examples[row] for row in parts["train"]),
        dev=held_out_of(table, roles, parts["dev"], config.rescale) if "dev" in parts else None,
        test=held_out_of(judged, _roles_of(judged, config), where, config.rescale),
        roles=dict(zip(taken.columns, taken.roles, strict=True)),
        num_labels=max(labels.values) + 1 if labels and labels.kind == "class" else 0,
        classes=dict((labels.classes if labels else None) or {}),
        sha256=table.source.sha256,
        notices=(
            *told,
            *taken.notices,
            *(labels.notices if labels else ()),
            *_duplicates(table, roles, needs),
        ),
    )


def load_held_out(config: DataConfig) -> HeldOut:
    """All rows of a source as data to judge by; of the bundled desk its test part.

    Raises:
        DataFileError, DataSourceError: See ``load_table``.
        InvalidValueError: ``held-out-shape``.
    """
    if config.source == BUNDLED_DATA:
        return desk_held_out(config, "test")
    table = load_table(config)
    return held_out_of(table, find_roles(table, dict(config.roles)), None, config.rescale)


def load_table(config: DataConfig) -> LabelledTable:
    """Read the rows of a file or a Hub data set.

    Raises:
        DataFileError, DataSourceError: See ``read_table`` and ``load_hub_table``.
    """
    if config.source.startswith(_HUB):
        return load_hub_table(
            config.source.removeprefix(_HUB), config=config.subset, split=config.split, limit=MAX_ROWS
        )
    # Links are followed here: it is the user's own machine and path.
    path = Path(config.source)
    return read_table(path.resolve(), path.name, encoding=config.encoding, limit=MAX_ROWS)


def _labels(table: LabelledTable, roles: Roles, needs: DataNeeds, rescale: str | None) -> Labels | None:
    if needs.labels == "none" or roles.label is None:
        return None
    return read_labels(
        table,
        roles.label,
        needs.labels,
        label_range=needs.label_range,
        rescale=rescale if needs.labels == "score" else None,
    )


def _shares(rows: int, config: DataConfig) -> dict[str, float]:
    """Name of a part → its share. Of what is held back one third chooses the model, two judge it."""
    back = config.held_out_share
    enough = rows >= _ROWS_FOR_DEV
    if config.held_out is not None:
        return {"train": 1 - back / 2, "dev": back / 2} if enough else {"train": 1.0}
    if enough:
        return {"train": 1 - back, "dev": back / 3, "test": back * 2 / 3}
    return {"train": 1 - back, "test": back}


def _split(
    table: LabelledTable, roles: Roles, shares: Mapping[str, float], seed: int
) -> Mapping[str, Sequence[int]]:
    if len(shares) == 1:
        return {"train": range(len(table))}
    places = [table.columns.index(column) for column in roles.texts]
    texts = [tuple(row[place] or "" for place in places) for row in table.rows]
    by_label = roles.label is not None and roles.role(roles.label) == "label"
    # Labels that occur once cannot stand in every part.
    labels = list(table.column(roles.label)) if by_label and roles.label else None
    return split_by_group(texts, shares, labels=labels, seed=seed).rows


def _held_out_table(config: DataConfig) -> LabelledTable:
    return load_table(config.model_copy(update={"source": config.held_out}))


def _roles_of(table: LabelledTable, config: DataConfig) -> Roles:
    """The roles of the held-out table: as the user chose, for the columns that it has too."""
    return find_roles(table, {name: role for name, role in config.roles.items() if name in table.columns})


def _duplicates(table: LabelledTable, roles: Roles, needs: DataNeeds) -> tuple[str, ...]:
    found = count_duplicates(table, roles.texts)
    told = []
    if found.rows:
        told.append(f"{found.rows:,} rows repeat the texts of an earlier one.")
    if needs.in_batch_negatives and found.texts:
        told.append(
            f"{found.texts:,} texts stand in several rows: no batch holds one twice, "
            "where it would be a false negative."
        )
    return tuple(told)
