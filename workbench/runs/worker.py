"""The process of one run: ``python -m workbench.runs.worker <folder>``, started by the supervisor alone."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import Cancelled, FolderWriteError, WorkbenchError
from workbench.runs.files import get_json, put_json
from workbench.runs.job import Job, JobContext
from workbench.runs.jobs import JOBS
from workbench.runs.layout import CHECKPOINTS, CONFIG, METRICS, OUTCOME, RESULT, STOP
from workbench.runs.metrics import MetricsWriter
from workbench.runs.outcome import OUT_OF_MEMORY, UNWRITABLE_EXIT

_POLL_SECONDS = 0.1
# How libraries say it that have no MemoryError.
_MEMORY_TYPES = frozenset({"OutOfMemoryError", "ArrayMemoryError", "_ArrayMemoryError"})
_MEMORY_WORDS = ("can't allocate memory", "out of memory", "Cannot allocate memory")


def main(jobs: Mapping[str, Job] = JOBS) -> None:
    """Run the job of a folder and leave its outcome there.

    Waits for one line on stdin, which the supervisor sends once the run is on record: a child whose
    supervisor died before that ends without having touched anything.
    """
    started = time.monotonic()
    folder = Path(sys.argv[1])
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        return
    orders: dict[str, Any] = json.loads(line)
    stop = _stop_signal(folder / STOP)
    _limit(orders)
    outcome = _run(jobs, folder, orders, stop)
    outcome |= {"attempt": orders["attempt"], "seconds": time.monotonic() - started}
    try:
        put_json(folder / OUTCOME, outcome)
    except FolderWriteError:
        sys.exit(UNWRITABLE_EXIT)


def _run(
    jobs: Mapping[str, Job], folder: Path, orders: Mapping[str, Any], stop: Callable[[], bool]
) -> dict[str, Any]:
    try:
        record = get_json(folder / CONFIG)
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
        context = JobContext(
            folder,
            record,
            orders["attempt"],
            stop,
            MetricsWriter(folder / METRICS),
            max_steps=orders["steps"],
        )
        result = jobs[orders["kind"]](context)
        if result is None:
            return {"ended": "stopped"}
        put_json(folder / RESULT, dict(result))
        return {"ended": "complete"}
    except Cancelled:
        return {"ended": "stopped"}
    except Exception as error:
        # The traceback is for the log; the page shows the reason.
        with suppress(OSError):
            traceback.print_exc()
        return {"ended": "failed", "reason": _reason(error)}


def _reason(error: Exception) -> dict[str, str]:
    told = str(error)
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ in _MEMORY_TYPES
    if out_of_memory or any(word in told for word in _MEMORY_WORDS):
        return {"code": OUT_OF_MEMORY.code, "message": OUT_OF_MEMORY.message}
    if isinstance(error, WorkbenchError):
        return {"code": error.code, "message": error.message}
    if isinstance(error, ValueError) and "not JSON compliant" in told:
        return {"code": "result-not-finite", "message": "The result holds a number that is not finite"}
    return {"code": "job-error", "message": f"{type(error).__name__}: {told[:1000]}"}


def _stop_signal(file: Path) -> Callable[[], bool]:
    """Tells whether to stop: after ``SIGTERM``, or once the stop file is there."""
    heard = False
    looked = 0.0

    def hear(*_: object) -> None:
        nonlocal heard
        heard = True

    def stop() -> bool:
        nonlocal heard, looked
        now = time.monotonic()
        if not heard and now - looked > _POLL_SECONDS:
            looked = now
            heard = file.exists()
        return heard

    signal.signal(signal.SIGTERM, hear)
    return stop


def _limit(orders: Mapping[str, Any]) -> None:
    import resource

    space, cpu = orders["address_space_bytes"], orders["cpu_seconds"]
    if space is not None:
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    if cpu is not None:
        # At the first limit a signal that tells itself from others, at the second a plain kill.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        os.nice(orders["niceness"])
    # Linux may weigh sessions against each other, and this process leads its own: its niceness alone would
    # then mean nothing to the app.
    _weigh_session(orders["niceness"])
    # Where memory runs out, the run shall go and the app stay.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("700", encoding="ascii")


def _weigh_session(niceness: int) -> None:
    """Make this session give way too, where Linux has such weights and it is to give way at all."""
    for _ in range(10 if niceness else 0):
        try:
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")
            return
        except BlockingIOError:
            # Ten such changes a second are granted to all users together.
            time.sleep(0.1)
        except OSError:
            return


if __name__ == "__main__":
    main()
