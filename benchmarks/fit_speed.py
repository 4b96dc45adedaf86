"""Speed of training against upstream's Trainer: own plain, own packed, own packed in bf16, interleaved.

Run: ``WORKBENCH_DATA=folder-with-stsb python -m benchmarks.fit_speed --rounds 7 --steps 20``, on a machine
that does nothing else. All train on the same batches of STS-B in the same order, dropout as the model has it.
What is timed is the steps themselves, from the end of a warm-up to the last; loading and saving are not.
Prints a table of ratios of medians, then one JSON line; ``--store`` writes it to ``benchmarks/results/`` too.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader

from benchmarks.report import report
from benchmarks.stsb_training import rows
from workbench import InputExample, SentenceTransformer, losses
from workbench.persistence.source import bundled_folder
from workbench.training import Stepped

LEARNING_RATE = 2e-5
BASELINE = "upstream"
# Loss and batch size.
CASES = (("CosineSimilarityLoss", 16), ("MultipleNegativesRankingLoss", 32))
# Arguments of ``fit`` beside those that all have.
OWN: dict[str, dict[str, Any]] = {
    "own plain": {"packed": False},
    "own packed": {},
    "own packed bf16": {"precision": "bf16"},
}

# Batches in, when each step ended out.
Train = Callable[[list[list[InputExample]]], list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20, help="timed in a round, each contender")
    parser.add_argument("--warm-up", type=int, default=3, help="steps before them")
    parser.add_argument("--store", action="store_true", help="write the JSON under benchmarks/results")
    options = parser.parse_args()
    # In the file, texts of one source and length stand together; a training shuffles them.
    train = random.Random(0).sample(found := rows("train"), len(found))
    cases = {
        f"{loss}, batch {size}": measure(train, loss, size, options.rounds, options.steps, options.warm_up)
        for loss, size in CASES
    }
    report("fit_speed", {"threads": torch.get_num_threads(), "cases": cases}, store=options.store)


def measure(
    train: list[InputExample], loss: str, size: int, rounds: int, steps: int, warm_up: int
) -> dict[str, Any]:
    """Interleaved rounds; each takes the next batches of the corpus, from the start again at its end."""
    trainers: dict[str, Train] = {BASELINE: upstream_trainer(loss)}
    trainers |= {name: own_trainer(loss, arguments) for name, arguments in OWN.items()}
    corpus = [train[start : start + size] for start in range(0, len(train) - size + 1, size)]
    seconds: dict[str, list[float]] = {name: [] for name in trainers}
    taken = 0
    for number in range(rounds):
        batches = [corpus[(taken + place) % len(corpus)] for place in range(warm_up + steps)]
        taken += len(batches)
        for name, run in trainers.items():
            ended = run(batches)
            seconds[name].append((ended[-1] - ended[warm_up - 1]) / steps)
        print(f"{loss}, batch {size}: round {number + 1} of {rounds}", flush=True)
    print(f"\n{loss}, batch {size}, {torch.get_num_threads()} threads")
    print(f"{'':<18}{'ms a step':>11}{'× upstream':>12}{'smallest':>10}{'largest':>9}")
    out = {}
    for name, times in seconds.items():
        ratios = [base / own for base, own in zip(seconds[BASELINE], times, strict=True)]
        ratio = statistics.median(seconds[BASELINE]) / statistics.median(times)
        print(
            f"{name:<18}{statistics.median(times) * 1e3:>11.1f}{ratio:>12.2f}"
            f"{min(ratios):>10.2f}{max(ratios):>9.2f}"
        )
        out[name] = {"seconds_a_step": times, "ratio_of_medians": ratio, "ratios": ratios}
    print()
    return {"rounds": rounds, "steps": steps, "contenders": out}


def own_trainer(loss: str, arguments: dict[str, Any]) -> Train:
    """This package's ``fit`` on a model of its own, which goes on from round to round."""
    model = SentenceTransformer(str(bundled_folder()), device="cpu")
    objective = losses.LOSSES[loss](model)

    def train(batches: list[list[InputExample]]) -> list[float]:
        ended: list[float] = []

        def hear(event: object) -> None:
            if isinstance(event, Stepped):
                ended.append(time.perf_counter())

        flat = [row for batch in batches for row in batch]
        model.fit(
            [(DataLoader(flat, batch_size=len(batches[0])), objective)],  # type: ignore[arg-type]
            warmup_steps=0,
            optimizer_params={"lr": LEARNING_RATE},
            show_progress_bar=False,
            seed=1,
            progress=hear,
            **arguments,
        )
        return ended

    return train


def upstream_trainer(loss: str) -> Train:
    """Upstream's Trainer as its ``fit`` sets it up, with nothing logged, evaluated or saved."""
    from sentence_transformers import SentenceTransformer as Upstream
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer import losses as upstream_losses
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.ended: list[float] = []

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.ended.append(time.perf_counter())

    class InOrder(SentenceTransformerTrainer):  # type: ignore[misc]
        given: list[Any]
        size: int

        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """No card: it would look the model up on the Hub."""

        def get_train_dataloader(self) -> DataLoader[Any]:
            return DataLoader(self.given, batch_size=self.size, collate_fn=self.data_collator)  # type: ignore[arg-type]

    model = Upstream(str(bundled_folder()), device="cpu")
    objective = getattr(upstream_losses, loss)(model)

    def train(batches: list[list[InputExample]]) -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            arguments = SentenceTransformerTrainingArguments(
                output_dir=folder,
                max_steps=len(batches),
                learning_rate=LEARNING_RATE,
                warmup_steps=0,
                weight_decay=0.01,
                seed=1,
                use_cpu=True,
                save_strategy="no",
                eval_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                remove_unused_columns=False,
                dataloader_pin_memory=False,
            )
            clock = Clock()
            trainer = InOrder(model=model, args=arguments, loss=objective, callbacks=[clock])
            trainer.size = len(batches[0])
            # A label would be the score; in-batch negatives take none.
            labelled = loss == "CosineSimilarityLoss"
            trainer.given = [
                {f"sentence_{place}": text for place, text in enumerate(row.texts)}
                | ({"label": float(row.label)} if labelled else {})
                for batch in batches
                for row in batch
            ]
            trainer.train()
        return clock.ended

    return train


if __name__ == "__main__":
    main()
