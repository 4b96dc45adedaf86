"""Training with a plain Hugging Face Trainer over AutoModel, mean pooling and a loss in plain torch.

It shares with the pipelines that it is compared with only the instruments that measure all three.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import TrainingArguments

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.huggingface import (
    FixedOrder,
    Recorder,
    Row,
    rows_and_order,
    run_trainer,
    trainer_arguments,
)
from workbench.contenders.instruments import (
    seed_everything,
    switch_dropout_off,
    torch_threads,
    training_conditions,
)
from workbench.contenders.manual.encode import open_manual
from workbench.contenders.manual.losses import find_formula
from workbench.contenders.manual.pooling import pool, split_modes
from workbench.contenders.train_contract import (
    OnEvaluate,
    OnStep,
    TrainingBatch,
    TrainOutcome,
    TrainPlan,
    check_plan,
)
from workbench.errors import InvalidValueError

_FLAGS = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
}


class PooledEncoder(nn.Module):
    """Encoder, pooling and loss as one model, as a Trainer wants it: inputs in, ``loss`` out."""

    def __init__(
        self, encoder: nn.Module, settings: Settings, formula: Callable[[list[Tensor], Tensor | None], Tensor]
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self._modes = split_modes(settings.pooling)
        self._normalize = settings.normalize
        self._formula = formula

    def forward(self, columns: list[dict[str, Tensor]], labels: Tensor | None = None) -> dict[str, Tensor]:
        """Embed each column, ``(batch, tokens)`` ids and mask, and take the loss of all."""
        return {"loss": self._formula([self._embed(column) for column in columns], labels)}

    def _embed(self, column: dict[str, Tensor]) -> Tensor:
        hidden = self.encoder(**column).last_hidden_state
        vectors = pool(hidden, column["attention_mask"], self._modes)
        return F.normalize(vectors, p=2, dim=1) if self._normalize else vectors


def train_manual(
    paths: ModelPaths,
    settings: Settings,
    batches: Sequence[TrainingBatch],
    plan: TrainPlan,
    *,
    out: Path,
    on_step: OnStep | None = None,
    on_evaluate: OnEvaluate | None = None,
    stop: Callable[[], bool] | None = None,
) -> TrainOutcome:
    """Train with ``transformers.Trainer``; arguments and errors as ``Trains``.

    Raises:
        UnknownNameError: ``loss-not-offered``.
        InvalidValueError: ``pooling-not-savable``, ``modules-not-offered``.
    """
    started = time.monotonic()
    check_plan(batches, plan, settings)
    formula = find_formula(plan.loss)
    _check_savable(paths, settings)
    with torch_threads(plan.threads), tempfile.TemporaryDirectory() as scratch:
        contender = open_manual(paths, settings)
        if not plan.dropout:
            switch_dropout_off(contender.model)
        seed_everything(plan.seed)
        model = PooledEncoder(contender.model, settings, formula)
        arguments = trainer_arguments(TrainingArguments, plan, Path(scratch))

        def save(folder: Path) -> None:
            write_folder(folder, contender.model, contender.tokenizer, settings)

        recorder = Recorder("transformers", model, plan, contender, save, out, on_step, on_evaluate, stop)
        collate = _collate(contender.tokenizer, settings.max_length)
        trainer = FixedOrder(model=model, args=arguments, data_collator=collate)
        rows, order = rows_and_order(batches, settings.prompt)
        trainer.follow(rows, order, recorder)
        run_trainer(trainer, "transformers")
        recorder.finish()
    return TrainOutcome(
        recorder.status,
        recorder.saved,
        recorder.steps,
        time.monotonic() - started,
        recorder.best_score,
        recorder.distance.start,
        training_conditions(plan, "accelerate"),
    )


def write_folder(folder: Path, encoder: Any, tokenizer: Any, settings: Settings) -> None:
    """Write encoder, tokenizer and the few files that say how they are pooled, so that others load them."""
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    modules = ["Transformer", "Pooling", *(["Normalize"] if settings.normalize else [])]
    entries = [
        {
            "idx": place,
            "name": str(place),
            "path": f"{place}_{name}" if place else "",
            "type": f"sentence_transformers.models.{name}",
        }
        for place, name in enumerate(modules)
    ]
    modes = split_modes(settings.pooling)
    width = int(encoder.config.hidden_size)
    flags = {flag: mode in modes for mode, flag in _FLAGS.items()}
    for name in modules[1:]:
        (folder / f"{modules.index(name)}_{name}").mkdir()
    _write(folder / "modules.json", entries)
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **flags})
    _write(
        folder / "sentence_bert_config.json",
        {"max_seq_length": settings.max_length, "do_lower_case": False},
    )


def _check_savable(paths: ModelPaths, settings: Settings) -> None:
    modes = split_modes(settings.pooling)
    if modes != tuple(mode for mode in _FLAGS if mode in modes):
        raise InvalidValueError(
            "pooling-not-savable",
            settings.pooling,
            expected=f"{', '.join(_FLAGS)}, joined in this order",
            where="the plain Trainer",
        )
    listing = paths.root / "modules.json"
    entries = json.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else []
    kinds = [str(entry["type"]).rsplit(".", 1)[-1] for entry in entries]
    if extra := [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]:
        raise InvalidValueError(
            "modules-not-offered",
            ", ".join(extra),
            expected="an encoder, a pooling and at most a normalisation",
            fix="Train this model with this package's own fit or with upstream",
            where="the plain Trainer",
        )


def _collate(tokenizer: Any, max_length: int) -> Callable[[list[Row]], dict[str, Any]]:
    def collate(rows: list[Row]) -> dict[str, Any]:
        columns = [
            dict(
                tokenizer(
                    list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt"
                )
            )
            for texts in zip(*(texts for texts, _ in rows), strict=True)
        ]
        labels = [label for _, label in rows]
        batch: dict[str, Any] = {"columns": columns}
        return batch if any(label is None for label in labels) else {**batch, "labels": torch.tensor(labels)}

    return collate


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
