"""What a user hands in with a run, checked: names, notes, settings, keys and files."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import DataFileError, InvalidTypeError, InvalidValueError, UnknownNameError
from workbench.runs.files import coded
from workbench.runs.states import STATES

NAME_CHARACTERS = 200
NOTE_CHARACTERS = 10_000
KEY_CHARACTERS = 100
CONFIG_BYTES = 1 << 20
INPUT_BYTES = 1 << 30
_INPUT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}(\.[a-z0-9]{1,8}){1,2}", re.ASCII)
# Everything below the space but the line's end and the tab, and what has no UTF-8.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def checked_name(name: str) -> str:
    """A run's name: one line of at most 200 characters.

    Raises:
        InvalidValueError: ``run-text-too-long``, ``run-text-character``.
    """
    return _checked_text(name, "name", NAME_CHARACTERS, one_line=True)


def checked_note(note: str) -> str:
    """A run's note: at most 10,000 characters.

    Raises:
        InvalidValueError: ``run-text-too-long``, ``run-text-character``.
    """
    return _checked_text(note, "note", NOTE_CHARACTERS)


def checked_key(key: str | None) -> str | None:
    """The key under which a start counts once.

    Raises:
        InvalidValueError: ``run-text-too-long``, ``run-text-character``.
    """
    return None if key is None else _checked_text(key, "key", KEY_CHARACTERS, one_line=True)


def checked_filter(state: object, text: str, limit: object, offset: object) -> None:
    """Check what a list of runs is asked for.

    Raises:
        InvalidValueError: ``run-text-too-long``, ``run-text-character``, ``run-page``.
        UnknownNameError: ``run-state``.
    """
    if state is not None and state not in STATES:
        raise UnknownNameError("run-state", repr(state)[:60], expected=f"one of {', '.join(STATES)}")
    _checked_text(text, "filter", NAME_CHARACTERS, one_line=True)
    for name, number in (("limit", limit), ("offset", offset)):
        if not isinstance(number, int) or not 0 <= number < 1 << 31:
            raise InvalidValueError(
                "run-page", repr(number)[:60], expected="a whole number from 0", where=name
            )


def checked_config(config: Mapping[str, Any]) -> str:
    """A run's settings as JSON.

    Raises:
        InvalidTypeError: ``run-config-value``: not made of JSON values, or a number is not finite.
        InvalidValueError: ``run-config-too-big``.
    """
    try:
        if not isinstance(config, Mapping):
            raise TypeError(f"it is a {type(config).__name__}")
        _check_keys(config)
        text = json.dumps(dict(config), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidTypeError(
            "run-config-value",
            str(error)[:200],
            expected="names with texts, finite numbers, booleans, None, lists and dicts of them",
            where="settings",
        ) from error
    if size > CONFIG_BYTES:
        raise InvalidValueError(
            "run-config-too-big",
            f"{size:,} bytes",
            expected=f"at most {CONFIG_BYTES:,} bytes",
            where="settings",
            fix="Hand data in as files",
        )
    return text


def copy_inputs(inputs: Mapping[str, Path], folder: Path) -> None:
    """Copy the files of a run into its folder, under names that we chose.

    Raises:
        DataFileError: ``run-input-name``, ``run-input-file``, ``run-input-too-big``.
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    for name, source in inputs.items():
        if _INPUT_NAME.fullmatch(name) is None:
            raise DataFileError(
                "run-input-name",
                repr(name)[:80],
                expected="a name such as train.parquet",
                where="files of the run",
            )
        try:
            handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise DataFileError("run-input-file", "the file cannot be read", where=name) from error
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise DataFileError("run-input-file", "it is no regular file", where=name)
            if status.st_size > INPUT_BYTES:
                raise DataFileError(
                    "run-input-too-big",
                    f"{status.st_size:,} bytes",
                    expected=f"at most {INPUT_BYTES:,} bytes",
                    where=name,
                )
            with coded(folder / name):
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / name).open("xb") as copy:
                    shutil.copyfileobj(file, copy, 1 << 20)


def _check_keys(value: object) -> None:
    # json would turn other keys into texts, and two of them into one.
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the name {key!r} is no text")
            _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner)


def _checked_text(text: str, what: str, limit: int, *, one_line: bool = False) -> str:
    if not isinstance(text, str):
        raise InvalidTypeError("run-text-type", type(text).__name__, expected="a text", where=what)
    if len(text) > limit:
        raise InvalidValueError(
            "run-text-too-long",
            f"{len(text):,} characters",
            expected=f"at most {limit:,} characters",
            where=what,
            fix="Shorten it",
        )
    found = _UNSTORABLE.search(text) or (re.search(r"[\t\n]", text) if one_line else None)
    if found:
        raise InvalidValueError(
            "run-text-character",
            f"the character U+{ord(found.group()):04X} at place {found.start() + 1}",
            expected="one line of readable characters" if one_line else "readable characters",
            where=what,
            fix="Remove it",
        )
    return text
