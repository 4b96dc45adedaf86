"""Trainings that differ by their seed alone, judged against each other: how often is one called better?

Run: ``python -m benchmarks.seed_against_seed --seeds 20``. Each model is judged against the next one, as if
it had been tuned from it. No seed is better than another by rights, but two trainings do end in two models:
what is called better here is a difference between these two, not between ways of training. Prints a table,
then one JSON line.
"""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import report
from workbench.compare.held_out import HeldOut
from workbench.compare.judged_models import stored_model
from workbench.compare.proof import prove
from workbench.evaluation.metrics.score import Undefined
from workbench.recipe.config import DataConfig, TrainingConfig
from workbench.recipe.prepare import prepare


def trained(seed: int, epochs: int) -> tuple[HeldOut, NDArray[np.floating], NDArray[np.floating]]:
    """The test part, and what a model trained with this seed makes of its queries and documents."""
    config = TrainingConfig(data=DataConfig(view="answers"), learning_rate=5e-5, epochs=epochs, seed=seed)
    prepared = prepare(config)
    prepared.model.fit(
        [(prepared.loader, prepared.loss)],
        epochs=epochs,
        warmup_steps=config.warmup_steps(prepared.total_steps),
        optimizer_params={"lr": config.learning_rate},
        seed=seed,
        show_progress_bar=False,
    )
    test = prepared.examples.test
    encode: Any = prepared.model.encode
    return test, encode(list(test.queries())), encode(list(test.documents()))


def main() -> None:
    """Train, judge each against the next, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=1)
    options = parser.parse_args()
    models, scores = [], []
    for seed in range(options.seeds):
        test, queries, documents = trained(seed, options.epochs)
        # Asked for in one order or the other: each text has one embedding.
        texts, rows = [*test.queries(), *test.documents()], np.concatenate([queries, documents])
        models.append((texts, rows))
        found = test.scores(queries, documents)[test.primary].values.mean()
        scores.append(float(found))
        print(f"seed {seed}: {test.primary} {found:.4f}", flush=True)
    outcomes: Counter[str] = Counter()
    differences = []
    for seed, (texts, rows) in enumerate(models):
        other = (seed + 1) % len(models)
        proof = prove(
            test,
            stored_model(f"seed {seed}", texts, rows),
            [stored_model(f"seed {other}", *models[other], seed=other)],
            general={},
        )
        first = proof.differences[0]
        outcomes[proof.verdict.outcome] += 1
        differences.append(None if isinstance(first.value, Undefined) else float(first.value))
    for outcome in ("better", "worse", "not shown"):
        print(f"{outcome:<10}{outcomes[outcome]:>4} of {options.seeds}")
    report(
        "seed_against_seed",
        {
            "epochs": options.epochs,
            "items": test.items,
            "metric": test.primary,
            "scores": scores,
            "differences": differences,
            "outcomes": dict(outcomes),
        },
    )


if __name__ == "__main__":
    main()
