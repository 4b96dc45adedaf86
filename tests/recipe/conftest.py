"""A config over a file of scored pairs and a tiny model."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.training.small import pairs, write_model


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("recipe")
    model = write_model(folder, dropout=0.1)
    data = folder / "pairs.csv"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sentence1", "sentence2", "score"])
        writer.writerows([*row.texts, row.label] for row in pairs(70))
    return {
        "data": {"source": str(data)},
        "model": {"name": str(model)},
        "loss": {"name": "CosineSimilarityLoss"},
        "epochs": 2,
        "batch_size": 16,
        "threads": 1,
        "dropout": False,
        "device": "cpu",
        "evaluation_steps": 3,
    }
