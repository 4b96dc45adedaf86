"""One process of a training in two: ``fit`` over this rank's rows with every cross-row loss, written down."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from tests.training.small import loader_of, model_of, pairs, texts
from workbench import losses
from workbench.data.input_example import InputExample

# Rows of a batch, and where the second process's begin; two batches an epoch.
BATCH, CUT, BATCHES = 8, 5, 2
CROSS_ROW: dict[str, tuple[int, str]] = {
    "MultipleNegativesRankingLoss": (3, "none"),
    "MultipleNegativesSymmetricRankingLoss": (2, "none"),
    "CachedMultipleNegativesRankingLoss": (3, "none"),
    "CachedMultipleNegativesSymmetricRankingLoss": (2, "none"),
    "GISTEmbedLoss": (2, "none"),
    "CachedGISTEmbedLoss": (2, "none"),
    "MegaBatchMarginLoss": (2, "none"),
    "CoSENTLoss": (2, "score"),
    "AnglELoss": (2, "score"),
    "OnlineContrastiveLoss": (2, "binary"),
    "BatchAllTripletLoss": (1, "class"),
    "BatchHardTripletLoss": (1, "class"),
    "BatchHardSoftMarginTripletLoss": (1, "class"),
    "BatchSemiHardTripletLoss": (1, "class"),
    "ContrastiveTensionLossInBatchNegatives": (1, "none"),
}


def rows_of(name: str) -> list[InputExample]:
    """All rows of the training in order."""
    columns, kind = CROSS_ROW[name]
    count = BATCH * BATCHES
    labels: dict[str, list[Any]] = {
        "none": [0] * count,
        "score": [row.label for row in pairs(count)],
        "binary": [(n * 5 // 3) % 2 for n in range(count)],
        "class": [n * 7 % 3 for n in range(count)],
    }
    source = texts(count * columns, seed=3)
    return [
        InputExample(texts=source[n * columns : (n + 1) * columns], label=label)
        for n, label in enumerate(labels[kind])
    ]


def share(rows: list[InputExample], rank: int | None) -> tuple[list[InputExample], int]:
    """The rows of one process, and its batch size; None for the lone one, which has all."""
    if rank is None:
        return rows, BATCH
    start, end = ((0, CUT), (CUT, BATCH))[rank]
    return [row for n, row in enumerate(rows) if start <= n % BATCH < end], end - start


def train(folder: Path, name: str, rank: int | None, **arguments: Any) -> dict[str, Any]:
    """Losses, norms and weights of an epoch."""
    model, guide = model_of(folder), model_of(folder)
    if rank == 1:
        # The weights of rank 0 are those that count.
        with torch.no_grad():
            next(model.parameters()).add_(1.0)
    models = (model, guide) if "GIST" in name else (model,)
    loss = losses.LOSSES[name](*models, gather_across_devices=rank is not None)
    rows, size = share(rows_of(name), rank)
    result = model.fit(
        [(loader_of(rows, size), loss)],
        warmup_steps=0,
        # Adam makes a full step of the noise of a gradient that is truly zero.
        optimizer_class=torch.optim.SGD,
        optimizer_params={"lr": 0.05},
        show_progress_bar=False,
        **arguments,
    )
    tensors = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    return {**tensors, "losses": np.array(result.losses), "norms": [s.gradient_norms for s in result.steps]}


def main(rank: int, folder: Path, model: Path) -> None:
    """Take part in every training, and in one that is stopped and resumed."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    results = {}
    for name in CROSS_ROW:
        results |= {f"{name}/{key}": value for key, value in train(model, name, rank).items()}
    name = "MultipleNegativesRankingLoss"
    given: dict[str, Any] = {"checkpoint_path": folder / "checkpoints", "resume_from_checkpoint": True}
    asked: list[int] = []
    # Rank 1 alone asks for the end: both have to hear it.
    train(model, name, rank, **given, stop=lambda: asked.append(1) or (rank == 1 and len(asked) == 1))
    resumed = train(model, name, rank, **given)
    results |= {f"resumed/{key}": value for key, value in resumed.items()}
    np.savez(folder / f"{rank}.npz", steps=len(asked), **results)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
