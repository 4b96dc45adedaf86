"""How much of the cores other processes used while something was measured."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Above this share of all cores no winner is called: a background job of a tenth of the machine can shift a
# ratio by about as much.
BUSY_SHARE = 0.10
_NAMED = 3
# What is below this share is not worth a name.
_NAMED_SHARE = 0.01


@dataclass(frozen=True)
class Seen:
    """One process at one moment.

    Attributes:
        name: Of its program.
        seconds: Processor time so far, of itself and of the children that it has outlived.
        parent: Number of the process that started it.
    """

    name: str
    seconds: float
    parent: int = 0


@dataclass(frozen=True)
class Busy:
    """What others used of the cores over a span.

    Attributes:
        share: 0 to 1 of all the cores that this process may use.
        seconds: Length of the span.
        cores: How many cores that are.
        names: The busiest programs and their shares, the busiest first.
    """

    share: float
    seconds: float
    cores: int
    names: tuple[tuple[str, float], ...] = ()

    @property
    def too_busy(self) -> bool:
        """Whether a difference in time may be theirs."""
        return self.share > BUSY_SHARE


# (pid, time of its start) → what it has used.
Snapshot = Mapping[tuple[int, float], Seen]


class BusyMeter:
    """Adds up what others used over several spans.

    Args:
        look: Gives the other processes as they are now.
        cores: Cores that this process may use.
    """

    def __init__(self, cores: int, look: Callable[[], Snapshot] | None = None) -> None:
        self._look = look or other_processes
        self._cores = max(cores, 1)
        self._used: dict[str, float] = defaultdict(float)
        self._seconds = 0.0
        self._begun = 0.0
        self._before: Snapshot = {}

    def begin(self) -> None:
        """A span begins."""
        self._before = self._look()
        self._begun = time.perf_counter()

    def end(self) -> None:
        """A span ends."""
        self._seconds += time.perf_counter() - self._begun
        for name, used in used_between(self._before, self._look()).items():
            self._used[name] += used

    def found(self) -> Busy:
        """The shares over all spans."""
        whole = self._seconds * self._cores
        if whole <= 0:
            return Busy(0.0, 0.0, self._cores)
        shares = sorted(((name, used / whole) for name, used in self._used.items()), key=lambda one: -one[1])
        named = tuple((name, share) for name, share in shares[:_NAMED] if share >= _NAMED_SHARE)
        return Busy(min(sum(self._used.values()) / whole, 1.0), self._seconds, self._cores, named)


def used_between(before: Snapshot, after: Snapshot) -> dict[str, float]:
    """Processor time by program between two looks.

    A process that has ended is counted with the one that outlived it, which has all its time now; what it
    had used before the first look does not count again.
    """
    used = {
        key: seen.seconds - (before[key].seconds if key in before else 0.0) for key, seen in after.items()
    }
    alive = {pid: (pid, start) for pid, start in after}
    parents = {pid: seen.parent for (pid, _), seen in before.items()}
    for key, seen in before.items():
        if key in after:
            continue
        heir = seen.parent
        while heir and heir not in alive:
            heir = parents.get(heir, 0)
        if heir:
            used[alive[heir]] -= seen.seconds
    named: dict[str, float] = defaultdict(float)
    for key, seconds in used.items():
        named[after[key].name] += max(0.0, seconds)
    return dict(named)


def other_processes() -> Snapshot:
    """Every process that is neither this one nor a child of it.

    Processes outside the container that this one may live in are not seen.
    """
    import psutil

    ours = {os.getpid()}
    own = psutil.Process()
    ours |= {child.pid for child in own.children(recursive=True)}
    found: dict[tuple[int, float], Seen] = {}
    for process in psutil.process_iter():
        if process.pid in ours:
            continue
        try:
            with process.oneshot():
                times = process.cpu_times()
                used = times.user + times.system
                used += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                found[process.pid, process.create_time()] = Seen(process.name(), used, process.ppid())
        except psutil.Error:
            # It has ended, or it is not ours to look at.
            continue
    return found
