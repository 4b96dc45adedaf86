"""Changing a control that has just come into sight.

Gradio mounts what a fold or a choice shows only then, and when it has been mounted gives it its state once
more: what is done in that instant, before a person could, is undone without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator

# The page has drawn, has had nothing to do, and again after a while.
_IDLE = """() => new Promise(done => {
  const idle = then => requestIdleCallback(then, { timeout: 5000 });
  idle(() => setTimeout(() => idle(done), 300));
})"""


def fill(box: Locator, text: str) -> None:
    """Put in a text that stays, at once."""
    _until_kept(box, lambda: box.fill(text), lambda: box.input_value() == text)


def type_in(box: Locator, text: str) -> None:
    """Type a text that stays, key by key, after what is there has been taken out."""

    def typed() -> None:
        box.clear()
        box.press_sequentially(text)

    _until_kept(box, typed, lambda: box.input_value() == text)


def untick(box: Locator) -> None:
    """Take a tick away that stays away."""
    _until_kept(box, box.uncheck, lambda: not box.is_checked())


def _until_kept(box: Locator, change: Callable[[], Any], holds: Callable[[], bool]) -> None:
    box.wait_for()
    for _ in range(3):
        box.page.evaluate(_IDLE)
        change()
        box.page.evaluate(_IDLE)
        if holds():
            return
    raise AssertionError(f"{box} does not keep what is put into it")
