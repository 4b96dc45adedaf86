"""Korean pairs. The bundled model does not read Korean: take a multilingual one where you have a network.

Run: ``python examples/korean_pairs.py --model intfloat/multilingual-e5-small``
"""

import argparse

from torch.utils.data import DataLoader

from workbench import SentenceTransformer, evaluation, losses
from workbench.data import desk
from workbench.datasets import NoDuplicatesBatchSampler


def main(name: str, epochs: int, rows: int | None) -> None:
    """Train on pairs of Korean phrasings of one need; judge by pairs that were not trained on."""
    train_examples = desk.positive_pairs("train", "ko")[:rows]
    evaluator = evaluation.EmbeddingSimilarityEvaluator.from_input_examples(
        desk.scored_pairs("test", "ko"), name="desk-ko-test"
    )
    model = SentenceTransformer(name)
    tokenizer = model.tokenizer
    ids = tokenizer([one.texts[0] for one in train_examples])["input_ids"]
    unknown = sum(row.count(tokenizer.unk_token_id) for row in ids) / sum(map(len, ids))
    print(f"{unknown:.0%} of the tokens are unknown to {name}")
    print("before", evaluator(model))
    batches = NoDuplicatesBatchSampler(train_examples, batch_size=16, seed=42)
    loader = DataLoader(train_examples, batch_sampler=batches)
    model.fit(
        train_objectives=[(loader, losses.MultipleNegativesRankingLoss(model))],
        epochs=epochs,
        warmup_steps=1,
        optimizer_params={"lr": 5e-5},
        seed=42,
    )
    print("after", evaluator(model))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    main(options.model, options.epochs, options.rows)
