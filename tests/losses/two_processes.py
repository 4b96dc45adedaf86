"""One of two processes that share a batch: cross-row losses gathered, gradients averaged, written down."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from tests.losses.cases import DIM, Fake
from workbench import losses

# Rows of the batch, and where the second process's begin: a last batch is seldom divisible.
ROWS, CUT = 7, 4
_RANKING = {"directions": ("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc")}
_HARD = {"hardness_mode": "all_negatives", "hardness_strength": 2.0}
CROSS_ROW: dict[str, tuple[int, str, dict[str, Any]]] = {
    "MultipleNegativesRankingLoss": (3, "none", {**_RANKING, **_HARD}),
    "MultipleNegativesSymmetricRankingLoss": (3, "none", {}),
    "CachedMultipleNegativesRankingLoss": (3, "none", {**_RANKING, "mini_batch_size": 2}),
    "CachedMultipleNegativesSymmetricRankingLoss": (2, "none", {"mini_batch_size": 2}),
    "GISTEmbedLoss": (3, "none", {"temperature": 0.1}),
    "CachedGISTEmbedLoss": (3, "none", {"temperature": 0.1, "mini_batch_size": 2}),
    "MegaBatchMarginLoss": (2, "none", {"mini_batch_size": 2}),
    "CoSENTLoss": (2, "score", {}),
    "AnglELoss": (3, "score", {}),
    "OnlineContrastiveLoss": (2, "binary", {"margin": 1.2}),
    "BatchAllTripletLoss": (1, "class", {}),
    "BatchHardTripletLoss": (1, "class", {}),
    "BatchHardSoftMarginTripletLoss": (1, "class", {}),
    "BatchSemiHardTripletLoss": (1, "class", {}),
    "ContrastiveTensionLossInBatchNegatives": (1, "none", {}),
}  # fmt: skip


class Projected(Fake):
    """A model with weights to learn: the embeddings in its features, projected."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(DIM, DIM, dtype=torch.float64)

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """Project what stands in the features."""
        return {**features, "sentence_embedding": self.linear(features["sentence_embedding"])}


def compute(name: str, rows: slice, *, gather: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of some rows of the one batch, and the gradients."""
    columns, kind, arguments = CROSS_ROW[name]
    torch.manual_seed(1)
    model, guide = Projected(), Fake("guide")
    models = (model, guide) if "GIST" in name else (model,)
    loss: Any = losses.LOSSES[name](*models, **arguments, gather_across_devices=gather).double()
    generator = torch.Generator().manual_seed(2)
    batch = []
    for _ in range(columns):
        ids = torch.ones(ROWS, 1, dtype=torch.long)
        drawn = torch.randn(2, ROWS, DIM, generator=generator, dtype=torch.float64)
        whole = {"input_ids": ids, "attention_mask": ids, "sentence_embedding": drawn[0], "guide": drawn[1]}
        batch.append({key: value[rows] for key, value in whole.items()})
    labels = {
        "none": None,
        "score": torch.randint(0, 5, (ROWS,), generator=generator)[rows] / 4,
        "binary": torch.tensor([0, 1, 0, 1, 1, 0, 1])[rows],
        "class": torch.tensor([0, 1, 0, 2, 1, 0, 2])[rows],
    }[kind]
    value = loss(batch, labels)
    value.backward()
    return value.detach(), {
        key: parameter.grad for key, parameter in loss.named_parameters() if parameter.grad is not None
    }


def main(rank: int, folder: Path) -> None:
    """Take this process's rows of the batch through every loss."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    results = {}
    for name in CROSS_ROW:
        value, grads = compute(name, slice(0, CUT) if rank == 0 else slice(CUT, ROWS), gather=True)
        for tensor in (value, *grads.values()):
            # What DistributedDataParallel does with gradients.
            dist.all_reduce(tensor)
            tensor /= 2
        results |= {f"{name}/{key}": grad.numpy() for key, grad in {**grads, "value": value}.items()}
    np.savez(folder / f"{rank}.npz", **results)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
