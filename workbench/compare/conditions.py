"""Under what a comparison was run: versions, processor, cores, GPU, date."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from workbench.compare.results import Conditions

_PACKAGES = ("sentence-transformers", "transformers", "tokenizers", "torch", "safetensors", "numpy")


def conditions() -> Conditions:
    """Look at the machine and the installed packages, now."""
    versions = {name: found for name in _PACKAGES if (found := _version(name))}
    return Conditions(
        versions=versions,
        cpu=cpu_name(),
        cores=cpu_cores(),
        gpu=gpu_name(),
        python=platform.python_version(),
        date_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def cpu_cores() -> int:
    """Cores this process may use. On a Space ``CPU_CORES`` says it; the kernel there counts the host's."""
    stated = os.environ.get("CPU_CORES", "")
    if stated.isascii() and stated.isdigit() and int(stated) > 0:
        return int(stated)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Model name of the processor, or its architecture where the kernel does not tell."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next((name for name in names if name), platform.processor() or platform.machine() or "unknown")


def gpu_name() -> str | None:
    """Name of the first CUDA GPU, or None without one."""
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
