"""What a process costs: from its start to the first embedding, and its peak memory over corpus b.

Run: ``python -m benchmarks.start_and_memory --rounds 5``, on a machine that does nothing else. Contenders run
in turn, each in a fresh process. Prints a table of medians and their ratio, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.corpora import corpus_sha256, paragraphs
from benchmarks.report import report
from workbench.models.folder import open_model

ROOT = Path(__file__).resolve().parent.parent
# A model of BERT's family starts without the Transformers library, any other one with it.
OTHER = "mpnet"

FIRST = {
    "own": "from workbench import SentenceTransformer",
    "upstream": "from sentence_transformers import SentenceTransformer",
}
BODY = """
import json, resource, sys
model = SentenceTransformer(sys.argv[1], device="cpu")
texts = json.load(open(sys.argv[2])) if len(sys.argv) > 2 else ["a first sentence"]
model.encode(texts, batch_size=32, show_progress_bar=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run(library: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak MiB of a process that loads a model and encodes."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", FIRST[library] + BODY, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return time.perf_counter() - begun, float(done.stdout.splitlines()[-1])


def other_model(folder: Path) -> Path:
    """A random model of six layers that is not of BERT's family, with upstream's own writer."""
    from tests.models.tiny import write_upstream

    return write_upstream(folder, OTHER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bundled = str(open_model("all-MiniLM-L6-v2").root)
    texts = paragraphs()
    with tempfile.TemporaryDirectory() as scratch:
        other = str(other_model(Path(scratch) / "other"))
        corpus = Path(scratch) / "b.json"
        corpus.write_text(json.dumps(texts))
        cases = {
            "first embedding, bundled BERT": (bundled,),
            f"first embedding, tiny {OTHER}": (other,),
            "peak memory over corpus b": (bundled, str(corpus)),
        }
        results = {}
        print(f"{'':<32}{'own':>10}{'upstream':>10}{'ratio':>8}")
        for case, arguments in cases.items():
            memory = len(arguments) > 1
            found: dict[str, list[float]] = {library: [] for library in FIRST}
            for _ in range(1 if memory else options.rounds):
                for library, values in found.items():
                    values.append(run(library, *arguments)[1 if memory else 0])
            medians = {library: statistics.median(values) for library, values in found.items()}
            ratio = medians["own"] / medians["upstream"]
            print(f"{case:<32}{medians['own']:>10.2f}{medians['upstream']:>10.2f}{ratio:>8.2f}", flush=True)
            results[case] = {"values": found, "ratio": ratio, "unit": "MiB" if memory else "s"}
    report(
        "start_and_memory",
        {
            "corpus_b_sha256": corpus_sha256(texts),
            "results": results,
        },
    )


if __name__ == "__main__":
    main()
