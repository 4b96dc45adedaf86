"""The app's one connection to the runs, and the secret by which a visitor's browser owns its own."""

from __future__ import annotations

import atexit
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import gradio as gr

from workbench.errors import InvalidValueError, WorkbenchError
from workbench.ui.errors import box_html
from workbench.ui.guards import on_a_space
from workbench.ui.texts import TEXTS, Language, say
from workbench.ui.widgets.html import Safe, join

if TYPE_CHECKING:
    from workbench.runs.client import Client
    from workbench.runs.limits import Limits
    from workbench.runs.supervisor import Supervisor

# By default Gradio draws both anew in every process, and a visitor's runs would be nobody's after a restart.
# What is kept under them is a secret of 128 bits itself; this one only scrambles it in the browser's storage.
_STORAGE_KEY = "wb_owner_v1"
_STORAGE_SECRET = "workbench-owner-v1"
# A machine that everybody uses: nobody may hold it for longer.
_SPACE_SECONDS = 2 * 3600.0
_SPACE_STEPS = 50_000

_lock = threading.Lock()
_opened: contextlib.ExitStack | None = None
_runs: Supervisor | Client | None = None


def runs() -> Supervisor | Client:
    """The runs of this process: opened at the first call, kept open until the process ends.

    Where another app on this machine has them open already, they are asked of it; once that one has ended,
    this app takes its place.

    Raises:
        WorkbenchError: ``supervisor-elsewhere``: another process has them open and does not answer.
    """
    global _opened, _runs
    from workbench.runs.connect import open_runs
    from workbench.runs.layout import default_home

    with _lock:
        if _runs is None or not _answers(_runs):
            _let_go()
            stack = contextlib.ExitStack()
            _runs = stack.enter_context(open_runs(default_home(), limits=_limits()))
            _opened = stack
        return _runs


def wake() -> threading.Thread:
    """Open the runs in the background where there are some: what waits needs its supervisor."""
    thread = threading.Thread(target=_open_if_there, name="wake-runs", daemon=True)
    thread.start()
    return thread


def close() -> None:
    """Let go of the runs; children go on, and the next call of `runs` finds them."""
    with _lock:
        _let_go()


atexit.register(close)


def owner_state() -> Any:
    """The component that keeps the visitor's secret in the browser, over reloads and restarts of the app."""
    return gr.BrowserState("", storage_key=_STORAGE_KEY, secret=_STORAGE_SECRET)


def checked_owner(value: object) -> str:
    """The secret that came from the browser, or a new one where none of ours came.

    Example:
        >>> checked_owner("ab" * 16)
        'abababababababababababababababab'
    """
    from workbench.runs.owner import new_owner, owner_hash

    if isinstance(value, str):
        with contextlib.suppress(InvalidValueError):
            owner_hash(value)
            return value
    return new_owner()


def notices_html(language: Language) -> Safe:
    """What the visitor must know about the history of runs, as framed messages; empty if all is well."""
    try:
        notices = runs().notices
    except WorkbenchError as error:
        return box_html(error.message, "warn")
    return join(box_html(_told(notice.code, notice.message, language), "warn") for notice in notices)


def _told(code: str, message: str, language: Language) -> Safe | str:
    key = f"notice.{code}"
    return say(language, key, message=message) if key in TEXTS[language] else message


def _answers(held: Supervisor | Client) -> bool:
    from workbench.runs.client import Client
    from workbench.runs.layout import default_home

    if not isinstance(held, Client):
        return True
    try:
        Client(default_home())
    except WorkbenchError:
        return False
    return True


def _open_if_there() -> None:
    from workbench.runs import layout

    if layout.database(layout.default_home()).exists():
        # Whoever asks for the runs first is told the same.
        with contextlib.suppress(WorkbenchError):
            runs()


def _let_go() -> None:
    global _opened, _runs
    stack, _opened, _runs = _opened, None, None
    if stack is not None:
        stack.close()


def _limits() -> Limits:
    from workbench.runs.limits import Limits

    return Limits(wall_seconds=_SPACE_SECONDS, steps=_SPACE_STEPS) if on_a_space() else Limits()
