"""The confusion matrix of the tracer: faults injected alone, in pairs and not at all, against what is named.

Run: ``python -m benchmarks.trace_confusion`` (tiny models of four architectures and one with a Dense layer),
``--bundled`` for the bundled model too. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

import torch

from tests.trace.tiny_pipelines import LACKS, PROMPT, TEXTS, sound
from workbench.compare.conditions import conditions
from workbench.contenders.manual.pipeline import ManualPipeline
from workbench.contenders.trace_contract import STAGES
from workbench.trace.diff import diff
from workbench.trace.faults import FAULTS, inject
from workbench.trace.gallery import open_steps
from workbench.trace.gallery_cards import TEXTS as BUNDLED_TEXTS
from workbench.trace.pipelines import kernel, manual_pipeline, record
from workbench.trace.prove import prove

# Each at another stage, and none hides another.
COMPATIBLE = (
    "prompt-missing",
    "case-kept",
    "no-special-tokens",
    "max-length-short",
    "type-ids",
    "bad-layer",
    "cls-pooling",
    "no-normalize",
    "bfloat16",
    "order-lost",
)
# The bundled model needs a text beyond its length.
_LONG = "The place where a long text is cut decides what of it is read. " * 24
_NO_FAULT_PAIRS = 200


def models(bundled: bool) -> dict[str, tuple[ManualPipeline, tuple[str, ...], set[str]]]:
    """Name → sound pipeline, texts, and what the model lacks."""
    found = {name: (sound(name), tuple(TEXTS), lacks | {"dense"}) for name, lacks in LACKS.items()}
    found["bert + Dense"] = (sound("bert", dense=True), tuple(TEXTS), set())
    if bundled:
        texts = (*BUNDLED_TEXTS, _LONG)
        found["all-MiniLM-L6-v2"] = (open_steps(prompt=PROMPT), texts, {"dense"})
    return found


def singles(
    name: str, steps: ManualPipeline, texts: tuple[str, ...], lacks: set[str]
) -> list[dict[str, Any]]:
    """Each fault alone."""
    left = record(manual_pipeline(steps, "left"), texts)
    rows = []
    for key, fault in FAULTS.items():
        if fault.needs and fault.needs in lacks:
            continue
        torch.manual_seed(0)
        right = manual_pipeline(inject(steps, [key]), "right")
        proof = prove(left, right, record(right, texts, floors=False))
        first = proof.faults[0].cause if proof.faults else None
        named = first.stage if first else "none"
        cause = first.key if first else "none"
        right_cause = cause in fault.cause if fault.stage else cause == "none"
        rows.append(
            {
                "model": name,
                "fault": key,
                "row": fault.row,
                "stage": fault.stage or "none",
                "named": named,
                "cause": cause,
                "right": named == (fault.stage or "none") and right_cause,
                "closed": proof.closed,
                "cosine_min": round(proof.difference.cosine_min, 6),
            }
        )
    return rows


def pairs(steps: ManualPipeline, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """All pairs of ten compatible faults: both causes, in the order in which a text meets them."""
    left = record(manual_pipeline(steps, "left"), texts)
    order = list(STAGES)
    rows = []
    for both in itertools.combinations(COMPATIBLE, 2):
        # Rounding begins at the embeddings.
        shown = sorted(both, key=lambda k: order.index("embeddings" if k == "bfloat16" else FAULTS[k].stage))
        right = manual_pipeline(inject(steps, both), "right")
        proof = prove(left, right, record(right, texts, floors=False))
        named = [fault.cause.key for fault in proof.faults]
        expected = [FAULTS[key].cause[0] for key in shown]
        rows.append({"pair": both, "named": named, "right": named == expected, "closed": proof.closed})
    return rows


def no_fault(chosen: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Pairs that differ in batch size, order, attention kernel and threads alone."""
    draw = random.Random(0)
    names = list(chosen)
    rows = []
    before = torch.get_num_threads()
    for number in range(count):
        name = names[number % len(names)]
        steps, texts, _ = chosen[name]
        shuffled = draw.sample(texts, len(texts))
        left = record(manual_pipeline(steps, "left"), shuffled)
        other = replace(steps, batch_size=draw.choice([1, 2, 3, 5, 8]))
        threads, attention = draw.choice([1, 2]), draw.choice(["eager", "sdpa"])
        torch.set_num_threads(threads)
        with kernel(other.encoder, attention):
            right = record(manual_pipeline(other, "right"), shuffled, floors=False)
        torch.set_num_threads(before)
        found = diff(left, right)
        rows.append({"model": name, "verdict": found.verdict, "gap": found.gap, "limit": found.gap_limit})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Stages injected against stages named."""
    stages = ["none", *STAGES]
    counts = Counter((row["stage"], row["named"]) for row in rows)
    used = [stage for stage in stages if any(stage in pair for pair in counts)]
    lines = ["injected \\ named".ljust(18) + "".join(stage[:12].rjust(14) for stage in used)]
    for stage in used:
        cells = "".join(str(counts.get((stage, other), 0) or "·").rjust(14) for other in used)
        lines.append(stage.ljust(18) + cells)
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run it; 1 where a fault was named wrongly, a swap did not close, or an alarm was false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundled", action="store_true", help="the bundled model too")
    parser.add_argument("--no-fault", type=int, default=_NO_FAULT_PAIRS, help="pairs without a fault")
    options = parser.parse_args(arguments)
    # Small models on many threads wait for each other; threads are varied below, on purpose.
    torch.set_num_threads(1)
    chosen = models(options.bundled)
    alone = [
        row for name, (steps, texts, lacks) in chosen.items() for row in singles(name, steps, texts, lacks)
    ]
    together = pairs(*chosen["bert"][:2])
    quiet = no_fault(chosen, options.no_fault)
    alarms = [row for row in quiet if row["verdict"] not in ("identical", "float noise")]
    print(table(alone))
    for row in alone:
        if not (row["right"] and row["closed"]):
            print(f"wrong: {row}")
    for pair in together:
        if not (pair["right"] and pair["closed"]):
            print(f"wrong pair: {pair}")
    for row in alarms:
        print(f"false alarm: {row}")
    rows_seen = sorted({row["row"] for row in alone})
    summary = {
        "benchmark": "trace_confusion",
        "models": list(chosen),
        "faults_alone": len(alone),
        "named_right": sum(row["right"] for row in alone),
        "closed": sum(row["closed"] for row in alone),
        "catalogue_rows": rows_seen,
        "pairs": len(together),
        "pairs_right": sum(pair["right"] for pair in together),
        "no_fault_pairs": len(quiet),
        "false_alarms": len(alarms),
        "largest_quiet_gap": max((row["gap"] for row in quiet), default=0.0),
        "rows": alone,
        "conditions": asdict(conditions()),
    }
    print(json.dumps(summary, ensure_ascii=False))
    good = all(row["right"] and row["closed"] for row in alone) and not alarms
    return 0 if good and all(pair["right"] and pair["closed"] for pair in together) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
