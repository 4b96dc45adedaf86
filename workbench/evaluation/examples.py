"""Reading the examples that are handed to an evaluator: a list of them, or a DataLoader over one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler, SequentialSampler

from workbench.data.input_example import InputExample
from workbench.errors import InvalidTypeError, InvalidValueError


def read_examples(
    examples: Iterable[InputExample] | DataLoader[Any], texts: int | None = None
) -> list[InputExample]:
    """The examples, each with so many texts.

    Of a DataLoader the examples of its data set are taken, not its batches: those may already be tensors.
    Its sampler chooses them; a plain shuffle is left out, so that the order, the figures and the random
    state do not depend on it, and ``drop_last`` drops nothing.

    Args:
        examples: A list, or a DataLoader whose data set gives examples.
        texts: Texts of an example: 2 for pairs, 3 for triplets; by default as many as the first has.

    Raises:
        InvalidTypeError: No examples came.
        InvalidValueError: An example with another number of texts, or none at all.

    Source: the classic ``from_input_examples``, to which upstream allows a list only.
    """
    if isinstance(examples, str | bytes | dict) or not isinstance(examples, Iterable):
        raise InvalidTypeError(
            "examples-not-a-list",
            f"a {type(examples).__name__} came",
            expected="a list of InputExample, or a DataLoader over one",
        )
    found = list(_of_loader(examples) if isinstance(examples, DataLoader) else examples)
    if not found:
        raise InvalidValueError("too-few-examples", "no example came", expected="at least one")
    for row, example in enumerate(found):
        _check(example, row, len(found[0].texts) if texts is None and row else texts)
    return found


def _of_loader(loader: DataLoader[Any]) -> Iterator[InputExample]:
    data: Any = loader.dataset
    if isinstance(data, IterableDataset):
        return iter(data)
    batches: Any = loader.batch_sampler
    if batches is not None and type(batches) is not BatchSampler:
        return (data[row] for row in chain.from_iterable(batches))
    # Where the user gave the batches, the loader names another sampler beside theirs.
    sampler: Any = loader.sampler if batches is None else batches.sampler
    if type(sampler) in (SequentialSampler, RandomSampler) and len(sampler) == len(data):
        return (data[row] for row in range(len(data)))
    return (data[row] for row in sampler)


def _check(example: Any, row: int, texts: int | None) -> None:
    if not hasattr(example, "texts") or not hasattr(example, "label"):
        raise InvalidTypeError(
            "not-an-example",
            f"a {type(example).__name__} came",
            expected="InputExample(texts=[...], label=...)",
            fix="Hand over the list of examples, or a DataLoader over it",
            where=f"example {row}",
        )
    if texts is not None and len(example.texts) != texts:
        raise InvalidValueError(
            "example-texts-count",
            f"{len(example.texts)} texts",
            expected=f"{texts}",
            fix="Pairs go to EmbeddingSimilarity or BinaryClassification, triplets to Triplet",
            where=f"example {row}",
        )
