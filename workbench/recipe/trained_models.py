"""Trained models side by side: similarities before and after, embeddings, speed, and who encodes alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.compare.report import agreement_dict
from workbench.compare.results import Column, Comparison
from workbench.compare.run import run_comparison
from workbench.compare.settings import settings_for
from workbench.compare.similarity_matrix import cosine_matrix
from workbench.contenders.contract import Settings
from workbench.models.folder import open_model
from workbench.persistence.source import hand_over
from workbench.recipe.config import TrainingConfig
from workbench.recipe.examples import Examples

BASE = "base"
_SENTENCES = 8
_ROUNDS = 5
_CONTENDERS = ("own", "upstream", "manual")


def reader_sentences(examples: Examples, count: int = _SENTENCES) -> tuple[str, ...]:
    """A few distinct texts of the test part, as the reader's own sentences."""
    texts = dict.fromkeys((*examples.test.queries(), *examples.test.documents()))
    return tuple(text for text in texts if text.strip())[:count]


def models_side_by_side(
    config: TrainingConfig,
    examples: Examples,
    trained: Mapping[str, Path],
    *,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Encode the reader's sentences with the base and each trained model, and lay them side by side.

    Args:
        config: What was trained.
        examples: Its data.
        trained: Way → folder of its model.
        cancelled: Asked between two chunks.

    Returns:
        ``sentences``; ``models``: name → similarity matrix, sentences a second; ``agreements``: each pair of
        models; ``contenders``: the first way's model encoded by every contender, pair by pair.
    """
    sentences = reader_sentences(examples)
    folders = {BASE: config.model.name, **{way: hand_over(folder) for way, folder in trained.items()}}
    compared = _compared(
        [_column(name, "own", folder) for name, folder in folders.items()], sentences, _ROUNDS, cancelled
    )
    speeds = {speed.label: speed.sentences_per_second for speed in compared.speeds}
    first = hand_over(next(iter(trained.values())))
    alike = _compared([_column(name, name, first) for name in _CONTENDERS], sentences, 0, cancelled)
    return {
        "sentences": list(sentences),
        "models": [
            {
                "name": column.column.label,
                "similarity": [
                    [round(float(value), 6) if math.isfinite(value) else None for value in row]
                    for row in cosine_matrix(column.embeddings)
                ],
                "sentences_per_second": speeds.get(column.column.label),
            }
            for column in compared.columns
        ],
        "agreements": [agreement_dict(one) for one in compared.agreements],
        "contenders": [agreement_dict(one) for one in alike.agreements],
        "failures": {
            label: error.message for label, error in {**compared.failures, **alike.failures}.items()
        },
    }


def _column(label: str, contender: str, model: str) -> Column:
    settings: Settings = settings_for(open_model(model))
    return Column(label, contender, model, settings)


def _compared(
    columns: Sequence[Column], texts: Sequence[str], rounds: int, cancelled: Callable[[], bool] | None
) -> Comparison:
    found = None
    for event in run_comparison(columns, list(texts), speed_rounds=rounds, cancelled=cancelled):
        if isinstance(event, Comparison):
            found = event
    assert found is not None, "a comparison ends with its result"
    return found
