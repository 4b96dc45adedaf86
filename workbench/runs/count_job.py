"""A job without torch: sums numbers step by step, with checkpoints. It shows the machinery at work."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import InvalidValueError
from workbench.runs.files import get_json, put_json
from workbench.runs.job import JobContext

KEPT_CHECKPOINTS = 2
_CHECKPOINT = re.compile(r"step-\d{9}\.json", re.ASCII)


def count(context: JobContext) -> Mapping[str, Any] | None:
    """Do the steps that are left; the result depends on the settings alone, not on where it was stopped.

    Settings: ``steps``, ``seed``, ``checkpoint_every``, ``step_seconds`` (time that a step takes).

    Raises:
        InvalidValueError: ``count-setting``.
    """
    steps = _setting(context.config, "steps", 10)
    every = max(1, _setting(context.config, "checkpoint_every", 1))
    state = _newest(context.checkpoints) or {"step": 0, "sum": 0, "word": str(context.config.get("seed", 0))}
    if context.attempt > 1:
        context.resumed(state["step"])
    while state["step"] < steps:
        if context.stop():
            _save(context.checkpoints, state)
            return None
        time.sleep(float(context.config.get("step_seconds", 0.0)))
        state = next_state(state)
        context.report(state["step"], steps, loss=state["sum"] / state["step"])
        if state["step"] % every == 0:
            _save(context.checkpoints, state)
    return {"sum": state["sum"], "word": state["word"]}


def next_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """One step along a chain of hashes, so that a step left out or done twice shows."""
    word = hashlib.sha256(state["word"].encode()).hexdigest()
    return {"step": state["step"] + 1, "sum": state["sum"] + int(word[:4], 16), "word": word}


def _setting(config: Mapping[str, Any], name: str, default: int) -> int:
    value = config.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidValueError(
            "count-setting", repr(value)[:80], expected="a whole number from 0", where=name
        )
    return value


def _save(folder: Path, state: Mapping[str, Any]) -> None:
    put_json(folder / f"step-{state['step']:09d}.json", {**state, "sha256": _digest(state)})
    for old in _saved(folder)[:-KEPT_CHECKPOINTS]:
        old.unlink(missing_ok=True)


def _newest(folder: Path) -> dict[str, Any] | None:
    for path in reversed(_saved(folder)):
        state = get_json(path)
        if isinstance(state, dict) and state.pop("sha256", None) == _digest(state):
            return state
    return None


def _saved(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _CHECKPOINT.fullmatch(path.name))


def _digest(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(state.items())).encode()).hexdigest()
