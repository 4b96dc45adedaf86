"""A worker that also knows jobs which go wrong, each in its own way."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError
from workbench.runs.job import Job, JobContext
from workbench.runs.jobs import JOBS
from workbench.runs.worker import main


def refuses(context: JobContext) -> Mapping[str, Any] | None:
    """Fails with a coded error after a step."""
    context.report(1, 3, loss=0.5)
    raise InvalidValueError("loss-not-finite", "the loss is nan at step 2", fix="Lower the learning rate")


def breaks(context: JobContext) -> Mapping[str, Any] | None:
    """Fails with an error nobody foresaw."""
    raise ZeroDivisionError("all of it")


def not_finite(context: JobContext) -> Mapping[str, Any] | None:
    """Reports and returns numbers that JSON does not know."""
    context.report(1, 1, loss=float("nan"), lr=float("inf"))
    return {"score": float("nan")}


def deaf(context: JobContext) -> Mapping[str, Any] | None:
    """Never asks whether to stop, and has a helper process that hangs on."""
    helper = os.fork()
    if helper == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
        os._exit(0)
    (context.folder / "helper").write_text(str(helper))
    time.sleep(60)
    return {}


def eats(context: JobContext) -> Mapping[str, Any] | None:
    """Wants more memory than it may have."""
    return {"bytes": len(bytearray(int(context.config["bytes"])))}


def killed(context: JobContext) -> Mapping[str, Any] | None:
    """Dies of a signal, as by the system's killer for want of memory."""
    number = int(context.config["signal"])
    # Started by nohup, a process and its children do not hear SIGHUP.
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    time.sleep(60)
    return {}


def leaves(context: JobContext) -> Mapping[str, Any] | None:
    """Ends well, and leaves a helper process behind."""
    helper = os.fork()
    if helper == 0:
        time.sleep(60)
        os._exit(0)
    (context.folder / "helper").write_text(str(helper))
    return {}


def lingers(context: JobContext) -> Mapping[str, Any] | None:
    """Gives its result and hangs at the exit, as a library's thread may."""
    atexit.register(time.sleep, 60)
    return {"done": True}


def spins(context: JobContext) -> Mapping[str, Any] | None:
    """Burns processor time."""
    while True:
        pass


def environment(context: JobContext) -> Mapping[str, Any] | None:
    """Tells what it sees of the world."""
    return {
        "names": sorted(os.environ),
        "modules": sorted(name for name in sys.modules if "." not in name),
        "session": os.getsid(0) == os.getpid(),
        "inputs": {path.name: path.read_text() for path in sorted(context.inputs.glob("*"))},
        "niceness": os.nice(0),
        "session_niceness": _session_niceness(),
    }


def _session_niceness() -> int | None:
    """How the scheduler weighs this session; None where it does not weigh sessions."""
    path = Path("/proc/self/autogroup")
    return int(path.read_text().split()[-1]) if path.exists() else None


def fills(context: JobContext) -> Mapping[str, Any] | None:
    """Meets a limit on the size of files, which fails as a full disk does."""
    import resource

    from workbench.runs.files import put_json

    # Python would leave half of a compiled file where it may write no more.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    put_json(context.checkpoints / "step-000000001.json", ["x" * 2000])
    return {}


FAULTY: Mapping[str, Job] = {
    **JOBS,
    "breaks": breaks,
    "deaf": deaf,
    "eats": eats,
    "environment": environment,
    "fills": fills,
    "killed": killed,
    "leaves": leaves,
    "lingers": lingers,
    "not_finite": not_finite,
    "refuses": refuses,
    "spins": spins,
}

if __name__ == "__main__":
    main(FAULTY)
