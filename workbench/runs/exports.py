"""A run's settings as YAML and JSON, out and in, and as a program that trains as the run did."""

from __future__ import annotations

import json
import pprint
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import yaml

from workbench.errors import DataFileError, InvalidValueError
from workbench.runs.record import Run
from workbench.runs.submission import CONFIG_BYTES, checked_config

_FORMAT = 1
_KEYS = frozenset({"format", "kind", "name", "note", "settings"})
# Aliases let some bytes stand for gigabytes.
_DEPTH = 64
# Escaped, a character takes up to six bytes.
_TEXT_BYTES = 6 * CONFIG_BYTES


def to_yaml(run: Run) -> str:
    """The settings of a run as YAML."""
    plain = _plain(run)
    text: str = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False)
    if _same(text, plain):
        return text
    # Some characters stand for a line's end when they are not escaped; with them, all are.
    escaped: str = yaml.safe_dump(plain, sort_keys=False)
    return escaped


def to_json(run: Run) -> str:
    """The settings of a run as JSON."""
    return json.dumps(_plain(run), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def to_python(run: Run) -> str:
    """A program that trains every way and seed of a run once more, without the app.

    Raises:
        InvalidValueError: ``run-without-program``: a run that is no training.
    """
    if run.kind != "train":
        raise InvalidValueError(
            "run-without-program", f"a run of kind {run.kind}", expected="a training", where=run.id
        )
    config = json.loads(json.dumps(run.config))
    training = config.get("training") or {}
    ways = config.get("ways") or [training.get("trainer", "own")]
    return _PROGRAM.format(
        run=run.id,
        settings=pprint.pformat(training, width=100, sort_dicts=False),
        ways=ways,
        seeds=int(config.get("seeds", 1)),
    )


_PROGRAM = '''"""Trains as the run {run} did: the same settings, ways and seeds."""

from pathlib import Path

from workbench.recipe.config import checked_config
from workbench.recipe.train import train

SETTINGS = {settings}
WAYS = {ways!r}
SEEDS = {seeds}

if __name__ == "__main__":
    config = checked_config(SETTINGS)
    if config.data.source.startswith("input:"):
        raise SystemExit("Put the file of this run here, and its name into SETTINGS")
    for way in WAYS:
        for seed in range(config.seed, config.seed + SEEDS):
            chosen = config.model_copy(update={{"trainer": way, "seed": seed % 2**32}})
            trained = train(chosen, Path(f"trained-{{way}}-{{seed}}"))
            print(way, seed, trained.result.best_score, trained.model_folder)
'''


def from_text(text: str) -> dict[str, Any]:
    """Read what `to_yaml` or `to_json` wrote.

    Returns:
        ``kind``, ``name``, ``note`` and ``config``, as `Supervisor.submit` takes them.

    Raises:
        DataFileError: ``run-settings-too-big``, ``run-settings-broken``, ``run-settings-format``.
        InvalidTypeError: ``run-config-value``.
    """
    if len(text.encode("utf-8", "replace")) > _TEXT_BYTES:
        raise DataFileError(
            "run-settings-too-big", f"{len(text):,} characters", expected=f"at most {_TEXT_BYTES:,} bytes"
        )
    try:
        found = _parsed(text)
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


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        # Not every JSON text is YAML: 1e5 would be a word, and some characters are refused.
        with suppress(ValueError):
            return json.loads(text)
    _refuse_aliases(text)
    return yaml.safe_load(text)


def _same(text: str, plain: Mapping[str, Any]) -> bool:
    try:
        return json.dumps(yaml.safe_load(text)) == json.dumps(plain)
    except (yaml.YAMLError, ValueError, TypeError):
        return False


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
