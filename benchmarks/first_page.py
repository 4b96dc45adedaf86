"""Seconds from the start of ``python app.py`` to its first heatmaps in Chromium: the wait of a new user.

Run on an idle machine: ``python -m benchmarks.first_page --rounds 3``. Prints a table, then one JSON line.
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
_MOMENTS = ("served", "own", "all three", "verdict", "finished")
_WAIT = {
    "own": "() => document.querySelectorAll('#wb-board .hm-grid').length >= 1",
    "all three": "() => document.querySelectorAll('#wb-board .hm-grid').length >= 3",
    "verdict": "() => document.querySelectorAll('#wb-agreement tbody tr:not(.wb-why)').length >= 3",
    "finished": "() => / s$/.test(document.querySelector('#wb-progress')?.innerText.trim() || '')",
}


def one_start(browser: Browser) -> dict[str, float]:
    """Start the app, open its page as soon as it answers, and take the time of each moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _until_served(url, app)
        seconds = {"served": time.perf_counter() - began}
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
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
    """Measure, print, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    load = os.getloadavg()[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM)
        runs = [one_start(browser) for _ in range(rounds)]
        browser.close()
    medians = {moment: statistics.median(run[moment] for run in runs) for moment in _MOMENTS}
    for moment in _MOMENTS:
        print(f"{moment:<12}{medians[moment]:>7.1f} s   {[round(run[moment], 1) for run in runs]}")
    report(
        "first_page",
        {
            "load_before": round(load, 2),
            "seconds_median": {name: round(value, 2) for name, value in medians.items()},
            "runs": [{name: round(value, 2) for name, value in run.items()} for run in runs],
        },
    )


if __name__ == "__main__":
    main()
