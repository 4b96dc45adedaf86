"""The parts of a training step: each object's line in the classic script, and the same in a plain loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PartName = Literal[
    "examples",
    "collate",
    "ids",
    "token_embeddings",
    "pooled",
    "similarity",
    "loss",
    "gradient",
    "update",
    "after",
    "evaluate",
    "save",
]


@dataclass(frozen=True)
class PartCode:
    """One part in two ways of writing it.

    Attributes:
        classic: Its line where objects hold each other.
        plain: The same where nothing does.
    """

    classic: str
    plain: str


PARTS: dict[PartName, PartCode] = {
    "examples": PartCode(
        "train_examples = [InputExample(texts=[first, second], label=score), ...]",
        "rows = [(first, second, score), ...]",
    ),
    "collate": PartCode(
        "train_dataloader = DataLoader(train_examples, shuffle=True, batch_size=16)",
        "for batch in shuffled_batches(rows, 16):",
    ),
    "ids": PartCode(
        "features, labels = model.smart_batching_collate(batch)",
        "tokens = tokenizer(texts, padding=True, truncation=True, return_tensors='pt')",
    ),
    "token_embeddings": PartCode(
        "word_embedding_model = models.Transformer(name, max_seq_length=256)",
        "hidden = encoder(**tokens).last_hidden_state",
    ),
    "pooled": PartCode(
        "pooling_model = models.Pooling(word_embedding_model.get_word_embedding_dimension())",
        "vectors = (hidden * mask).sum(dim=1) / mask.sum(dim=1)",
    ),
    "similarity": PartCode(
        "train_loss = losses.CosineSimilarityLoss(model)  # loss.model is model",
        "cosines = torch.cosine_similarity(first, second)",
    ),
    "loss": PartCode(
        "loss_value = train_loss(features, labels)",
        "loss = torch.nn.functional.mse_loss(cosines, labels)",
    ),
    "gradient": PartCode(
        "model.fit(train_objectives=[(train_dataloader, train_loss)], max_grad_norm=1)",
        "loss.backward(); torch.nn.utils.clip_grad_norm_(parameters, 1)",
    ),
    "update": PartCode(
        "model.fit(..., optimizer_params={'lr': 2e-5}, warmup_steps=warmup_steps)",
        "optimizer.step(); optimizer.zero_grad(); schedule.step()",
    ),
    "after": PartCode(
        "model.similarity_pairwise(model.encode(firsts), model.encode(seconds))",
        "torch.cosine_similarity(embed(firsts), embed(seconds))",
    ),
    "evaluate": PartCode(
        "model.fit(..., evaluator=evaluator, evaluation_steps=evaluation_steps)",
        "score = evaluate(encoder, held_out)",
    ),
    "save": PartCode("model.fit(..., output_path=output_path)", "encoder.save_pretrained(output_path)"),
}
"""In the order of the diagram."""
