"""Labelled sentences: triplets formed inside each batch, from batches that hold several rows a label.

Run: ``python examples/labelled_sentences.py``
"""

import argparse

from torch.utils.data import DataLoader

from workbench import InputExample, SentenceTransformer, evaluation, losses
from workbench.data import desk
from workbench.datasets import GroupByLabelBatchSampler


def main(epochs: int, rows: int | None) -> None:
    """Train on sentences with their intent; judge by pairs of other sentences, same intent or not."""
    train_examples = [
        InputExample(texts=[one.text], label=one.label) for one in desk.labelled_sentences("train")
    ][:rows]
    evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
        desk.scored_pairs("test"), name="desk-test"
    )
    model = SentenceTransformer("all-MiniLM-L6-v2")
    print("before", evaluator(model))
    batches = GroupByLabelBatchSampler(train_examples, batch_size=32, seed=42)
    loader = DataLoader(train_examples, batch_sampler=batches)
    loss = losses.BatchHardSoftMarginTripletLoss(
        model, distance_metric=losses.BatchHardTripletLossDistanceFunction.cosine_distance
    )
    model.fit(
        train_objectives=[(loader, loss)],
        epochs=epochs,
        warmup_steps=1,
        optimizer_params={"lr": 5e-5},
        seed=42,
    )
    print("after", evaluator(model))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    main(options.epochs, options.rows)
