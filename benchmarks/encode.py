"""Encoding speed of every contender in interleaved rounds, upstream and own at their best batch size.

Run: ``WORKBENCH_DATA=folder-with-stsb python -m benchmarks.encode --rounds 5``, on a machine that does
nothing else. Prints a table of ratios of medians, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.corpora import corpus_sha256, paragraphs, sts_sentences
from benchmarks.report import report
from workbench import SentenceTransformer
from workbench.compare.flops import encoder_sizes
from workbench.compare.gemm_peak import gemm_peak
from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.registry import CONTENDERS, missing_packages
from workbench.models.folder import open_model

MODEL = "all-MiniLM-L6-v2"
BASELINE = "upstream fp32"
# The residual and all else in float32; a contender's "bf16" is a whole model in it.
LINEARS = "own bf16 linears"
# The best batch size is looked for among these, on a part of the corpus.
BATCH_SIZES = (16, 32, 64, 128)
SHORT = {"float32": "fp32", "bfloat16": "bf16"}

Encode = Callable[[list[str]], NDArray[np.float32]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--corpora", default="ab")
    parser.add_argument("--texts", type=int, default=None, help="only so many of each corpus, to try it out")
    parser.add_argument("--only", default=None, help="names joined by commas, upstream aside")
    parser.add_argument("--store", action="store_true", help="write the JSON under benchmarks/results")
    options = parser.parse_args()
    results = {}
    for name in options.corpora:
        texts = {"a": sts_sentences, "b": paragraphs}[name]()[: options.texts]
        results[name] = measure(name, texts, options.rounds, options.only)
    report("encode", {"corpora": results}, store=options.store)


def measure(name: str, texts: list[str], rounds: int, only: str | None) -> dict[str, Any]:
    checked = open_model(MODEL)
    paths = ModelPaths(checked.root, checked.encoder)
    threads = torch.get_num_threads()
    base = {"pooling": checked.pooling, "max_length": checked.max_length, "threads": threads}
    part = texts[::5]
    best = {kind: best_batch_size(kind, paths, base, part) for kind in ("upstream", "own")}
    encoders: dict[str, Encode] = {}
    # Contender, precision; left out where it is not installed.
    for kind, precision in (
        ("upstream", "float32"),
        ("own", "float32"),
        ("own", "bfloat16"),
        ("own", "int8"),
        ("manual", "float32"),
        ("onnxruntime", "float32"),
        ("onnxruntime", "int8"),
        ("openvino", "float32"),
        ("openvino", "bfloat16"),
    ):
        label = f"{kind} {SHORT.get(precision, precision)}"
        if missing_packages(kind) or (only and label != BASELINE and label not in only.split(",")):
            continue
        size = best.get(kind, 32)
        encoders[label] = (
            CONTENDERS[kind].open(paths, Settings(**base, precision=precision, batch_size=size)).encode
        )
    if not only or LINEARS in only.split(","):
        model: Any = SentenceTransformer(MODEL, device="cpu")
        encoders[LINEARS] = lambda texts: model.encode(texts, batch_size=best["own"], compute="bfloat16")
    seconds: dict[str, list[float]] = {label: [] for label in encoders}
    peaks: dict[str, list[float]] = {"fp32": [], "bf16": []}
    sizes = encoder_sizes(json.loads((checked.encoder / "config.json").read_text(encoding="utf-8")))
    assert sizes is not None
    counts = CONTENDERS["own"].open(paths, Settings(**base)).token_counts(texts)
    work = sizes.of_texts([count.kept for count in counts])
    rows: dict[str, NDArray[np.float32]] = {}
    for encode in encoders.values():
        encode(texts[:64])
    for number in range(rounds):
        for precision, name_of in SHORT.items():
            # Anew in each round, as the machine is not the same all the time.
            peak = gemm_peak(sizes, precision, "cpu", threads)
            assert peak is not None
            peaks[name_of].append(peak.gflops)
        for label, encode in encoders.items():
            begun = time.perf_counter()
            rows[label] = encode(texts)
            seconds[label].append(time.perf_counter() - begun)
        print(f"corpus {name}, round {number + 1} of {rounds}", flush=True)
    medians = {label: statistics.median(times) for label, times in seconds.items()}
    print(f"\ncorpus {name}: {len(texts)} texts, {threads} threads, batch sizes {best}, others 32")
    print(
        f"{'':<18}{'seconds':>9}{'× upstream':>12}{'of peak':>9}{'smallest cosine':>17}"
        f"{'largest difference':>20}"
    )
    out = {}
    for label, median in medians.items():
        one, other = rows[label], rows[BASELINE]
        cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        ratios = [base / own for base, own in zip(seconds[BASELINE], seconds[label], strict=True)]
        difference = float(np.abs(one - other).max())
        known = peaks.get(label.split()[1])
        share = None
        if known:
            spans = zip(seconds[label], known, strict=True)
            share = statistics.median(work / second / 1e9 / peak for second, peak in spans)
        print(
            f"{label:<18}{median:>9.2f}{statistics.median(ratios):>12.2f}"
            f"{'' if share is None else f'{share:.0%}':>9}{cosines.min():>17.6f}{difference:>20.1e}"
        )
        out[label] = {
            "seconds": seconds[label],
            "ratio": statistics.median(ratios),
            "ratios": ratios,
            "share_of_gemm_peak": share,
            "smallest_cosine": float(cosines.min()),
            "largest_difference": difference,
        }
    return {
        "texts": len(texts),
        "sha256": corpus_sha256(texts),
        "threads": threads,
        "batch_sizes": best,
        "gflop": work / 1e9,
        "gemm_peak_gflops": peaks,
        "contenders": out,
    }


def best_batch_size(kind: str, paths: ModelPaths, base: dict[str, Any], texts: list[str]) -> int:
    """A contender's fastest batch size on a part of the texts, of two rounds each."""
    found = {}
    for size in BATCH_SIZES:
        encode = CONTENDERS[kind].open(paths, Settings(**base, batch_size=size)).encode
        encode(texts[:64])
        times = []
        for _ in range(2):
            begun = time.perf_counter()
            encode(texts)
            times.append(time.perf_counter() - begun)
        found[size] = min(times)
    return min(found, key=lambda size: found[size])


if __name__ == "__main__":
    main()
