"""The test command: ``python -m tests`` checks format, lint, types, imports and runs the tests."""

from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
_SCRIPTS = Path(sys.executable).parent
# What the runner prints when one of its worker processes is gone.
_LOST = b"node down: Not properly terminated"
# After that it may wait for ever for what the process should have run. No test is silent that long (seconds).
_SILENT = 240.0

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
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        passed = str(Path(folder) / "passed")
        code, printed = _printed(name, command, {"TESTS_PASSED": passed})
        if code != 0 and _LOST in printed:
            # Seen a few times: a worker process of the runner ends by a segmentation fault, no traceback, at
            # a test that starts a process. What has not passed is run again in one process, of the files with
            # a failure; of all, unless the run came to its end (1).
            failed = printed if code == 1 else b""
            alone = _alone(command, failed)
            code, _ = _printed(f"{name}, again after a lost worker", alone, {"TESTS_NOT_AGAIN": passed})
    return name, code == 0, time.monotonic() - began


def _printed(name: str, command: Sequence[str], more: Mapping[str, str]) -> tuple[int, bytes]:
    """The exit code and the output, which is handed on as it comes; ``more`` is for the environment."""
    print(f"\n== {name}: {' '.join(command[1:] if command[0] == sys.executable else command)}", flush=True)
    printed = b""
    environment = {**os.environ, **more}
    try:
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0, env=environment
        ) as process:
            assert process.stdout is not None
            while _speaks(process.stdout, printed):
                if not (chunk := process.stdout.read(4096)):
                    break
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
                printed += chunk
            else:
                print("\nstopped: silent after a lost worker", flush=True)
                process.kill()
    except FileNotFoundError as error:
        print(f"{error}. Install what the tests need: pip install -r requirements-dev.txt")
        return 127, printed
    return process.returncode, printed


def _speaks(output: IO[bytes], printed: bytes) -> bool:
    """Wait for more output; False where none came for too long after a worker was lost."""
    while not select.select([output], [], [], _SILENT)[0]:
        if _LOST in printed:
            return False
    return True


def _alone(command: Sequence[str], printed: bytes) -> tuple[str, ...]:
    """The same selection from the files with a failure, in one process; from all where none was named."""
    kept = list(command)
    for option in ("-n", "--dist"):
        place = kept.index(option)
        del kept[place : place + 2]
    failed = re.findall(rb"^(?:FAILED|ERROR) (\S+?\.py)::", printed, re.MULTILINE)
    return (*kept, *dict.fromkeys(path.decode() for path in failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
