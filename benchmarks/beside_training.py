"""How long the Compare page's endpoint takes while a run trains, and whether the run notices: its weights.

Run on an idle machine: ``python -m benchmarks.beside_training --calls 40``. Prints a table, then a JSON line.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio_client import Client

from benchmarks.report import report
from workbench.data.presets import PRESETS
from workbench.runs.connect import open_runs
from workbench.runs.owner import new_owner
from workbench.runs.record import Run
from workbench.runs.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent
_TEXTS = list(PRESETS["english"].texts)
_BOUND_SECONDS = 3600.0


def training(steps: int) -> dict[str, Any]:
    """The settings of the run: the bundled model on the bundled pairs, without a proof."""
    return {
        "training": {"data": {"view": "answers"}, "epochs": 100, "max_steps": steps, "evaluator": "none"},
        "ways": ["own"],
        "prove": False,
    }


def weights_digest(folder: Path) -> str:
    """One sha256 over the weights of every model that a run has saved."""
    digest = hashlib.sha256()
    found = sorted(folder.glob("own-*/model/**/*.safetensors"))
    if not found:
        raise RuntimeError(f"no weights in {folder}")
    for path in found:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def timed_calls(client: Client, calls: int, wanted: Callable[[], bool] = lambda: True) -> list[float]:
    """Seconds of each comparison of eight sentences in three columns, as long as they are wanted."""
    seconds = []
    while len(seconds) < calls and wanted():
        begun = time.perf_counter()
        answer = client.predict(texts=_TEXTS, api_name="/compare")
        seconds.append(time.perf_counter() - begun)
        if not isinstance(answer, dict) or "error" in answer:
            raise RuntimeError(str(answer)[:300])
    return seconds


def figures(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile and number of times."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {
        "calls": len(seconds),
        "p50_seconds": round(statistics.median(seconds), 3),
        "p95_seconds": round(cuts[-1], 3),
    }


def measure(runs: Supervisor, client: Client, calls: int, steps: int) -> dict[str, Any]:
    """Compare alone, then beside a run, then the same run alone."""
    owner = new_owner()
    timed_calls(client, 3)
    alone = timed_calls(client, calls)
    beside_run = runs.submit(owner, "train", training(steps))
    _until_training(runs, owner, beside_run)
    beside = timed_calls(client, calls, lambda: runs.show(owner, beside_run.id).active)
    beside_run = _ended(runs, owner, beside_run)
    lone_run = _ended(runs, owner, runs.submit(owner, "train", training(steps)))
    digests = [weights_digest(runs.run_folder(owner, run.id)) for run in (beside_run, lone_run)]
    return {
        "compare_alone": figures(alone),
        "compare_beside": figures(beside),
        "run_seconds": {"beside": round(beside_run.seconds, 1), "alone": round(lone_run.seconds, 1)},
        "same_weights": digests[0] == digests[1],
    }


def _until_training(runs: Supervisor, owner: str, run: Run) -> None:
    while runs.show(owner, run.id).step < 1:
        if not runs.show(owner, run.id).active:
            _ended(runs, owner, run)
        time.sleep(0.1)


def _ended(runs: Supervisor, owner: str, run: Run) -> Run:
    found = runs.wait(owner, run.id, _BOUND_SECONDS)
    if found.state != "complete":
        raise RuntimeError(f"{found.state}: {found.reason}\n{runs.log_tail(owner, run.id)[-2000:]}")
    return found


def _served(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--home", str(home)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    url = f"http://127.0.0.1:{port}/"
    while True:
        if app.poll() is not None:
            raise RuntimeError(f"app.py ended with {app.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return app, url
        except OSError:
            time.sleep(0.1)


def main() -> None:
    """Measure, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40, help="comparisons alone, and at most beside the run")
    parser.add_argument("--steps", type=int, default=300, help="of the run")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "runs"
        # The supervisor is this program, so that the app's process does what it does without a page open.
        with open_runs(home) as runs:
            assert isinstance(runs, Supervisor)
            app, url = _served(home)
            try:
                found = measure(runs, Client(url, verbose=False), asked.calls, asked.steps)
            finally:
                app.terminate()
                app.wait()
    for name in ("compare_alone", "compare_beside"):
        row = found[name]
        print(f"{name:<15} p50 {row['p50_seconds']:.3f} s  p95 {row['p95_seconds']:.3f} s  ({row['calls']})")
    print(f"the run         {found['run_seconds']}  same weights: {found['same_weights']}")
    report(
        "beside_training",
        {
            "load_before": round(load, 2),
            "steps": asked.steps,
            **found,
        },
    )


if __name__ == "__main__":
    main()
