"""Distillation: a student of half the layers learns the embeddings of its teacher.

Run: ``python examples/distillation.py``
"""

import argparse
import copy

from torch import nn
from torch.utils.data import DataLoader

from workbench import InputExample, SentenceTransformer, evaluation, losses
from workbench.data import desk


def student_of(teacher: SentenceTransformer, layers: int) -> SentenceTransformer:
    """A copy of the teacher with its first layers only."""
    student = copy.deepcopy(teacher)
    encoder = student[0].auto_model
    encoder.encoder.layer = nn.ModuleList(encoder.encoder.layer[:layers])
    encoder.config.num_hidden_layers = layers
    return student


def main(epochs: int, rows: int | None, layers: int) -> None:
    """Teach the student on the desk's sentences; judge how far its embeddings of others are off."""
    teacher = SentenceTransformer("all-MiniLM-L6-v2")
    student = student_of(teacher, layers)
    texts = [one.text for one in desk.labelled_sentences("train")][:rows]
    targets = teacher.encode(texts)
    train_examples = [
        InputExample(texts=[text], label=target.tolist()) for text, target in zip(texts, targets, strict=True)
    ]
    others = [one.text for one in desk.labelled_sentences("test")]
    evaluator = evaluation.MSEEvaluator(others, others, teacher_model=teacher, name="desk-test")
    print("before", evaluator(student))
    loader = DataLoader(train_examples, shuffle=True, batch_size=16)
    student.fit(
        train_objectives=[(loader, losses.MSELoss(student))],
        epochs=epochs,
        warmup_steps=1,
        optimizer_params={"lr": 1e-4},
        seed=42,
    )
    print("after", evaluator(student))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    parser.add_argument("--layers", type=int, default=3)
    options = parser.parse_args()
    main(options.epochs, options.rows, options.layers)
