"""Resumed trainings over loaders that draw at odd times end with the tensors of one that was not stopped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

from tests.training.small import cosine, loader_of, pairs
from tests.training.test_resume import Setting, assert_equal, stop_after, train
from workbench.data.input_example import InputExample


class Noisy(Dataset[InputExample]):
    """Pairs whose words are dropped and whose labels are shaken, anew at every reading."""

    def __init__(self) -> None:
        self.rows = pairs(13)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> InputExample:
        row = self.rows[index]
        words = [word for word in row.texts[0].split() if random.random() > 0.2] or ["nothing"]
        label = 0.9 * row.label + 0.1 * float(torch.rand(1)) * np.random.rand()
        return InputExample(texts=[" ".join(words), row.texts[1]], label=label)


def drawing(model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> float:
    """An evaluator that draws and seeds as it likes."""
    random.seed(epoch)
    np.random.seed(steps + 1)
    return float(torch.rand(3).sum()) + float(model.encode(["the lazy dog"])[0, 0])


EVALUATED = {"evaluator": drawing, "evaluation_steps": 2}
SETTINGS = {
    "noise beside dropout": Setting(
        lambda model: [(DataLoader(Noisy(), 3, shuffle=True), cosine(model))],
        {"epochs": 3, "gradient_accumulation_steps": 2, **EVALUATED},
    ),
    "two worker processes": Setting(
        lambda model: [(DataLoader(Noisy(), 3, shuffle=True, num_workers=2), cosine(model))],
        {"epochs": 2, **EVALUATED},
    ),
    "two objectives, one generator": Setting(
        lambda model: _sharing(model),
        {"epochs": 2, "steps_per_epoch": 5, **EVALUATED},
    ),
}


def _sharing(model: Any) -> list[tuple[Any, Any]]:
    own = torch.Generator().manual_seed(6)
    rows = pairs(7, 3)
    second = RandomSampler(rows, replacement=True, num_samples=50, generator=own)
    return [
        (DataLoader(Noisy(), 4, shuffle=True, generator=own), cosine(model)),
        (loader_of(rows, 2, sampler=second), cosine(model)),
    ]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    "stop", [3, *(pytest.param(n, marks=pytest.mark.full) for n in (1, 2, 4, 5, 6, 7, 8))]
)
def test_resumed_is_uninterrupted(dropping: Path, tmp_path: Path, name: str, stop: int) -> None:
    whole = train(dropping, SETTINGS[name], tmp_path / "whole")
    train(dropping, SETTINGS[name], tmp_path / "parts", stop=stop_after(stop))
    torch.rand(7)
    rest = train(dropping, SETTINGS[name], tmp_path / "parts", resume_from_checkpoint=True)
    assert (rest.status, rest.resumed_from) == ("complete", stop)
    assert rest.losses == whole.losses
    assert_equal(whole.checkpoint, rest.checkpoint)
