"""The own training as a script: the classic five steps, over the batches of the run."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.train_contract import TrainingBatch, TrainPlan
from workbench.contenders.train_script import (
    batch_lines,
    check_lines,
    dropout_lines,
    import_lines,
    loss_expression,
)
from workbench.losses import LOSSES


def own_train_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float] = (),
) -> str:
    """Write a script that trains again what ``fit`` trained, and holds its losses to the run's.

    Args:
        model: Name or folder of the untrained model, whose modules are taken as they are.
        settings: Its longest input and its prompt are written down.
        batches: In their order.
        plan: The rest.
        losses: Of the run, a step each; none leaves the check out.
    """
    loss = loss_expression(plan.loss, tuple(LOSSES))
    names = ["InputExample", "SentenceTransformer", "losses"] + (["util"] if "util." in loss else [])
    epochs = plan.total_steps // plan.epoch_steps
    norm = None if plan.max_grad_norm is None else float(plan.max_grad_norm)
    body = [
        f"torch.set_num_threads({int(plan.threads)})",
        *batch_lines(batches, settings.prompt),
        "",
        "# 1. DataLoader: the examples, and which of them make a batch",
        "rows = [row for batch in batches for row in batch]",
        "examples = [InputExample(texts=list(texts), label=label) for texts, label in rows]",
        "places = iter(range(len(rows)))",
        "order = [[next(places) for _ in batch] for batch in batches]",
        "train_dataloader = DataLoader(examples, batch_sampler=order, generator=torch.Generator())",
        "",
        "# 2. Model",
        f"model = SentenceTransformer({model!r}, device={plan.device!r})",
        *([f"model.max_seq_length = {int(settings.max_length)}"] if settings.max_length else []),
        *dropout_lines(plan),
        "",
        "# 3. Training function",
        f"torch.manual_seed({int(plan.seed)})",
        f"train_loss = {loss}",
        "",
        "# 4. An evaluator changes nothing in the training: give one to choose the best model by it",
        "",
        "# 5. fit",
        "result = model.fit(",
        "    train_objectives=[(train_dataloader, train_loss)],",
        f"    epochs={epochs},",
        f"    steps_per_epoch={int(plan.epoch_steps)},",
        f"    scheduler={plan.scheduler!r},",
        f"    warmup_steps={int(plan.warmup_steps)},",
        f"    optimizer_params={{'lr': {float(plan.learning_rate)!r}}},",
        f"    weight_decay={float(plan.weight_decay)!r},",
        f"    max_grad_norm={norm!r},",
        f"    gradient_accumulation_steps={int(plan.accumulation)},",
        f"    packed={plan.packed},",
        f"    precision={plan.precision!r},",
        f"    seed={int(plan.seed)},",
        "    output_path='trained',",
        "    show_progress_bar=False,",
        ")",
        "seen = [loss for (loss,) in result.losses]",
        *check_lines(losses),
    ]
    head = [
        '"""A training with this package: data, model, loss, fit."""',
        "",
        *import_lines(body),
        "import torch",
        "from torch.utils.data import DataLoader",
        "",
        f"from workbench import {', '.join(names)}",
        "",
    ]
    return "\n".join([*head, *body]) + "\n"
