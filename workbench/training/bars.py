"""The two progress bars of the classic training: epochs, and the steps in one."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm


class Bars:
    """Shown on standard error, or nowhere.

    Args:
        epochs: Of the training.
        steps: Of an epoch.
        shown: Whether there are any.
    """

    def __init__(self, epochs: int, steps: int, *, shown: bool) -> None:
        self._steps = steps
        self._shown = shown
        self._epochs: Any = tqdm(total=epochs, desc="Epoch", disable=not shown)
        self._inner: Any = None

    def start_epoch(self, epoch: int, step: int) -> None:
        """Show an epoch from a step on."""
        self._close_inner()
        self._epochs.n = epoch
        self._epochs.refresh()
        self._inner = tqdm(
            total=self._steps,
            initial=step,
            desc="Iteration",
            smoothing=0.05,
            disable=not self._shown,
        )

    def step(self, losses: tuple[float, ...]) -> None:
        """Count a step."""
        self._inner.set_postfix_str(" ".join(f"loss {loss:.4f}" for loss in losses), refresh=False)
        self._inner.update()
        if self._inner.n >= self._steps:
            self._epochs.update()

    def close(self) -> None:
        """Leave the terminal to others."""
        self._close_inner()
        self._epochs.close()

    def _close_inner(self) -> None:
        if self._inner is not None:
            self._inner.close()
