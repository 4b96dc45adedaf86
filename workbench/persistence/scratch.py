"""Temporary folders that tell whether their owner lives, so that what a killed process left is removed."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout


@dataclass(frozen=True)
class Scratch:
    """A private folder (mode 0700) and the lock that its owner holds while it lives."""

    folder: Path
    lock: FileLock


def claim(parent: Path, prefix: str) -> Scratch:
    """Make a private folder in ``parent`` after removing the dead ones with the same prefix.

    Args:
        parent: An existing folder.
        prefix: Start of the folder's name; its end is random.

    Raises:
        OSError: The folder cannot be made.
    """
    sweep(parent, prefix)
    while True:
        folder = parent / f"{prefix}{secrets.token_hex(8)}"
        # The lock comes first: a folder that stands without one is nobody's.
        lock = FileLock(_lock_path(folder), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            folder.mkdir(mode=0o700)
        except OSError:
            _give_up(lock)
            raise
        return Scratch(folder, lock)


def release(scratch: Scratch) -> None:
    """Remove the folder, if it still stands, and its lock."""
    shutil.rmtree(scratch.folder, ignore_errors=True)
    _give_up(scratch.lock)


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders with this prefix whose owner died; those of others are left alone."""
    for path in parent.glob(f"{_literal(prefix)}*.lock"):
        if not _is_own_file(path):
            continue
        lock = FileLock(path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        _give_up(lock)


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _give_up(lock: FileLock) -> None:
    # Unlinked while still held: nobody can take a lock on a name that is going away.
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _is_own_file(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == (os.getuid() if hasattr(os, "getuid") else 0)


def _literal(prefix: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in prefix)
