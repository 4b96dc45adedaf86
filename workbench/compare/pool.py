"""Opened contenders, kept so that the next comparison need not load them again."""

from __future__ import annotations

import threading
from collections import OrderedDict

from workbench.contenders.contract import Contender, ModelPaths, Settings
from workbench.contenders.registry import contender_kind
from workbench.models.folder import CheckedModel

# A MiniLM takes about 100 MB; six of them fit a free Space beside the libraries.
MOST_OPEN = 6


class ContenderPool:
    """Keeps the contenders used last; two equal ones are one object.

    Args:
        most: How many stay open; the one used longest ago goes first. One that is still in use elsewhere
            is only forgotten here.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self.most = most
        self._open: OrderedDict[tuple[str, str, Settings], Contender] = OrderedDict()
        # One load at a time: two at once would need the memory of both, and may be of the same model.
        self._lock = threading.Lock()

    def open(self, contender: str, model: CheckedModel, settings: Settings) -> Contender:
        """Hand out an opened contender; load it where it is not open yet.

        Raises:
            UnknownNameError: No such contender.
            WorkbenchError: Whatever the contender refuses.
        """
        key = (contender, model.admitted.sha256, settings)
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
            opened = contender_kind(contender).open(ModelPaths(model.root, model.encoder), settings)
            self._open[key] = opened
            while len(self._open) > self.most:
                self._open.popitem(last=False)
            return opened

    def clear(self) -> None:
        """Close all."""
        with self._lock:
            self._open.clear()

    def __len__(self) -> int:
        return len(self._open)


# The one that comparisons share unless they are given another.
SHARED = ContenderPool()
