"""How often a true gain of 0.015 Spearman is shown with 20, 200 and 400 pairs, and what was said beforehand.

The pairs of stored scores are the population. The weaker side mixes the ranks of two poolings of the bundled
model in such a share that on all pairs it is 0.015 behind. Each draw asks for the verdict on some pairs.

``python -m benchmarks.power``. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import rankdata, spearmanr

from benchmarks.report import report
from benchmarks.stored_scores import StoredScores, stored_scores
from workbench.compare.detectable import from_difference, more_items
from workbench.compare.item_scores import ItemScores
from workbench.compare.significance import paired_difference


def weaker_by(stored: StoredScores, gain: float) -> NDArray[np.float64]:
    """Scores that are ``gain`` behind those of mean pooling on all pairs."""
    best, other = rankdata(stored.mean), rankdata(stored.max)

    def lead(share: float) -> float:
        mixed = (1 - share) * best + share * other
        return float(spearmanr(stored.gold, best)[0] - spearmanr(stored.gold, mixed)[0]) - gain

    share = brentq(lead, 0.0, 1.0, xtol=1e-6)
    mixed: NDArray[np.float64] = (1 - share) * best + share * other
    return mixed


def main() -> None:
    """Run, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--gain", type=float, default=0.015)
    parser.add_argument("--pairs", type=int, nargs="+", default=[20, 200, 400])
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scores", type=Path, help="file that keeps the scores between calls, .npz")
    asked = parser.parse_args()
    stored = stored_scores(asked.scores)
    weaker = weaker_by(stored, asked.gain)
    rows = []
    for pairs in [count for count in asked.pairs if count <= len(stored.gold)]:
        rng = np.random.default_rng([asked.seed, pairs])
        shown, wrong, smallest, more = 0, 0, [], []
        for _ in range(asked.draws):
            drawn = rng.choice(len(stored.gold), pairs, replace=False)
            sides = [
                ItemScores("spearman_cosine", values[drawn], stored.gold[drawn], "spearman")
                for values in (weaker, stored.mean)
            ]
            seed = int(rng.integers(2**31))
            found = paired_difference(sides[0], sides[1:], resamples=asked.resamples, seed=seed)
            shown, wrong = shown + found.better, wrong + found.worse
            known = from_difference(found, "as observed")
            if known.smallest is not None:
                smallest.append(known.smallest)
                more.append(more_items(asked.gain, known) or 0)
        row = {
            "pairs": pairs,
            "draws": asked.draws,
            "shown": shown,
            "shown_worse": wrong,
            "median_smallest": round(float(np.median(smallest)), 4),
            "median_more_pairs": int(np.median(more)),
        }
        rows.append(row)
        print(
            f"{pairs:>5} pairs  shown {shown:>3} of {asked.draws},"
            f" smallest showable {row['median_smallest']:.4f}, pairs to add {row['median_more_pairs']:,}",
            flush=True,
        )
    report(
        "power",
        {
            "data": stored.source,
            "models": "bundled model, mean pooling against ranks mixed with max pooling",
            "gain": asked.gain,
            "resamples": asked.resamples,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
