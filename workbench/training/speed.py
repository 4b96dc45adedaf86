"""How fast a training goes, and how long it still takes."""

from __future__ import annotations

from collections import deque


class Speedometer:
    """Keeps the last steps: an average over all would tell of the slow first ones for long.

    Args:
        window: Steps that are averaged over.
    """

    def __init__(self, window: int = 50) -> None:
        self._steps: deque[tuple[float, int]] = deque(maxlen=window)

    def add(self, seconds: float, tokens: int) -> None:
        """Count one step."""
        self._steps.append((seconds, tokens))

    @property
    def tokens_per_second(self) -> float:
        """Over the last steps."""
        return sum(tokens for _, tokens in self._steps) / max(1e-9, self._seconds)

    def seconds_for(self, steps: int) -> float:
        """What so many more steps take at this pace."""
        return steps * self._seconds / max(1, len(self._steps))

    @property
    def _seconds(self) -> float:
        return sum(seconds for seconds, _ in self._steps)
