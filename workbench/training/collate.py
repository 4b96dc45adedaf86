"""From the batches of a DataLoader to the features and labels that a loss is called with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, default_collate

from workbench.data.input_example import InputExample
from workbench.data.texts import check_texts
from workbench.errors import InvalidTypeError, InvalidValueError, ShapeMismatchError
from workbench.models.protocols import Features, InputModule
from workbench.training.rows import check_alike

Batch = tuple[list[Features], Tensor | None]


class Loader(Protocol):
    """What training needs of a loader: batches in an order, an epoch anew at each ``iter``."""

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...


def smart_batching_collate(module: InputModule, batch: Sequence[InputExample]) -> Batch:
    """Tokenise a batch, each text once, and pad every column to its own longest text.

    Args:
        module: The model's first module.
        batch: Rows with the same number of texts.

    Returns:
        Features a column, and the labels: int64 for whole numbers, float32 for others, one row of numbers
        where a label is a list or an array; None where every label is None.

    Raises:
        ShapeMismatchError: ``texts-differ``: rows with different numbers of texts, or labels of different
            lengths.
        InvalidTypeError: A row that is no ``InputExample``, or a label that is no number.
        InvalidValueError: No rows.

    Source: sentence-transformers' method of this name.
    """
    check_alike(batch)
    columns = [check_texts(column).texts for column in zip(*(row.texts for row in batch), strict=True)]
    unique = list(dict.fromkeys(text for column in columns for text in column))
    tokenized = dict(zip(unique, module.tokenize_texts(unique), strict=True))
    features: list[Features] = [
        dict(module.collate([tokenized[text] for text in column])) for column in columns
    ]
    return features, label_tensor([row.label for row in batch])


def label_tensor(labels: Sequence[Any]) -> Tensor | None:
    """Labels of a batch as a tensor. Shape ``(batch,)``, or ``(batch, n)`` for lists of numbers.

    Raises:
        InvalidValueError: ``label-missing``: some are None and some are not.
        InvalidTypeError: ``label-not-a-number``.
        ShapeMismatchError: ``labels-differ``: lists of different lengths.
    """
    missing = [row for row, label in enumerate(labels) if label is None]
    if len(missing) == len(labels):
        return None
    if missing:
        raise InvalidValueError(
            "label-missing",
            f"{len(missing)} of {len(labels)} labels are None, the first in row {missing[0]} of the batch",
            expected="a label in every row, or in none",
        )
    if any(isinstance(label, str | bytes) for label in labels):
        raise InvalidTypeError(
            "label-not-a-number",
            "a label is a text",
            expected="a number, or a list of numbers",
            fix="Number the classes from 0, or read scores with float(...)",
        )
    try:
        if isinstance(labels[0], Tensor):
            tensor = torch.stack([torch.as_tensor(label) for label in labels]).cpu()
        else:
            tensor = torch.as_tensor(np.stack([np.asarray(label) for label in labels]))
    except (TypeError, ValueError, RuntimeError) as error:
        shapes = {np.shape(label) for label in labels}
        if len(shapes) > 1:
            raise ShapeMismatchError(
                "labels-differ", f"labels of shapes {sorted(shapes)}", expected="one shape in all rows"
            ) from error
        raise InvalidTypeError(
            "label-not-a-number",
            f"a label is a {type(labels[0]).__name__}",
            expected="a number, or a list of numbers",
        ) from error
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def rows_of(item: object) -> list[InputExample] | None:
    """The examples that a loader gave, where it gave examples; None where the user's collate made tensors."""
    if isinstance(item, list | tuple) and item and all(_is_example(row) for row in item):
        return list(item)
    return None


def read_batch(item: object, where: str) -> Batch:
    """What a collate function of the user's made.

    Raises:
        InvalidTypeError: ``batch-not-understood``.
    """
    if isinstance(item, list | tuple) and len(item) == 2:
        features, labels = item
        if isinstance(features, dict):
            features = [features]
        if (
            isinstance(features, list | tuple)
            and features
            and all(isinstance(column, dict) for column in features)
            and (labels is None or isinstance(labels, Tensor))
        ):
            return [dict(column) for column in features], labels
    raise InvalidTypeError(
        "batch-not-understood",
        f"a batch is a {type(item).__name__}",
        expected="a list of InputExample, or (features of each column, labels) as a collate function makes",
        fix="Leave collate_fn as it is, or return model.smart_batching_collate(batch) from it",
        where=where,
    )


@contextmanager
def plain_batches(loader: Loader) -> Iterator[None]:
    """While an iterator is made, let a loader without a collate function of the user's give lists of rows.

    torch's default would try to stack examples. The attribute is the user's again afterwards: the
    iterator keeps what it found. Tokenising then happens here and not in worker processes, which need no
    copy of the model.
    """
    if not (isinstance(loader, DataLoader) and loader.collate_fn is default_collate):
        yield
        return
    loader.collate_fn = as_list
    try:
        yield
    finally:
        loader.collate_fn = default_collate


def as_list(rows: list[Any]) -> list[Any]:
    """A batch as it comes; a function of a module, so that worker processes can be given it."""
    return rows


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move features and labels; what is no tensor stays as it is."""
    features, labels = batch
    moved = [
        {name: value.to(device) if isinstance(value, Tensor) else value for name, value in column.items()}
        for column in features
    ]
    return moved, None if labels is None else labels.to(device)


def count_tokens(features: Sequence[Features]) -> int:
    """Real tokens of a batch, all columns."""
    total = 0
    for column in features:
        counted = column.get("attention_mask", column.get("input_ids"))
        if isinstance(counted, Tensor):
            total += int(counted.sum()) if "attention_mask" in column else counted.numel()
    return total


def _is_example(row: object) -> bool:
    # Upstream's InputExample and others of the same shape serve as well.
    return isinstance(row, InputExample) or (hasattr(row, "texts") and hasattr(row, "label"))
