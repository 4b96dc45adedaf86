"""Peak memory and start of a contender, from a child process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.registry import contender_kind
from workbench.errors import WorkbenchError

TIMEOUT_SECONDS = 120.0
# The child loads a model whose name a visitor may have chosen: it gets no secret of this process.
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY")


@dataclass(frozen=True)
class FreshProcess:
    """A contender in a process that held nothing before.

    Attributes:
        peak_mb: Megabytes (10^6 bytes). On CPU the peak resident memory of the whole process, libraries
            included; on CUDA the peak that torch allocated there.
        start_seconds: From the start of the process to the first embedding: interpreter, imports, loading,
            one text.
    """

    peak_mb: float
    start_seconds: float


def peak_memory_mb(
    contender: str,
    paths: ModelPaths,
    settings: Settings,
    texts: Sequence[str],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> float:
    """The peak of `in_fresh_process`, in megabytes; arguments and errors as there."""
    return in_fresh_process(contender, paths, settings, texts, timeout_seconds=timeout_seconds).peak_mb


def in_fresh_process(
    contender: str,
    paths: ModelPaths,
    settings: Settings,
    texts: Sequence[str],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> FreshProcess:
    """Load the contender in a fresh process, encode one text, then all texts once.

    Args:
        contender: Key of the contender table.
        paths: The admitted copy of the model.
        settings: What the pipeline does.
        texts: What it encodes.
        timeout_seconds: After that the child is killed.

    Raises:
        UnknownNameError: No such contender.
        WorkbenchError: The child failed (``memory-child-failed``) or took too long (``memory-timeout``).
    """
    contender_kind(contender)
    request = {
        "began": time.time(),
        "contender": contender,
        "root": str(paths.root),
        "encoder": str(paths.encoder),
        "settings": asdict(settings),
        "texts": list(texts),
    }
    try:
        child = subprocess.run(
            [sys.executable, "-m", "workbench.compare.memory_child"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_seconds,
            env=child_environment(os.environ),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkbenchError(
            "memory-timeout",
            f"{contender} did not load and encode {len(texts)} texts within {timeout_seconds:g} seconds",
            fix="Measure with fewer texts, or allow more time",
        ) from error
    if child.returncode != 0:
        said = child.stderr.strip().splitlines()
        raise WorkbenchError(
            "memory-child-failed",
            f"The process that measures {contender} ended with {child.returncode}: {''.join(said[-1:])}",
            fix="Encode with this column first: if that works, the machine may lack memory for a second copy",
        )
    # Libraries may print; the answer is the last line.
    found = json.loads(child.stdout.splitlines()[-1])
    return FreshProcess(float(found["peak_mb"]), float(found["start_seconds"]))


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that loads a model: no secrets, no network, and this package importable."""
    kept = {
        name: value
        for name, value in environment.items()
        if not any(word in name.upper() for word in _SECRET_WORDS)
    }
    package_parent = str(Path(__file__).resolve().parents[2])
    inherited = kept.get("PYTHONPATH", "")
    kept["PYTHONPATH"] = os.pathsep.join(part for part in (package_parent, inherited) if part)
    kept["HF_HUB_OFFLINE"] = "1"
    return kept
