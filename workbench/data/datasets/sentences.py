"""A list of examples as a data set; the list itself does as well."""

from __future__ import annotations

from collections.abc import Sequence

from torch.utils.data import Dataset

from workbench.data.input_example import InputExample


class SentencesDataset(Dataset[InputExample]):
    """The examples as they are.

    Args:
        examples: The examples.
        model: Not looked at; old code hands it over.

    Source: sentence-transformers' class of this name.
    """

    def __init__(self, examples: Sequence[InputExample], model: object = None) -> None:
        self.examples = examples

    def __getitem__(self, item: int) -> InputExample:
        return self.examples[item]

    def __len__(self) -> int:
        return len(self.examples)
