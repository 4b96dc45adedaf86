"""A tiny model, its data and its losses for the tests of training, and the same for upstream."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from tests.models.tiny import CORPUS, write_upstream
from workbench import losses
from workbench.data.input_example import InputExample
from workbench.sentence_transformer import SentenceTransformer

WORDS = " ".join(CORPUS).split()
SIZE = 32


def write_model(folder: Path, dropout: float = 0.0) -> Path:
    """A BERT of two layers in upstream's folder format."""
    path = write_upstream(folder, "bert")
    config = path / "config.json"
    text = config.read_text(encoding="utf-8")
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        text = text.replace(f'"{name}": 0.1', f'"{name}": {dropout}')
    config.write_text(text, encoding="utf-8")
    return path


def model_of(folder: Path) -> SentenceTransformer:
    """A fresh copy of the model in a folder."""
    return SentenceTransformer(str(folder), device="cpu")


def texts(count: int, seed: int = 0, words: int = 6) -> list[str]:
    """Different texts of 1 to ``words`` words."""
    source = random.Random(seed)
    return [f"{' '.join(source.choices(WORDS, k=source.randint(1, words)))} {n}" for n in range(count)]


def pairs(count: int, seed: int = 0) -> list[InputExample]:
    """Scored pairs, eighths from 0 to 1."""
    source = random.Random(seed)
    lefts, rights = texts(count, seed), texts(count, seed + 100)
    return [
        InputExample(texts=[left, right], label=source.randint(0, 8) / 8)
        for left, right in zip(lefts, rights, strict=True)
    ]


def loader_of(rows: Sequence[InputExample], batch_size: int = 4, **arguments: Any) -> Any:
    """A DataLoader over a list of examples."""
    return DataLoader(list(rows), batch_size=batch_size, **arguments)  # type: ignore[arg-type]


def cosine(model: SentenceTransformer) -> nn.Module:
    """The classic loss of scored pairs."""
    return losses.CosineSimilarityLoss(model)


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all tensors of a model."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def largest_difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Of any component of any tensor."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


class Scripted:
    """An evaluator that gives scores from a list, and writes down how it was called."""

    def __init__(self, scores: Sequence[Any] = (), primary: str | None = None) -> None:
        self.scores = list(scores)
        self.primary_metric = primary
        self.calls: list[tuple[int, int]] = []
        self.paths: list[Any] = []

    def __call__(self, model: Any, output_path: Any = None, epoch: int = -1, steps: int = -1) -> Any:
        self.calls.append((epoch, steps))
        self.paths.append(output_path)
        return self.scores[len(self.calls) - 1] if self.scores else float(len(self.calls))
