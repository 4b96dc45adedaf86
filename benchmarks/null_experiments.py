"""How often two models that are alike would be called better: null experiments on stored scores.

Each experiment draws pairs and exchanges the two models' scores at random ones of them, so that neither side
is better; then it asks for the verdict. Ranks are exchanged, since the models' cosines differ in spread.

``python -m benchmarks.null_experiments``. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import beta, rankdata

from benchmarks.report import report
from benchmarks.stored_scores import StoredScores, stored_scores
from workbench.compare.item_scores import ItemScores
from workbench.compare.significance import paired_difference


def null_experiment(
    stored: StoredScores, pairs: int, resamples: int, rng: np.random.Generator
) -> tuple[bool, bool]:
    """One verdict where there is no difference: whether it says better, and whether worse."""
    rows = rng.choice(len(stored.gold), pairs, replace=False)
    first, second = rankdata(stored.mean[rows]), rankdata(stored.max[rows])
    swapped = rng.integers(0, 2, pairs).astype(bool)
    gold = stored.gold[rows]
    reference = ItemScores("spearman_cosine", np.where(swapped, second, first), gold, "spearman")
    candidate = ItemScores("spearman_cosine", np.where(swapped, first, second), gold, "spearman")
    found = paired_difference(reference, [candidate], resamples=resamples, seed=int(rng.integers(2**31)))
    return found.better, found.worse


def upper_bound(found: int, of: int, level: float = 0.95) -> float:
    """Upper end of the one-sided exact interval of a share. Source: Clopper and Pearson, 1934."""
    return 1.0 if found == of else float(beta.ppf(level, found + 1, of - found))


def main() -> None:
    """Run, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--pairs", type=int, nargs="+", default=[20, 100, 400])
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scores", type=Path, help="file that keeps the scores between calls, .npz")
    asked = parser.parse_args()
    stored = stored_scores(asked.scores)
    rows = []
    for pairs in [count for count in asked.pairs if count <= len(stored.gold)]:
        rng = np.random.default_rng([asked.seed, pairs])
        found = [null_experiment(stored, pairs, asked.resamples, rng) for _ in range(asked.experiments)]
        better, worse = (sum(side) for side in zip(*found, strict=True))
        row = {
            "pairs": pairs,
            "experiments": asked.experiments,
            "false_better": better,
            "false_worse": worse,
            "false_better_upper_95": round(upper_bound(better, asked.experiments), 4),
        }
        rows.append(row)
        print(
            f"{pairs:>5} pairs  false better {better / asked.experiments:6.1%}"
            f"  (upper 95% bound {row['false_better_upper_95']:.1%})"
            f"  false worse {worse / asked.experiments:6.1%}",
            flush=True,
        )
    report(
        "null_experiments",
        {
            "data": stored.source,
            "models": "bundled model, mean and max pooling",
            "resamples": asked.resamples,
            "nominal": 0.025,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
