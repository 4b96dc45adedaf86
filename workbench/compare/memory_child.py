"""The child process of ``memory``: one JSON request on stdin, one JSON line with the figures on stdout."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from workbench.contenders.contract import ModelPaths, Settings
from workbench.contenders.registry import contender_kind


def main() -> None:
    """Load the contender, encode one text, then all once; print peak and start."""
    request: dict[str, Any] = json.load(sys.stdin)
    settings = Settings(**request["settings"])
    paths = ModelPaths(Path(request["root"]), Path(request["encoder"]))
    contender = contender_kind(request["contender"]).open(paths, settings)
    contender.encode(request["texts"][:1])
    start_seconds = time.time() - request["began"]
    contender.encode(request["texts"])
    print(json.dumps({"peak_mb": _peak_bytes(settings.device) / 1e6, "start_seconds": start_seconds}))


def _peak_bytes(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    # Not getrusage where this is known: Linux carries ru_maxrss over fork and exec, so that it would be the
    # peak of the parent.
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


if __name__ == "__main__":
    main()
