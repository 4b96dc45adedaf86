"""Questions and the articles that answer them: in-batch negatives, no article twice in a batch, retrieval.

Run: ``python examples/question_answer_pairs.py``
"""

import argparse

from torch.utils.data import DataLoader

from workbench import SentenceTransformer, evaluation, losses
from workbench.data import desk
from workbench.datasets import NoDuplicatesBatchSampler


def main(epochs: int, rows: int | None) -> None:
    """Train on questions with their articles; judge by new questions to the same shelf of articles."""
    train_examples = desk.question_article_pairs("train")[:rows]
    held_out = desk.retrieval("test")
    evaluator = evaluation.InformationRetrievalEvaluator(
        queries=held_out.queries,
        corpus=held_out.corpus,
        relevant_docs=held_out.relevant,
        name="desk-test",
        ndcg_at_k=[10],
        accuracy_at_k=[1],
    )
    model = SentenceTransformer("all-MiniLM-L6-v2")
    before = evaluator(model)
    # Two questions with one article in a batch: each would be the other's false negative.
    batches = NoDuplicatesBatchSampler(train_examples, batch_size=32, seed=42)
    loader = DataLoader(train_examples, batch_sampler=batches)
    model.fit(
        train_objectives=[(loader, losses.MultipleNegativesRankingLoss(model))],
        epochs=epochs,
        warmup_steps=1,
        optimizer_params={"lr": 5e-5},
        seed=42,
    )
    after = evaluator(model)
    for metric in ("desk-test_cosine_ndcg@10", "desk-test_cosine_accuracy@1"):
        print(f"{metric}: {before[metric]:.4f} before, {after[metric]:.4f} after")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    main(options.epochs, options.rows)
