"""Seconds from opening the Trace page to the verdict and to its proof in Chromium: the first-minute story.

Run on an idle machine: ``python -m benchmarks.trace_page --rounds 3``. Each round starts the app anew and
opens the page either at once (cold) or after the first pipeline has been opened in the background (warm).
Prints a table, then one JSON line; ends with 1 where a warm verdict takes longer than ``--limit`` seconds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.report import report

ROOT = Path(__file__).resolve().parent.parent
_CHROMIUM = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_MOMENTS = ("button", "verdict", "proof")
_WAIT = {
    "verdict": "() => document.querySelector('#wb-trace-verdict .wb-verdict.bad')",
    "proof": "() => document.querySelector('#wb-trace-swaps tbody tr')",
}
# The libraries are loaded and the first pipeline is open by then, on two idle cores.
_WARM_SECONDS = 20.0


def one_story(browser: Browser, warm: bool) -> dict[str, float]:
    """Start the app, open the page, press the button, and take the time of each moment since the opening."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    try:
        url = f"http://127.0.0.1:{port}/trace"
        _until_served(url, app)
        if warm:
            time.sleep(_WARM_SECONDS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(url)
        page.locator("#wb-trace-find").click(timeout=180_000)
        seconds = {"button": time.perf_counter() - began}
        for moment, condition in _WAIT.items():
            page.wait_for_function(condition, timeout=180_000, polling=50)
            seconds[moment] = time.perf_counter() - began
        page.close()
        return seconds
    finally:
        app.terminate()
        app.wait()


def _until_served(url: str, app: subprocess.Popen[bytes]) -> None:
    while True:
        if app.poll() is not None:
            raise RuntimeError(f"app.py ended with {app.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=10.0)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    found: dict[str, list[dict[str, float]]] = {"warm": [], "cold": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM)
        for _ in range(arguments.rounds):
            for kind, rounds in found.items():
                rounds.append(one_story(browser, kind == "warm"))
        browser.close()
    medians = {
        kind: {moment: statistics.median(one[moment] for one in rounds) for moment in _MOMENTS}
        for kind, rounds in found.items()
    }
    print(f"{'':6}" + "".join(f"{moment:>10}" for moment in _MOMENTS))
    for kind, row in medians.items():
        print(f"{kind:6}" + "".join(f"{row[moment]:10.2f}" for moment in _MOMENTS))
    report(
        "trace_page",
        {"load_before": round(load, 2), "seconds_median": medians, "runs": found},
    )
    if medians["warm"]["verdict"] > arguments.limit:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
