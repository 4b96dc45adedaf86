"""Changing a control that has just come into sight.

Gradio mounts what a fold or a choice shows only then, and when it has been mounted gives it its state once
more: what is done in that instant, before a person could, is undone without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator

# Longer than a mount takes on a busy machine, in milliseconds.
_MOUNTED = 500


def fill(box: Locator, text: str) -> None:
    """Write a text that stays."""
    _until_kept(box, lambda: box.fill(text), lambda: box.input_value() == text)


def untick(box: Locator) -> None:
    """Take a tick away that stays away."""
    _until_kept(box, box.uncheck, lambda: not box.is_checked())


def _until_kept(box: Locator, change: Callable[[], Any], holds: Callable[[], bool]) -> None:
    for _ in range(5):
        change()
        box.page.wait_for_timeout(_MOUNTED)
        if holds():
            return
    raise AssertionError(f"{box} does not keep what is put into it")
