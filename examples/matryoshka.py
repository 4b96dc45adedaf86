"""Matryoshka: train so that the first dimensions of an embedding already say most of it.

Run: ``python examples/matryoshka.py``
"""

import argparse

from torch.utils.data import DataLoader

from workbench import SentenceTransformer, evaluation, losses
from workbench.data import desk

DIMS = [384, 192, 96, 48]


def scores(model: SentenceTransformer) -> dict[int, float | None]:
    """Spearman on held-out pairs with the first so many dimensions."""
    found = {}
    for dim in DIMS:
        evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
            desk.scored_pairs("test"), name="test", truncate_dim=dim
        )
        found[dim] = evaluator(model)["test_spearman_cosine"]
    return found


def main(epochs: int, rows: int | None) -> None:
    """Train with the loss at four lengths at once; the untrained model's truncation stands beside."""
    model = SentenceTransformer("all-MiniLM-L6-v2")
    before = scores(model)
    loader = DataLoader(desk.scored_pairs("train")[:rows], shuffle=True, batch_size=32)
    loss = losses.MatryoshkaLoss(model, losses.CoSENTLoss(model), DIMS)
    model.fit(
        train_objectives=[(loader, loss)],
        epochs=epochs,
        warmup_steps=1,
        optimizer_params={"lr": 2e-5},
        seed=42,
    )
    after = scores(model)
    for dim in DIMS:
        print(f"{dim:>4} dimensions: {before[dim]:.4f} before, {after[dim]:.4f} after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    main(options.epochs, options.rows)
