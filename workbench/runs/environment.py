"""The environment of a child: what a training needs, and nothing that could be a secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# What is not named here stays behind, so that a secret under an unforeseen name does too.
_NAMES = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV",
        "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHASHSEED", "PYTHONFAULTHANDLER",
        "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "HF_DATASETS_CACHE",
        "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "XDG_CACHE_HOME",
        "CPU_CORES", "MEMORY", "ACCELERATOR", "SPACE_ID", "SPACES_ZERO_GPU", "SYSTEM",
    }
)  # fmt: skip
_PREFIXES = ("LC_", "OMP_", "MKL_", "OPENBLAS_", "KMP_", "CUDA_", "NVIDIA_", "NCCL_", "TORCH_", "PYTORCH_")
# A second gate, for a secret whose name begins like a library's setting.
_SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "KEY")
_NO_SECRET = frozenset({"TOKENIZERS_PARALLELISM"})


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a run's process.

    Args:
        environment: That of the app.

    Returns:
        No token, this package importable, and the Hub's library told not to look for a stored token.
    """
    kept = {name: value for name, value in environment.items() if _is_kept(name)}
    package_parent = str(Path(__file__).resolve().parents[2])
    inherited = kept.get("PYTHONPATH", "")
    kept["PYTHONPATH"] = os.pathsep.join(part for part in (package_parent, inherited) if part)
    kept["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    kept["HF_TOKEN_PATH"] = os.devnull
    kept["PYTHONUNBUFFERED"] = "1"
    return kept


def on_zero_gpu(environment: Mapping[str, str]) -> bool:
    """Whether this is a Space whose GPU is lent by the call."""
    return environment.get("SPACES_ZERO_GPU", "").lower() not in ("", "0", "false")


def _is_kept(name: str) -> bool:
    if name in _NO_SECRET:
        return True
    if any(word in name.upper() for word in _SECRET_WORDS):
        return False
    return name in _NAMES or name.startswith(_PREFIXES)
