"""A function run in a forked child, which may be killed or limited without harm to the tests."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import tqdm
import tqdm.auto

FAILED = 70


def in_child(function: Callable[[], object]) -> int:
    """Run a function in a child.

    Returns:
        0 where it returned, ``FAILED`` where it raised, and minus the signal that ended it.
    """
    return os.waitstatus_to_exitcode(os.waitpid(start_child(function), 0)[1])


def start_child(function: Callable[[], object]) -> int:
    """Fork, and run a function in the child; the id of the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = FAILED
    try:
        # The lock of the bars is shared with all forked processes: one killed with it would stop the others.
        # The two classes keep locks of their own as soon as each has asked for one.
        for bars in (tqdm.tqdm, tqdm.auto.tqdm):
            bars.set_lock(threading.RLock())
        function()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # No handlers of the parent's: they belong to its test run.
        os._exit(code)


KILLED = -signal.SIGKILL
