"""The classic training, unrolled: data → model → loss → update, with the losses of ``fit`` step by step.

Run: ``python examples/plain_loop.py``. It trains one model twice, with ``fit`` and with the loop below, and
fails if the two ever differ.
"""

import copy

import torch
from torch.utils.data import DataLoader

from workbench import InputExample, SentenceTransformer, losses

PAIRS = [
    ("The lamp does not turn on.", "My light stays dark.", 0.9),
    ("The lamp does not turn on.", "How do I return an order?", 0.1),
    ("Where is my parcel?", "The delivery has not arrived.", 0.8),
    ("Where is my parcel?", "The screen is too bright.", 0.0),
    ("I forgot my password.", "How do I reset my login?", 0.9),
    ("I forgot my password.", "The lamp flickers at night.", 0.1),
]
EPOCHS, BATCH_SIZE, LEARNING_RATE, WARMUP, SEED = 3, 2, 2e-5, 2, 7
NO_DECAY = ("bias", "LayerNorm.weight")


def examples() -> list[InputExample]:
    """Scored pairs."""
    return [InputExample(texts=[first, second], label=score) for first, second, score in PAIRS]


def with_fit(model: SentenceTransformer) -> list[float]:
    """The five steps of the classic process; the losses come from the events of ``fit``."""
    loader: DataLoader[InputExample] = DataLoader(examples(), shuffle=True, batch_size=BATCH_SIZE)
    result = model.fit(
        train_objectives=[(loader, losses.CosineSimilarityLoss(model))],
        epochs=EPOCHS,
        warmup_steps=WARMUP,
        optimizer_params={"lr": LEARNING_RATE},
        seed=SEED,
        show_progress_bar=False,
        # The loop below pads its batches: dropout is drawn for the padding too.
        packed=False,
    )
    return [loss for (loss,) in result.losses]


def with_a_loop(model: SentenceTransformer) -> list[float]:
    """The same without objects that hold each other: a batch in, a loss out, one update."""
    torch.manual_seed(SEED)
    loader: DataLoader[InputExample] = DataLoader(
        examples(), shuffle=True, batch_size=BATCH_SIZE, collate_fn=list
    )
    named = list(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in named if not n.endswith(NO_DECAY)], "weight_decay": 0.01},
            {"params": [p for n, p in named if n.endswith(NO_DECAY)], "weight_decay": 0.0},
        ],
        lr=LEARNING_RATE,
    )
    steps = EPOCHS * len(loader)
    seen = []
    model.train()
    for epoch in range(EPOCHS):
        for step, batch in enumerate(loader, start=epoch * len(loader)):
            # data → model
            first, second = (
                model(model.tokenize([example.texts[column] for example in batch]))["sentence_embedding"]
                for column in (0, 1)
            )
            # model output and label → loss
            labels = torch.tensor([example.label for example in batch])
            loss = torch.nn.functional.mse_loss(torch.cosine_similarity(first, second), labels)
            # → update
            factor = step / WARMUP if step < WARMUP else (steps - step) / (steps - WARMUP)
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * factor
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen.append(float(loss.detach()))
    return seen


def main() -> None:
    """Train both ways and lay the losses side by side."""
    model = SentenceTransformer("all-MiniLM-L6-v2", device="cpu")
    other = copy.deepcopy(model)
    pairs = list(zip(with_fit(model), with_a_loop(other), strict=True))
    print("step  fit         loop        difference")
    for step, (ours, plain) in enumerate(pairs, 1):
        print(f"{step:>4}  {ours:.8f}  {plain:.8f}  {ours - plain:+.1e}")
    assert all(abs(ours - plain) <= 1e-6 for ours, plain in pairs), "the two trainings differ"


if __name__ == "__main__":
    main()
