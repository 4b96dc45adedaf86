"""The manifest of a checkpoint: size and sha256 of every file, written last and checked first."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import Any

from workbench.errors import CheckpointError, ModelFolderError
from workbench.persistence.json_reader import read_json
from workbench.persistence.names import listed, shown

MANIFEST = "manifest.json"
STEP_FOLDER = re.compile(r"step-([0-9]{6,12})", re.ASCII)

_FORMAT = "workbench-checkpoint"
_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MANIFEST_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20

# Relative POSIX path → size in bytes and sha256.
Files = dict[str, tuple[int, str]]


def describe_files(folder: Path) -> Files:
    """Size and sha256 of every file in a folder.

    Raises:
        CheckpointError: ``checkpoint-damaged``: a link or another thing that is no plain file.
        OSError: A file cannot be read.
    """
    return {name: ((folder / name).stat().st_size, _sha256(folder / name)) for name in sorted(_walk(folder))}


def manifest_of(step: int, files: Files) -> dict[str, Any]:
    """What the manifest of a step holds."""
    listing = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in files.items()}
    return {"format": _FORMAT, "version": _VERSION, "step": step, "files": listing}


def check_files(folder: Path) -> tuple[int, Files]:
    """Check every file of one checkpoint against its manifest.

    Args:
        folder: ``…/step-000123``.

    Returns:
        The step, and its files.

    Raises:
        CheckpointError: ``checkpoint-damaged``: a file is missing, too much, or not as it was written.
    """
    step, expected = _read_manifest(folder)
    try:
        found = _walk(folder)
        missing = sorted(expected.keys() - found)
        extra = sorted(found - expected.keys() - {MANIFEST})
        if missing or extra:
            what = [
                f"{word} {listed(names, 3)}"
                for word, names in (("without", missing), ("with", extra))
                if names
            ]
            raise damaged(folder, f"the folder stands {' and '.join(what)}")
        for name, (size, digest) in sorted(expected.items()):
            path = folder / name
            if path.stat().st_size != size:
                raise damaged(folder, f"{shown(name)} has {path.stat().st_size:,} bytes and not {size:,}")
            if _sha256(path) != digest:
                raise damaged(folder, f"{shown(name)} is not what was written (sha256)")
    except OSError as error:
        raise damaged(folder, f"it cannot be read: {error}") from error
    return step, expected


def read_document(folder: Path, path: Path, *, limit_bytes: int = _MANIFEST_BYTES) -> Any:
    """One JSON file of a checkpoint, of at most ``limit_bytes``.

    Raises:
        CheckpointError: ``checkpoint-damaged``.
    """
    try:
        return read_json(path, limit_bytes=limit_bytes, where=path.name)
    except ModelFolderError as error:
        raise damaged(folder, f"{path.name}: {error.came}") from error


def damaged(folder: Path, came: str) -> CheckpointError:
    """The error for a checkpoint that is not as it was written."""
    return CheckpointError(
        "checkpoint-damaged",
        came,
        expected="a checkpoint as it was written",
        where=shown(folder.name),
        fix="Resume from the checkpoint before it",
    )


def _walk(folder: Path) -> set[str]:
    """Relative POSIX paths of everything that is no folder; links are not followed."""
    found = set()
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if Path(base, name).is_symlink()]
        found |= {Path(base, name).relative_to(folder).as_posix() for name in (*files, *links)}
    odd = sorted(name for name in found if not stat.S_ISREG((folder / name).lstat().st_mode))
    if odd:
        raise damaged(folder, f"{listed(odd, 3)} is no plain file")
    return found


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _read_manifest(folder: Path) -> tuple[int, Files]:
    name = STEP_FOLDER.fullmatch(folder.name)
    if name is None or folder.is_symlink():
        raise damaged(folder, "it is no folder named like step-000123")
    manifest = read_document(folder, folder / MANIFEST)
    if not isinstance(manifest, dict) or set(manifest) != {"format", "version", "step", "files"}:
        raise damaged(folder, f"{MANIFEST} is none of a checkpoint")
    if (manifest["format"], manifest["version"]) != (_FORMAT, _VERSION):
        raise damaged(folder, f"{MANIFEST} is of another format or version")
    step, files = manifest["step"], manifest["files"]
    if type(step) is not int or f"step-{step:06d}" != folder.name:
        raise damaged(folder, f"{MANIFEST} is that of step {shown(str(step))}")
    if not isinstance(files, dict) or not all(map(_is_record, files.values())):
        raise damaged(folder, f"{MANIFEST} has a record without size and sha256")
    return step, {path: (record["bytes"], record["sha256"]) for path, record in files.items()}


def _is_record(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"bytes", "sha256"}
        and type(value["bytes"]) is int
        and isinstance(value["sha256"], str)
        and _SHA256.fullmatch(value["sha256"]) is not None
    )
