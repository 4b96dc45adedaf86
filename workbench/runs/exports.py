"""A run's settings as YAML and JSON, out and in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from workbench.errors import DataFileError
from workbench.runs.record import Run
from workbench.runs.submission import CONFIG_BYTES, checked_config

_FORMAT = 1
_KEYS = frozenset({"format", "kind", "name", "note", "settings"})
# Aliases let some bytes stand for gigabytes.
_DEPTH = 64


def to_yaml(run: Run) -> str:
    """The settings of a run as YAML."""
    text: str = yaml.safe_dump(_plain(run), allow_unicode=True, sort_keys=False)
    return text


def to_json(run: Run) -> str:
    """The settings of a run as JSON."""
    return json.dumps(_plain(run), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_text(text: str) -> dict[str, Any]:
    """Read what `to_yaml` or `to_json` wrote (JSON is YAML too).

    Returns:
        ``kind``, ``name``, ``note`` and ``config``, as `Supervisor.submit` takes them.

    Raises:
        DataFileError: ``run-settings-too-big``, ``run-settings-broken``, ``run-settings-format``.
        InvalidTypeError: ``run-config-value``.
    """
    if len(text.encode("utf-8", "replace")) > CONFIG_BYTES:
        raise DataFileError(
            "run-settings-too-big", f"{len(text):,} characters", expected=f"at most {CONFIG_BYTES:,} bytes"
        )
    try:
        _refuse_aliases(text)
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataFileError("run-settings-broken", str(error)[:300], expected="YAML or JSON") from error
    good = isinstance(found, Mapping) and set(found) <= _KEYS and found.get("format") == _FORMAT
    if not good or not isinstance(found.get("settings"), Mapping):
        raise DataFileError(
            "run-settings-format",
            "a file with other contents",
            expected=f"format: {_FORMAT}, kind, settings, and perhaps name and note",
            fix="Take a file that this app exported",
        )
    texts = {name: found.get(name, "") for name in ("kind", "name", "note")}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise DataFileError("run-settings-format", f"{value!r}"[:80], expected="a text", where=name)
    return {**texts, "config": json.loads(checked_config(found["settings"]))}


def _plain(run: Run) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "kind": run.kind,
        "name": run.name,
        "note": run.note,
        "settings": json.loads(json.dumps(run.config)),
    }


def _refuse_aliases(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("aliases are not read")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH:
            raise ValueError(f"more than {_DEPTH} levels")
