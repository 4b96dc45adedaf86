"""The parts of a training step: each object's line in the classic script, and the same in a plain loop."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from workbench.contenders.manual.train_code import formula_lines
from workbench.contenders.train_contract import LossPlan
from workbench.contenders.train_script import loss_expression
from workbench.errors import InvalidValueError, UnknownNameError
from workbench.losses import LOSSES
from workbench.recipe.prepare import Prepared, loss_needs
from workbench.recipe.way_plan import plan_of

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


PART_NAMES: tuple[PartName, ...] = get_args(PartName)
"""In the order of the diagram."""


def part_codes(prepared: Prepared) -> dict[PartName, PartCode]:
    """Every part's lines, with the loss and the numbers of a prepared training.

    Of a loss for which the plain loop has no formula in torch, its documented formula stands there.
    """
    config, model = prepared.config, prepared.model
    plan = plan_of(prepared).loss
    length = model.max_seq_length
    similarity, loss = _plain_loss(plan, prepared)
    needs = loss_needs(config.loss)
    columns = [name.rstrip("*+") for name in needs.columns][: len(prepared.examples.train[0].texts)]
    label = {"none": [], "score": ["score"]}.get(needs.labels, ["label"])
    stated = "".join(f", label={name}" for name in label)
    return {
        "examples": PartCode(
            f"train_examples = [InputExample(texts=[{', '.join(columns)}]{stated}), ...]",
            f"rows = [({', '.join([*columns, *label])}), ...]",
        ),
        "collate": PartCode(
            f"train_dataloader = DataLoader(train_examples, shuffle=True, batch_size={config.batch_size})",
            f"for batch in shuffled_batches(rows, {config.batch_size}):",
        ),
        "ids": PartCode(
            "features, labels = model.smart_batching_collate(batch)",
            "tokens = tokenizer(texts, padding=True, truncation=True, return_tensors='pt')",
        ),
        "token_embeddings": PartCode(
            f"word_embedding_model = models.Transformer(name, max_seq_length={length})",
            "hidden = encoder(**tokens).last_hidden_state",
        ),
        "pooled": PartCode(
            "pooling_model = models.Pooling(word_embedding_model.get_word_embedding_dimension())",
            "vectors = (hidden * mask).sum(dim=1) / mask.sum(dim=1)",
        ),
        "similarity": PartCode(
            f"train_loss = {loss_expression(plan, tuple(LOSSES))}  # loss.model is model", similarity
        ),
        "loss": PartCode("loss_value = train_loss(features, labels)", loss),
        "gradient": PartCode(
            "model.fit(train_objectives=[(train_dataloader, train_loss)], "
            f"max_grad_norm={config.max_grad_norm:g})",
            f"loss.backward(); torch.nn.utils.clip_grad_norm_(parameters, {config.max_grad_norm:g})",
        ),
        "update": PartCode(
            f"model.fit(..., optimizer_params={{'lr': {config.learning_rate:g}}}, warmup_steps=warmup_steps)",
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


def loss_formula(loss: nn.Module) -> str:
    """The formula that the documentation of a loss begins with."""
    return (inspect.getdoc(type(loss)) or "").split("\n", 1)[0].replace("``", "").rstrip(".")


def _plain_loss(plan: LossPlan, prepared: Prepared) -> tuple[str, str]:
    try:
        similarity, loss = formula_lines(plan)
    except (UnknownNameError, InvalidValueError):
        return "columns = vectors  # one a column of the batch", f"# loss: {loss_formula(prepared.loss)}"
    return "\n".join(similarity), "\n".join(loss)
