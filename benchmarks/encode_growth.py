"""Cost as work grows: seconds a token, repeated texts, and the memory of a stream into a Parquet file.

Run: ``WORKBENCH_DATA=folder-with-stsb python -m benchmarks.encode_growth``, on a machine that does
nothing else. Texts are the sentences of STS-B, numbered so that no two are equal. Prints a table,
then one JSON line.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.corpora import sts_sentences
from benchmarks.report import report
from workbench import SentenceTransformer
from workbench.encoding.linear import COMPUTES


def numbered(count: int) -> Iterator[str]:
    """So many different sentences, few of them as long on average as many."""
    sentences = sts_sentences()
    for number in range(count):
        # The corpus begins with its shortest: steps of a prime walk through all of it.
        yield f"{number} {sentences[number * 7919 % len(sentences)]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--stream", type=int, default=1_000_000)
    parser.add_argument("--compute", choices=COMPUTES, default="bfloat16", help="of the largest ones")
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--store", action="store_true", help="write the JSON under benchmarks/results")
    options = parser.parse_args()
    model: Any = SentenceTransformer(options.model, device="cpu")
    model.encode(list(numbered(200)), compute=options.compute)
    result: dict[str, Any] = {"tokens": growth(model, options.texts, options.compute)}
    result["repeats"] = repeats(model)
    result["stream"] = stream(options.model, options.stream, options.compute)
    report("encode_growth", result, store=options.store)


def growth(model: Any, counts: list[int], compute: str) -> list[dict[str, float]]:
    """Microseconds a token at each size, the sizes taken in turn."""
    seconds: dict[int, list[float]] = {count: [] for count in counts}
    tokens = {}
    for _ in range(3):
        for count in counts:
            texts = list(numbered(count))
            begun = time.perf_counter()
            model.encode(texts, compute=compute)
            seconds[count].append(time.perf_counter() - begun)
            tokens[count] = model.encode_report.tokens
    out = []
    for count in counts:
        each = statistics.median(seconds[count]) / tokens[count] * 1e6
        print(f"{count:>9,} texts, {compute}: {each:6.2f} microseconds a token")
        out.append({"texts": count, "microseconds_a_token": each, "compute": compute})
    return out


def repeats(model: Any) -> dict[str, float]:
    """A corpus against the same one of which every text stands there twice."""
    once = list(numbered(3000))
    seconds: dict[str, list[float]] = {"once": [], "twice": []}
    for _ in range(3):
        for name, texts in (("once", once), ("twice", once + once)):
            begun = time.perf_counter()
            model.encode(texts)
            seconds[name].append(time.perf_counter() - begun)
    ratio = statistics.median(seconds["twice"]) / statistics.median(seconds["once"])
    print(f"every text twice, float32: {ratio:.2f} × the time of once")
    return {"ratio": ratio}


def stream(name: str, count: int, compute: str) -> list[dict[str, float]]:
    """A tenth of the stream and all of it, each in a process of its own."""
    out = []
    for size in (count // 10, count):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            found = alone.submit(streamed, name, size, compute).result()
        print(
            f"{size:>9,} streamed, {compute}: {found['seconds']:.0f} s, peak {found['peak_mib']:.0f} MiB, "
            f"file {found['file_mib']:.0f} MiB"
        )
        out.append(found)
    return out


def streamed(name: str, size: int, compute: str) -> dict[str, float]:
    """Seconds, and the most memory that the process ever held."""
    model: Any = SentenceTransformer(name, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        model.encode_to_parquet(numbered(size), Path(folder) / "v.parquet", compute=compute)
        return {
            "texts": size,
            "seconds": time.perf_counter() - begun,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "file_mib": (Path(folder) / "v.parquet").stat().st_size / 2**20,
        }


if __name__ == "__main__":
    main()
