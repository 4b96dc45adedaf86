"""What the server keeps for a visitor: the comparison on show and the wish to stop, under a secret token."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.ui.snapshot import Snapshot

# A thousand texts in six columns of 384 numbers are 9 MB; the oldest visitor's comparison goes first.
MAX_BYTES = 256 * 1024 * 1024
MAX_SESSIONS = 200


@dataclass
class _Kept:
    snapshot: Snapshot = field(default_factory=Snapshot)
    stop: threading.Event = field(default_factory=threading.Event)


class Sessions:
    """Comparisons by token, bounded in number and bytes; safe to use from several threads."""

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
        return stop.is_set

    def stop(self, token: str) -> None:
        """Ask the visitor's running comparison to end."""
        with self._lock:
            if token in self._kept:
                self._kept[token].stop.set()

    def keep(self, token: str, snapshot: Snapshot) -> None:
        """Hold what is on show, and let go of the least recently shown beyond the bounds."""
        with self._lock:
            kept = self._kept.setdefault(token, _Kept())
            kept.snapshot = snapshot
            self._kept.move_to_end(token)
            total = sum(_bytes(one.snapshot) for one in self._kept.values())
            while len(self._kept) > 1 and (total > self._max_bytes or len(self._kept) > self._max_sessions):
                _, oldest = self._kept.popitem(last=False)
                total -= _bytes(oldest.snapshot)

    def shown(self, token: str) -> Snapshot:
        """What is on show; an empty snapshot where nothing is, or no longer."""
        with self._lock:
            kept = self._kept.get(token)
            return kept.snapshot if kept else Snapshot()

    def forget(self, token: str) -> None:
        """The visitor has left: stop what runs and let go of what was shown."""
        with self._lock:
            kept = self._kept.pop(token, None)
        if kept:
            kept.stop.set()


def new_token() -> str:
    """128 random bits: the only key to a visitor's comparison."""
    return secrets.token_hex(16)


def _bytes(snapshot: Snapshot) -> int:
    vectors = sum(column.embeddings.nbytes for column in snapshot.columns)
    return vectors + sum(len(text) for text in snapshot.texts) * 4


SESSIONS = Sessions()
