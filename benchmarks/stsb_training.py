"""Own ``fit`` and upstream's Trainer on STS-B, some seeds each: dev Spearman before and after, side by side.

Run: ``WORKBENCH_DATA=folder-with-stsb python -m benchmarks.stsb_training --seeds 5``. It compares quality, so
other work on the machine does not falsify it. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scipy import stats
from torch.utils.data import DataLoader

from benchmarks.report import report
from workbench import InputExample, SentenceTransformer, evaluation, losses
from workbench.data.labelled_files import read_table
from workbench.data.roles import find_roles
from workbench.data.table_examples import to_input_examples

MODEL = "all-MiniLM-L6-v2"
BATCH_SIZE, LEARNING_RATE, WARMUP = 16, 2e-5, 0.1


@dataclass(frozen=True)
class Outcome:
    """One training."""

    trainer: str
    seed: int
    spearman: float
    seconds: float


def rows(part: str) -> list[InputExample]:
    """A part of STS-B, scores from 0 to 1."""
    folder = os.environ.get("WORKBENCH_DATA")
    if not folder:
        raise SystemExit("Set WORKBENCH_DATA to a folder that holds stsb/train.csv and stsb/dev.csv")
    table = read_table(Path(folder) / "stsb" / f"{part}.csv")
    examples = to_input_examples(table, find_roles(table), ("sentence1", "sentence2"), labels="score")
    return [InputExample(texts=one.texts, label=one.label / 5) for one in examples]


def evaluator(dev: list[InputExample]) -> evaluation.EmbeddingSimilarityEvaluator:
    """Spearman of the cosine on dev; it only looks, nothing is chosen by it."""
    return evaluation.EmbeddingSimilarityEvaluator.from_input_examples(dev, name="dev", batch_size=64)


def score(model: Any, judge: evaluation.EmbeddingSimilarityEvaluator) -> float:
    """Dev Spearman of whatever encodes."""
    return float(judge(model)["dev_spearman_cosine"] or 0.0)


def train_own(train: list[InputExample], loss: str, seed: int, epochs: int) -> SentenceTransformer:
    """This package's ``fit``."""
    model = SentenceTransformer(MODEL, device="cpu")
    loader: DataLoader[Any] = DataLoader(train, shuffle=True, batch_size=BATCH_SIZE)  # type: ignore[arg-type]
    model.fit(
        [(loader, losses.LOSSES[loss](model))],
        epochs=epochs,
        warmup_steps=round(WARMUP * len(loader) * epochs),
        optimizer_params={"lr": LEARNING_RATE},
        seed=seed,
        show_progress_bar=False,
    )
    return model


def train_upstream(train: list[InputExample], loss: str, seed: int, epochs: int) -> SentenceTransformer:
    """Upstream's Trainer with its own loss, order and schedule; its model is read back to be judged alike."""
    import datasets
    from sentence_transformers import (
        SentenceTransformer as Upstream,
    )
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer import losses as upstream_losses

    from workbench.persistence.source import bundled_folder

    data = datasets.Dataset.from_dict(
        {
            "sentence1": [one.texts[0] for one in train],
            "sentence2": [one.texts[1] for one in train],
            "label": [float(one.label) for one in train],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        model = Upstream(str(bundled_folder()), device="cpu")
        arguments = SentenceTransformerTrainingArguments(
            output_dir=str(Path(folder) / "out"),
            num_train_epochs=epochs,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=LEARNING_RATE,
            warmup_steps=WARMUP,
            weight_decay=0.01,
            seed=seed,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=data, loss=getattr(upstream_losses, loss)(model)
        ).train()
        model.save(str(Path(folder) / "model"))
        return SentenceTransformer(str(Path(folder) / "model"), device="cpu")


TRAINERS: dict[str, Callable[..., SentenceTransformer]] = {"own": train_own, "upstream": train_upstream}


def main() -> None:
    """Train, judge, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first-seed", type=int, default=0, help="so that parts can run side by side")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--loss", default="CosineSimilarityLoss")
    parser.add_argument("--rows", type=int, default=None, help="train on the first rows only")
    options = parser.parse_args()
    train, judge = rows("train")[: options.rows], evaluator(rows("dev"))
    before = score(SentenceTransformer(MODEL, device="cpu"), judge)
    print(f"{'before':<10}{before:>8.4f}")
    outcomes = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for name, trainer in TRAINERS.items():
            began = time.perf_counter()
            model = trainer(train, options.loss, seed, options.epochs)
            found = Outcome(name, seed, score(model, judge), round(time.perf_counter() - began, 1))
            outcomes.append(found)
            print(f"{name:<10}{found.spearman:>8.4f}   seed {seed}, {found.seconds} s", flush=True)
    by_trainer = {name: [o.spearman for o in outcomes if o.trainer == name] for name in TRAINERS}
    intervals = {name: _interval(values) for name, values in by_trainer.items()}
    paired = [ours - theirs for ours, theirs in zip(by_trainer["own"], by_trainer["upstream"], strict=True)]
    for name, (low, high) in intervals.items():
        print(
            f"{name:<10}{statistics.fmean(by_trainer[name]):>8.4f}   95% of the mean {low:.4f} … {high:.4f}"
        )
    low, high = _interval(paired)
    print(f"own − upstream {statistics.fmean(paired):+.4f}   95% {low:+.4f} … {high:+.4f}")
    report(
        "stsb_training",
        {
            "loss": options.loss,
            "epochs": options.epochs,
            "rows": len(train),
            "batch_size": BATCH_SIZE,
            "learning_rate": LEARNING_RATE,
            "before": before,
            "outcomes": [asdict(one) for one in outcomes],
            "interval_of_the_mean": intervals,
            "own_minus_upstream": {"mean": statistics.fmean(paired), "interval": [low, high]},
        },
    )


def _interval(values: list[float]) -> tuple[float, float]:
    """Student's 95% interval of a mean."""
    if len(values) < 2:
        return values[0], values[0]
    low, high = stats.t.interval(0.95, len(values) - 1, loc=statistics.fmean(values), scale=stats.sem(values))
    return float(low), float(high)


if __name__ == "__main__":
    main()
