"""Named points at which a test has the process killed, as a power cut or ``kill -9`` would."""

from __future__ import annotations

import os
import signal

from workbench.errors import InvalidValueError, UnknownNameError

VARIABLE = "WB_FAULT"

# In the order in which a checkpoint passes them.
POINTS = (
    "before-write",
    "after-model",
    "after-tensors",
    "after-documents",
    "after-manifest",
    "before-rename",
    "after-rename",
    "while-pruning",
)

_passed: dict[str, int] = {}


def fault_point(name: str) -> None:
    """Kill this process here where ``WB_FAULT`` is ``name`` or ``name:n``, at the n-th passing.

    Without the variable this does nothing.

    Args:
        name: One of ``POINTS``.

    Raises:
        UnknownNameError: The variable, or the caller, names a point that is none.
        InvalidValueError: The variable's count is no whole number of 1 or more.
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    point, _, count = wanted.partition(":")
    for asked in (point, name):
        if asked not in POINTS:
            raise UnknownNameError(
                "fault-point", f"the point {asked!r}", expected=f"one of {', '.join(POINTS)}", where=VARIABLE
            )
    if count and not (count.isascii() and count.isdigit() and int(count) >= 1):
        raise InvalidValueError(
            "fault-count", f"{count!r}", expected="a whole number of 1 or more", where=VARIABLE
        )
    _passed[name] = _passed.get(name, 0) + 1
    if name == point and _passed[name] == int(count or 1):
        # SIGKILL cannot be caught: no cleaning up runs, exactly as in a crash. Windows has only SIGTERM.
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
