"""The private byte copies that models are loaded from: one for each content, shared within the process."""

from __future__ import annotations

import atexit
import hashlib
import os
import stat
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import ModelFolderError
from workbench.persistence import scratch
from workbench.persistence.admitted import FileRecord
from workbench.persistence.atomic import check_free_space, writing

_PREFIX = "workbench-models-"
_CHUNK_BYTES = 1 << 20
_LOCK = threading.Lock()


@dataclass(frozen=True)
class FoundFile:
    """One file to copy, as it was when the folder was walked.

    Attributes:
        name: Relative POSIX path.
        real: The regular file, links resolved.
        state: Device, inode, size and times: equal as long as the file was not touched.
    """

    name: str
    real: str
    state: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.state[2]


@dataclass(frozen=True)
class PrivateCopy:
    """A finished copy: where it lies, its files, and the hash over all of them."""

    path: Path
    files: Mapping[str, FileRecord]
    sha256: str


def file_state(status: os.stat_result) -> tuple[int, ...]:
    """What ``FoundFile.state`` holds, from a stat of the file."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def copy_files(files: Sequence[FoundFile], check: Callable[[Path], None]) -> PrivateCopy:
    """Copy files byte by byte into a private folder, hash what was copied, and check the copy.

    Args:
        files: What to copy.
        check: Called with the folder of the copy; it raises to refuse it. Only what passed is kept.

    Raises:
        ModelFolderError: ``model-folder-changed`` or ``model-file-unreadable``; whatever ``check`` raises.
        FolderWriteError: ``disk-full`` or ``not-writable``.
    """
    with _LOCK:
        store = _store()
        with writing(store):
            check_free_space(store, sum(file.size for file in files))
            new = scratch.claim(store, "new-")
        try:
            records = {file.name: _copy(file, new.folder) for file in files}
            digest = hash_of(records)
            final = store / digest
            if not final.is_dir():
                check(new.folder)
                with writing(final):
                    new.folder.rename(final)
        finally:
            scratch.release(new)
    return PrivateCopy(final, records, digest)


def hash_of(files: Mapping[str, FileRecord]) -> str:
    """One sha256 over names and hashes, in the order of the names."""
    lines = (f"{name}\0{files[name].sha256}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _copy(file: FoundFile, folder: Path) -> FileRecord:
    target = folder / file.name
    digest = hashlib.sha256()
    source = _open(file)
    try:
        with writing(target):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            with target.open("xb") as sink:
                while chunk := os.read(source, _CHUNK_BYTES):
                    digest.update(chunk)
                    sink.write(chunk)
                size = sink.tell()
            target.chmod(0o400)
        if size != file.size or file_state(os.fstat(source)) != file.state:
            raise _changed(file.name)
    finally:
        os.close(source)
    return FileRecord(size, digest.hexdigest())


def _open(file: FoundFile) -> int:
    flags = os.O_RDONLY
    # Not to be led elsewhere by a link, nor held up by a pipe, that took the file's place meanwhile.
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        handle = os.open(file.real, flags)
    except FileNotFoundError as error:
        raise _changed(file.name) from error
    except OSError as error:
        raise ModelFolderError(
            "model-file-unreadable",
            f"cannot be read: {error.strerror}",
            where=file.name,
            fix="Check who may read the file",
        ) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or file_state(status) != file.state:
        os.close(handle)
        raise _changed(file.name)
    return handle


def _changed(name: str) -> ModelFolderError:
    return ModelFolderError(
        "model-folder-changed",
        "the file changed while it was being read",
        where=name,
        fix="Load the model again once nothing writes to its folder",
    )


_stores: dict[int, scratch.Scratch] = {}


def _store() -> Path:
    # By process: a fork must not use, or at its end remove, the folder of its parent.
    pid = os.getpid()
    if pid not in _stores or not _stores[pid].folder.is_dir():
        parent = Path(tempfile.gettempdir())
        with writing(parent):
            _stores[pid] = scratch.claim(parent, _PREFIX)
    return _stores[pid].folder


@atexit.register
def _remove_store() -> None:
    mine = _stores.pop(os.getpid(), None)
    if mine is not None:
        scratch.release(mine)
