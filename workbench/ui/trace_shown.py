"""What the Trace page keeps for a visitor under a secret token: two slim traces and their difference."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.contenders.trace_contract import Trace
from workbench.trace.results import Difference, Fault

# The probe set's two traces are about 25 MB; the oldest visitor's go first.
MAX_BYTES = 256 * 1024 * 1024
MAX_SESSIONS = 60


@dataclass(frozen=True)
class Shown:
    """Two pipelines compared.

    Attributes:
        left, right: Their traces, without the token vectors in the middle of long texts.
        names: Token id → token, of each side; empty where only a file is at hand.
        difference: Before anything was swapped.
        faults: Each proved by a swap, in order.
        live: Whether the pipelines can run, so that a swap can be tried.
        proved: Whether the swaps are over.
        closed: Whether the last one closed the gap.
        card: Key of the gallery's card; empty for none.
        seconds: From the click to the end.
    """

    left: Trace
    right: Trace
    names: tuple[Mapping[int, str], Mapping[int, str]]
    difference: Difference
    faults: tuple[Fault, ...] = ()
    live: bool = True
    proved: bool = False
    closed: bool = False
    card: str = ""
    seconds: float = 0.0

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of both."""
        return self.left.texts


def slim(trace: Trace, rows: int) -> Trace:
    """A trace with the first and last token vectors of each text, ``rows`` in all."""
    from workbench.trace.ladder import ends

    stages = {
        key: replace(
            record,
            arrays={
                name: tuple(ends(array, rows).copy() if array.ndim > 1 else array for array in arrays)
                for name, arrays in record.arrays.items()
            },
        )
        if key in ("embeddings", "layers")
        else record
        for key, record in trace.stages.items()
    }
    return replace(trace, stages=stages)


@dataclass
class _Kept:
    shown: Shown | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)


class TraceSessions:
    """Comparisons of traces by token, bounded in number and bytes; safe to use from several threads."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_sessions: int = MAX_SESSIONS) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._max_bytes = max_bytes
        self._max_sessions = max_sessions

    def start(self, token: str) -> Callable[[], bool]:
        """Forget an earlier wish to stop; what comes back says whether a new one was made."""
        stop = threading.Event()
        with self._lock:
            kept = self._kept.setdefault(token, _Kept())
            kept.stop = stop
            self._kept.move_to_end(token)
            self._bound()
        return stop.is_set

    def stop(self, token: str) -> None:
        """Ask the visitor's running work to end."""
        with self._lock:
            if token in self._kept:
                self._kept[token].stop.set()

    def keep(self, token: str, shown: Shown) -> None:
        """Hold what is on show, and let go of the least recently shown beyond the bounds."""
        with self._lock:
            self._kept.setdefault(token, _Kept()).shown = shown
            self._kept.move_to_end(token)
            self._bound()

    def shown(self, token: str) -> Shown | None:
        """What is on show; None where nothing is, or no longer."""
        with self._lock:
            kept = self._kept.get(token)
            return kept.shown if kept else None

    def note(self, token: str, name: str, value: Any) -> None:
        """Hold a small result of another panel, such as the findings of a lint."""
        with self._lock:
            self._kept.setdefault(token, _Kept()).notes[name] = value
            self._bound()

    def noted(self, token: str, name: str) -> Any:
        """What a panel holds; None where it holds nothing."""
        with self._lock:
            kept = self._kept.get(token)
            return kept.notes.get(name) if kept else None

    def forget(self, token: str) -> None:
        """The visitor has left: stop what runs and let go of what was shown."""
        with self._lock:
            kept = self._kept.pop(token, None)
        if kept:
            kept.stop.set()

    def _bound(self) -> None:
        total = sum(_bytes(one.shown) for one in self._kept.values())
        while len(self._kept) > 1 and (total > self._max_bytes or len(self._kept) > self._max_sessions):
            _, oldest = self._kept.popitem(last=False)
            oldest.stop.set()
            total -= _bytes(oldest.shown)


def _bytes(shown: Shown | None) -> int:
    if shown is None:
        return 0
    arrays = (
        array
        for trace in (shown.left, shown.right)
        for record in trace.stages.values()
        for rows in record.arrays.values()
        for array in rows
    )
    return sum(array.nbytes for array in arrays) + 4 * sum(len(text) for text in shown.texts)


TRACES = TraceSessions()
