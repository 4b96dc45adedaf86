"""Writing a model folder so that a kill or a full disk leaves the old one or the new one, never a mix."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import FolderWriteError, InvalidValueError, WorkbenchError
from workbench.persistence import scratch
from workbench.persistence.names import is_model_entry, listed, shown

# Rust libraries report the system's error number only in their message.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OS_ERROR_TEXT = re.compile(r"os error (\d+)")
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def atomic_folder(target: Path, *, may_hold: Collection[str] = ("eval",)) -> Iterator[Path]:
    """Give an empty folder to write into, and put it in the place of ``target`` once it is complete.

    Until the end, ``target`` is what it was. Then every file is synced to disk and the two folders are
    exchanged in one step. What stood in the old folder and is no part of a model (results, notes) is kept.
    A kill leaves at most a hidden folder beside ``target``, which the next save removes.

    Where the system cannot exchange two folders (not Linux, some network disks), the old one is moved
    aside first: a kill in that instant leaves it whole under a hidden name, and the next save puts it back.

    Args:
        target: The model folder: missing, empty, or one that holds ``modules.json``.
        may_hold: Entries that may stand in ``target`` before a model does, such as an evaluator's results.

    Yields:
        The folder to write into.

    Raises:
        FolderWriteError: ``disk-full``, ``not-writable``, ``folder-not-a-model``, ``folder-is-a-file``.
        InvalidValueError: ``folder-name``.
    """
    real = _real_target(target)
    prefix = f".{hashlib.sha256(real.name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}-saving-"
    with writing(real):
        real.parent.mkdir(parents=True, exist_ok=True)
        _restore(real, prefix)
        _refuse_foreign(real, may_hold)
        new = scratch.claim(real.parent, prefix)
    try:
        with writing(real):
            yield new.folder
            sync_tree(new.folder)
            if real.is_dir():
                _carry_over(real, new.folder)
            new.folder.chmod(_folder_mode(real, new.folder))
            put_in_place(new.folder, real)
            sync(real.parent)
    finally:
        scratch.release(new)


def write_json(path: Path, value: object) -> None:
    """Write one JSON file, synced and renamed into place: UTF-8, two spaces, a line end at the end.

    Args:
        path: The file.
        value: Dicts, lists, texts, finite numbers, booleans and None.

    Raises:
        InvalidValueError: ``json-value``: the value cannot be written as JSON.
        FolderWriteError: ``disk-full``, ``not-writable``.
    """
    data = json_bytes(value, path.name)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    with writing(path):
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def json_bytes(value: object, where: str) -> bytes:
    """A JSON file's content: UTF-8, two spaces, a line end at the end.

    Args:
        value: Dicts, lists, texts, finite numbers, booleans and None.
        where: Name of the file, for the message.

    Raises:
        InvalidValueError: ``json-value``.
    """
    try:
        return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(
            "json-value",
            str(error)[:200],
            expected="texts, finite numbers, booleans, None, lists and dicts of them",
            where=where,
        ) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a refused write inside the block into a coded error.

    Args:
        path: What is being written, for the message.

    Raises:
        FolderWriteError: ``disk-full`` or ``not-writable``.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        number = _error_number(error)
        if number in _FULL or _caused_by_full_disk(error):
            raise FolderWriteError(
                "disk-full",
                "the disk is full; what stood there before is unchanged",
                where=shown(path.name),
                fix="Free some space and save again",
            ) from error
        if isinstance(error, OSError) or number is not None:
            raise FolderWriteError(
                "not-writable",
                f"cannot be written: {os.strerror(number) if number else error}",
                where=shown(path.name),
                fix="Choose a folder that you may write to",
            ) from error
        raise


def check_free_space(folder: Path, needed_bytes: int) -> None:
    """Refuse a write that would fill the disk, before its first byte.

    Args:
        folder: An existing folder on the disk.
        needed_bytes: What is about to be written; 64 MiB are kept free beyond it.

    Raises:
        FolderWriteError: ``disk-full``.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + (64 << 20):
        raise FolderWriteError(
            "disk-full",
            f"{free:,} bytes are free",
            expected=f"{needed_bytes:,} bytes and 64 MiB to spare",
            fix="Free some space",
        )


def _real_target(target: Path) -> Path:
    text = os.fspath(target)
    try:
        real = Path(os.path.realpath(text))
        too_long = len(os.fsencode(real.name)) > 255
    except (OSError, ValueError):
        too_long = True
    if not text or "\0" in text or too_long or not real.name:
        raise InvalidValueError(
            "folder-name",
            f"the folder name {shown(text)!r}",
            expected="a name of 1 to 255 bytes",
            where="output path",
        )
    return real


def _refuse_foreign(target: Path, may_hold: Collection[str]) -> None:
    if target.exists() and not target.is_dir():
        raise FolderWriteError("folder-is-a-file", "a file stands there", where=shown(target.name))
    entries = sorted(entry.name for entry in target.iterdir()) if target.is_dir() else []
    foreign = [name for name in entries if name not in may_hold]
    if foreign and "modules.json" not in entries:
        raise FolderWriteError(
            "folder-not-a-model",
            f"the folder holds other things ({listed(foreign, 3)}) and no model",
            expected="a new or empty folder, or one that holds modules.json",
            where=shown(target.name),
            fix="Choose another folder: saving replaces the folder as a whole",
        )


def _carry_over(old: Path, new: Path, *, top: bool = True) -> None:
    # Hard links: nothing is copied, and a file that someone still appends to stays the same file.
    for entry in os.scandir(old):
        place = new / entry.name
        if os.path.lexists(place) or (top and is_model_entry(entry.name)):
            continue
        if entry.is_dir(follow_symlinks=False):
            place.mkdir()
            _carry_over(Path(entry.path), place, top=False)
        else:
            try:
                os.link(entry.path, place, follow_symlinks=False)
            except (OSError, NotImplementedError):
                shutil.copy2(entry.path, place, follow_symlinks=False)


def put_in_place(new: Path, target: Path) -> None:
    """Move a complete folder to its name; what stood there is then found under the old name, or is gone.

    Args:
        new: The folder, on the same disk.
        target: Its name: free, or a folder, which is exchanged in one step where the system can.

    Raises:
        OSError: The system refused.
    """
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        aside = new.with_name(f"{new.name}.old")
        target.rename(aside)
        new.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system or the disk cannot."""
    if sys.platform != "linux":
        return False
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if call(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _restore(target: Path, prefix: str) -> None:
    asides = sorted(target.parent.glob(f"{prefix}*.old"))
    for aside in asides:
        if not target.exists():
            aside.rename(target)
        else:
            shutil.rmtree(aside, ignore_errors=True)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below is on the disk.

    Raises:
        OSError: One of them cannot be synced.
    """
    for base, _, files in os.walk(folder):
        for name in files:
            sync(Path(base, name))
        sync(Path(base))


def sync(path: Path) -> None:
    """Wait until one file, or the names in one folder, are on the disk.

    Raises:
        OSError: It cannot be synced.
    """
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder_mode(target: Path, new: Path) -> int:
    if target.is_dir():
        return target.stat().st_mode & 0o777
    # The umask can only be read by setting it, which other threads would notice: ask a fresh folder.
    probe = new / ".mode"
    probe.mkdir()
    mode = probe.stat().st_mode & 0o777
    probe.rmdir()
    return mode


def _error_number(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _OS_ERROR_TEXT.search(str(error))
    return int(found.group(1)) if found else None


def _caused_by_full_disk(error: BaseException) -> bool:
    cause = error.__cause__ or error.__context__
    return cause is not None and (_error_number(cause) in _FULL or _caused_by_full_disk(cause))
