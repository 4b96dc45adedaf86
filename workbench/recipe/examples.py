"""The examples of a run: what is trained on, what the best model is chosen by, and what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.compare.held_out import HeldOut
from workbench.data.input_example import InputExample


@dataclass(frozen=True)
class Examples:
    """The examples of a run.

    Attributes:
        train: What is trained on, texts in the order of the loss's columns.
        dev: What the best model is chosen by; None where there are too few rows.
        test: What the proof is about; trained on and chosen by never.
        roles: Column → role, as they were taken.
        num_labels: Classes among the labels; 0 for other labels.
        classes: Name → number of each class that came by name.
        sha256: Of the file; None for what is no file.
        notices: What the user should be told.
    """

    train: tuple[InputExample, ...]
    dev: HeldOut | None
    test: HeldOut
    roles: Mapping[str, str]
    num_labels: int
    classes: Mapping[str, int]
    sha256: str | None
    notices: tuple[str, ...]
