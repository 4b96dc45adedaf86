"""Scored pairs: fine-tune on graded similarities with CoSENTLoss and measure what it gave.

Run: ``python examples/scored_pairs.py``
"""

import argparse

from torch.utils.data import DataLoader

from workbench import SentenceTransformer, evaluation, losses
from workbench.data import desk


def main(epochs: int, rows: int | None) -> None:
    """Train on the bundled support desk; judge by pairs of sentences that were not trained on."""
    train_examples = desk.scored_pairs("train")[:rows]
    evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
        desk.scored_pairs("test"), name="desk-test"
    )
    model = SentenceTransformer("all-MiniLM-L6-v2")
    print("before", evaluator(model))
    loader = DataLoader(train_examples, shuffle=True, batch_size=32)
    model.fit(
        train_objectives=[(loader, losses.CoSENTLoss(model))],
        epochs=epochs,
        warmup_steps=len(loader) // 10,
        optimizer_params={"lr": 2e-5},
        seed=42,
    )
    print("after", evaluator(model))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    main(options.epochs, options.rows)
