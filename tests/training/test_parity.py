"""A whole training against a plain loop over upstream's modules, losses and torch: losses and weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from sentence_transformers import SentenceTransformer as UpstreamTransformer
from sentence_transformers.sentence_transformer import losses as upstream
from torch import Tensor

from tests.training.small import loader_of, model_of, pairs
from workbench import losses as own
from workbench.data.input_example import InputExample

WARMUP = 10


def plain_loop(model: Any, loss: Any, rows: list[InputExample], batch: int, steps: int) -> list[float]:
    """The article's sentence as code: data through the model, loss against the labels, update."""
    named = [(name, p) for name, p in loss.named_parameters() if p.requires_grad]
    plain = ("bias", "LayerNorm.weight")
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in named if not n.endswith(plain)], "weight_decay": 0.01},
            {"params": [p for n, p in named if n.endswith(plain)], "weight_decay": 0.0},
        ],
        lr=2e-5,
    )
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, WARMUP, steps)
    loss.train()
    values = []
    for step in range(steps):
        start = step * batch % len(rows)
        part = rows[start : start + batch]
        columns = [model.tokenize(list(column)) for column in zip(*(row.texts for row in part), strict=True)]
        value = loss(columns, torch.tensor([row.label for row in part]))
        value.backward()
        torch.nn.utils.clip_grad_norm_(loss.parameters(), 1)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        values.append(value.item())
    return values


def by_place(model: Any) -> dict[str, Tensor]:
    """Encoder tensors under Transformers' names, whatever the library calls its module."""
    return dict(model[0].auto_model.state_dict())


def compare(path: Path, name: str, rows: list[InputExample], batch: int, steps: int) -> None:
    model = model_of(path)
    reference = UpstreamTransformer(str(path), device="cpu")
    for module in reference.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    expected = plain_loop(reference, getattr(upstream, name)(reference), rows, batch, steps)
    loader: Any = loader_of(rows, batch)
    result = model.fit(
        [(loader, getattr(own, name)(model))],
        epochs=1,
        steps_per_epoch=steps,
        warmup_steps=WARMUP,
        show_progress_bar=False,
    )
    got = [loss for (loss,) in result.losses]
    assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) <= 1e-5
    mine, theirs = by_place(model), by_place(reference)
    assert mine.keys() == theirs.keys()
    for tensor in mine:
        limit = 1e-4 if tensor.endswith("key.bias") else 1e-5
        assert float((mine[tensor] - theirs[tensor]).abs().max()) <= limit, tensor


def rows_for(name: str, count: int) -> list[InputExample]:
    rows = pairs(count)
    if name == "ContrastiveLoss":
        return [InputExample(texts=row.texts, label=int(row.label > 0.5)) for row in rows]
    return rows


LONGER = [pytest.param(name, marks=pytest.mark.full) for name in ("CoSENTLoss", "ContrastiveLoss")]


@pytest.mark.parametrize("name", ["CosineSimilarityLoss", "MultipleNegativesRankingLoss", *LONGER])
def test_a_hundred_steps_are_those_of_a_plain_loop(still: Path, name: str) -> None:
    compare(still, name, rows_for(name, 48), 8, 100)


@pytest.mark.full
@pytest.mark.parametrize("name", ["CosineSimilarityLoss", "MultipleNegativesRankingLoss"])
def test_a_hundred_steps_of_the_bundled_model(bundled: Path, name: str) -> None:
    compare(bundled, name, rows_for(name, 80), 4, 100)
