"""Entry of the Space and of ``python app.py``: the command ``app`` of the command line."""

from __future__ import annotations

import os
import sys

if os.environ.get("SPACES_ZERO_GPU"):
    # It has to come before anything touches CUDA.
    import spaces  # type: ignore[import-not-found]  # noqa: F401

from workbench.__main__ import cli

if __name__ == "__main__":
    cli(["app", *sys.argv[1:]], prog_name="python app.py")
