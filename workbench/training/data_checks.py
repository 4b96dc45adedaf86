"""What is found out about a loader and its loss before the first step, or at each batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.utils.data import Subset

from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError
from workbench.losses.checks import check_count
from workbench.losses.needs import DataNeeds, nothing_to_learn
from workbench.models.protocols import Features
from workbench.training.collate import Loader
from workbench.training.distributed import world_size
from workbench.training.rows import check_labels, check_rows


def needs_of(loss: nn.Module) -> DataNeeds | None:
    """What a loss states that it needs; None for a loss of the user's own that states nothing."""
    needs = getattr(loss, "needs", None)
    return needs if isinstance(needs, DataNeeds) else None


def batches_in(loader: Loader, where: str) -> int:
    """Batches an epoch of a loader.

    Raises:
        InvalidTypeError: ``loader-without-length``.
        InvalidValueError: ``no-batches``, ``training-set-empty``.
    """
    try:
        batches = len(loader)
    except (TypeError, NotImplementedError) as error:
        raise InvalidTypeError(
            "loader-without-length",
            f"a {type(loader).__name__} that does not know how many batches it has",
            expected="a loader with a length, or steps_per_epoch",
            fix="Give steps_per_epoch=...",
            where=where,
        ) from error
    if batches < 1:
        rows = dataset_rows(loader)
        if rows == 0:
            raise InvalidValueError(
                "training-set-empty", "no rows came", expected="at least one", where=where
            )
        size = getattr(loader, "batch_size", None)
        raise InvalidValueError(
            "no-batches",
            f"the loader gives no batch: {rows if rows is not None else 'its'} rows, batches of {size}",
            expected="at least one batch an epoch",
            fix="Choose a smaller batch_size, or drop_last=False",
            where=where,
        )
    return batches


def dataset_rows(loader: Loader) -> int | None:
    """Rows of the set behind a loader; None where it has no length."""
    dataset = getattr(loader, "dataset", None)
    try:
        return None if dataset is None else len(dataset)
    except (TypeError, NotImplementedError):
        return None


def examples_of(loader: Loader) -> Sequence[InputExample] | None:
    """The whole set, where it is a list of examples, so that looking at it costs and changes nothing."""
    return _examples(getattr(loader, "dataset", None))


def _examples(dataset: Any) -> Sequence[InputExample] | None:
    if isinstance(dataset, Subset):
        whole = _examples(dataset.dataset)
        return None if whole is None else [whole[index] for index in dataset.indices]
    if isinstance(dataset, list | tuple) and all(hasattr(row, "texts") for row in dataset):
        return dataset
    return None


def check_objective(loader: Loader, loss: nn.Module, where: str) -> list[str]:
    """Look at a whole set before step 1.

    Args:
        loader: The objective's.
        loss: The objective's.
        where: Names the objective, for messages.

    Returns:
        Notices.

    Raises:
        WorkbenchError: What `check_rows` refuses, or ``nothing-to-learn``.
    """
    needs, rows = needs_of(loss), examples_of(loader)
    if needs is None or not rows:
        return []
    check_rows(rows, needs, where)
    notices = []
    reason = _nothing_in_set(rows, loader, loss, needs)
    if reason is not None:
        raise InvalidValueError(
            "nothing-to-learn",
            reason,
            expected="rows that differ",
            fix="Choose a larger batch_size or other data; see what the loss needs",
            where=where,
        )
    if len(rows) == 1:
        notices.append(f"{where}: the training set has one row")
    elif len({tuple(row.texts) for row in rows}) == 1:
        notices.append(f"{where}: all {len(rows)} rows have the same texts")
    return notices


def check_tensors(features: Sequence[Features], labels: Tensor | None, needs: DataNeeds, where: str) -> None:
    """Look at what a collate function of the user's made.

    Raises:
        WorkbenchError: Columns or labels that the loss cannot use.
    """
    check_count(len(features), needs, where)
    if labels is not None and labels.ndim:
        check_labels(labels.tolist(), needs, where)


def batch_teaches(
    loss: nn.Module, needs: DataNeeds | None, columns: int, labels: Tensor | None, rows: int
) -> str | None:
    """Why a batch cannot teach anything; None where it can."""
    if needs is None or _gathers(loss):
        # The rows of the other processes count too.
        return None
    if needs.grouped_labels and labels is None:
        return None
    return nothing_to_learn(needs, columns, labels if labels is not None else [], rows)


def _nothing_in_set(
    rows: Sequence[InputExample], loader: Loader, loss: nn.Module, needs: DataNeeds
) -> str | None:
    columns = len(rows[0].texts)
    if needs.in_batch_negatives and not _gathers(loss):
        batch_rows = 1 if getattr(loader, "batch_size", None) == 1 else len(rows)
        if (reason := nothing_to_learn(needs, columns, [], batch_rows)) is not None:
            return reason
    if needs.in_batch_negatives and len({tuple(row.texts) for row in rows}) == 1:
        return f"all {len(rows)} rows have the same texts: every negative is the positive"
    if needs.grouped_labels:
        return nothing_to_learn(needs, columns, [int(np.asarray(row.label)) for row in rows], len(rows))
    return None


def _gathers(loss: nn.Module) -> bool:
    return bool(getattr(loss, "gather_across_devices", False)) and world_size() > 1
