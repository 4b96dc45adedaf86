"""The JSON line that ends a benchmark: what was measured, when, of which commit, on which machine."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.compare.conditions import conditions

ROOT = Path(__file__).resolve().parent.parent


def report(name: str, measured: Mapping[str, Any], *, store: bool = False) -> None:
    """Print the line.

    Args:
        name: Of the benchmark.
        measured: Its figures.
        store: Write the line to ``benchmarks/results/NAME-DATE.json`` too.
    """
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    date = time.strftime("%Y-%m-%d")
    told = {"benchmark": name, "date": date, "commit": commit.stdout.strip(), **measured}
    line = json.dumps({**told, "conditions": asdict(conditions())}, ensure_ascii=False, default=dict)
    print(line)
    if store:
        path = ROOT / "benchmarks" / "results" / f"{name}-{date}.json"
        path.write_text(line + "\n", encoding="utf-8")
