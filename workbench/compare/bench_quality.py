"""What a variant's embeddings are worth beside the exact ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from workbench.compare.agreement import similarity_spearman
from workbench.compare.bench_results import Quality
from workbench.compare.similarity_matrix import row_cosines
from workbench.contenders.contract import Contender
from workbench.data.desk.scored import scored_pairs
from workbench.evaluation.metrics.correlation import spearman
from workbench.evaluation.metrics.score import Undefined


def quality_of(
    rows: NDArray[np.floating], reference: NDArray[np.floating], gold_spearman: float | None
) -> Quality:
    """Compare a variant's rows with the reference's.

    Args:
        rows, reference: Of the same texts. Shape ``(texts, dim)`` each.
        gold_spearman: See `gold_correlation`.
    """
    cosines = row_cosines(rows, reference) if rows.shape == reference.shape and len(rows) else None
    correlation = similarity_spearman(rows, reference)
    return Quality(
        mean_cosine=None if cosines is None else float(cosines.mean()),
        min_cosine=None if cosines is None else float(cosines.min()),
        spearman=correlation if math.isfinite(correlation) else None,
        gold_spearman=gold_spearman,
    )


def gold_correlation(contender: Contender) -> float | None:
    """Spearman's correlation of cosines with the gold scores of the bundled scored pairs, test split.

    None where it is undefined.
    """
    pairs = scored_pairs("test")
    texts = list(dict.fromkeys(text for pair in pairs for text in pair.texts))
    rows = contender.encode(texts)
    place = {text: index for index, text in enumerate(texts)}
    left, right = ([place[pair.texts[side]] for pair in pairs] for side in (0, 1))
    found = spearman(
        np.asarray([pair.label for pair in pairs], dtype=np.float64), row_cosines(rows[left], rows[right])
    )
    return None if isinstance(found, Undefined) else float(found)
