"""The test command: ``python -m tests`` checks format, lint, types, imports and runs the tests."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_SCRIPTS = Path(sys.executable).parent

# The same examples in every run: what chance alone finds is looked for by running pytest itself.
_PYTEST = (sys.executable, "-m", "pytest", "--hypothesis-profile", "fixed")

CHECKS: dict[str, tuple[str, ...]] = {
    "format": (sys.executable, "-m", "ruff", "format", "--check", "."),
    "lint": (sys.executable, "-m", "ruff", "check", "."),
    "types": (sys.executable, "-m", "mypy"),
    "imports": (str(_SCRIPTS / "lint-imports"),),
    # A file stays in one process, because its tests share loaded models.
    "tests": (*_PYTEST, "-m", "not browser", "-n", "2", "--dist", "loadfile"),
    # Alone on the machine: a browser beside other work is slow enough to look broken.
    "browser": (*_PYTEST, "-m", "browser"),
}
# The other checks have no long form. A selection that finds no test ends with 5, which is a failure here too.
FULL_CHECKS: dict[str, tuple[str, ...]] = {
    "long tests": (*_PYTEST, "--full", "-m", "full and not browser", "-n", "2", "--dist", "loadfile"),
    "long browser": (*_PYTEST, "--full", "-m", "full and browser"),
}


def main(arguments: Sequence[str]) -> int:
    """Run all checks, those after a failed one too.

    Returns:
        0 if every check passed, else 1.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests", description="Format, lint, types, imports, tests."
    )
    parser.add_argument("--full", action="store_true", help="run the long forms, and only these")
    parser.add_argument("rest", nargs="*", help="handed on to pytest, after --")
    options = parser.parse_args(arguments)
    results = [
        _run(name, (*command, *options.rest) if "pytest" in command else command)
        for name, command in (FULL_CHECKS if options.full else CHECKS).items()
    ]
    print(
        "\n"
        + "\n".join(
            f"{name:<14}{'passed' if ok else 'FAILED'}{seconds:>9.1f} s" for name, ok, seconds in results
        )
    )
    return 0 if all(ok for _, ok, _ in results) else 1


def _run(name: str, command: Sequence[str]) -> tuple[str, bool, float]:
    print(f"\n== {name}: {' '.join(command[1:] if command[0] == sys.executable else command)}", flush=True)
    began = time.monotonic()
    try:
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
    except FileNotFoundError as error:
        print(f"{error}. Install what the tests need: pip install -r requirements-dev.txt")
        code = 127
    return name, code == 0, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
