"""Checkpoints: written beside, synced, listed in a manifest, renamed into place; only whole ones are found.

A checkpoint is a folder ``step-000123`` with ``model/``, some ``<name>.safetensors``, some ``<name>.json``,
and ``manifest.json``, which holds the size and sha256 of every other file. A kill or a full disk at any byte
leaves the checkpoints that were there and at most a hidden folder, which the next write removes.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from workbench.errors import CheckpointError, InvalidValueError, ModelFolderError
from workbench.persistence import scratch
from workbench.persistence.atomic import json_bytes, put_in_place, sync, sync_tree, writing
from workbench.persistence.json_reader import read_json
from workbench.persistence.names import listed, shown
from workbench.persistence.weights import load_tensors
from workbench.training.faults import fault_point

FORMAT = "workbench-checkpoint"
VERSION = 1

_TEMPORARY = ".tmp-"
_MANIFEST = "manifest.json"
_MODEL = "model"
_STEP_FOLDER = re.compile(r"step-([0-9]{6,12})", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_JSON_BYTES = 64 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose every file was found as its manifest says.

    Attributes:
        folder: Where it stands.
        step: Steps of the optimizer done when it was written.
        files: Relative POSIX path → size in bytes and sha256, without the manifest.
        notices: The newer checkpoints that were passed over, and why.
    """

    folder: Path
    step: int
    files: Mapping[str, tuple[int, str]]
    notices: tuple[str, ...] = ()

    @property
    def model_folder(self) -> Path:
        """The model as it was saved."""
        return self.folder / _MODEL

    def has(self, name: str) -> bool:
        """Whether there is a document or a set of tensors of this name."""
        return f"{name}.json" in self.files or f"{name}.safetensors" in self.files

    def tensors(self, name: str) -> dict[str, Tensor]:
        """One set of tensors, on the CPU, in memory of their own.

        Raises:
            CheckpointError: ``checkpoint-damaged``: it is not there, or is no safetensors file.
        """
        path = self._path(name, ".safetensors")
        try:
            # Cloned: what the optimizer goes on with must not hang on a file that pruning removes.
            return {key: tensor.clone() for key, tensor in load_tensors(path).items()}
        except ModelFolderError as error:
            raise _damaged(self.folder, str(error)) from error

    def document(self, name: str) -> Any:
        """One document, as it was given.

        Raises:
            CheckpointError: ``checkpoint-damaged``: it is not there, or is no JSON.
        """
        return _read_json(self.folder, self._path(name, ".json"))

    def _path(self, name: str, suffix: str) -> Path:
        if f"{name}{suffix}" not in self.files:
            raise _damaged(self.folder, f"there is no {shown(name)}{suffix}")
        return self.folder / f"{name}{suffix}"


def write_checkpoint(
    root: Path,
    step: int,
    *,
    save_model: Callable[[Path], object],
    tensors: Mapping[str, Mapping[str, Tensor]],
    documents: Mapping[str, Any],
    keep: int = 0,
) -> Checkpoint:
    """Write a checkpoint, and only once it stands remove what is beyond the limit.

    A checkpoint of the same step is replaced as a whole.

    Args:
        root: Folder of the checkpoints; made where it is missing.
        step: Steps of the optimizer done.
        save_model: Called with the folder to save the model in.
        tensors: Name → tensors, each set a safetensors file.
        documents: Name → what JSON can hold.
        keep: How many checkpoints stay, the new one among them; 0 for all. Those of later steps, left by
            a run that was resumed from before them, go first.

    Raises:
        FolderWriteError: ``disk-full`` or ``not-writable``; the checkpoints that stood there still do.
        InvalidValueError: ``checkpoint-name``, ``checkpoint-step``, ``checkpoint-keep``, or a document that
            is no JSON.
    """
    _check_arguments(step, tensors, documents, keep)
    target = root / f"step-{step:06d}"
    with writing(target):
        root.mkdir(parents=True, exist_ok=True)
        fault_point("before-write")
        new = scratch.claim(root, _TEMPORARY)
    try:
        with writing(target):
            _write_files(new.folder, save_model, tensors, documents)
            files = _describe(new.folder)
            listing = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in files.items()}
            manifest = {"format": FORMAT, "version": VERSION, "step": step, "files": listing}
            (new.folder / _MANIFEST).write_bytes(json_bytes(manifest, _MANIFEST))
            sync(new.folder / _MANIFEST)
            fault_point("after-manifest")
            # A private folder until here; now whoever may read the others may read this one.
            new.folder.chmod(stat.S_IMODE(root.stat().st_mode))
            sync(new.folder)
            fault_point("before-rename")
            put_in_place(new.folder, target)
            sync(root)
            fault_point("after-rename")
    finally:
        scratch.release(new)
    _prune(root, target, keep)
    return Checkpoint(target, step, files)


def newest_checkpoint(root: Path) -> Checkpoint | None:
    """The checkpoint of the highest step that is whole; None where there is none.

    Args:
        root: Folder of the checkpoints; it may be missing.

    Returns:
        The checkpoint; its ``notices`` name those that were passed over.
    """
    notices: list[str] = []
    for folder in sorted(_step_folders(root), key=_step_of, reverse=True):
        try:
            return replace(read_checkpoint(folder), notices=tuple(notices))
        except CheckpointError as error:
            notices.append(f"Passed over {folder.name}: {error.came}.")
    return None


def read_checkpoint(folder: Path) -> Checkpoint:
    """Check every file of one checkpoint against its manifest.

    Args:
        folder: ``…/step-000123``.

    Raises:
        CheckpointError: ``checkpoint-damaged``: a file is missing, too much, or not as it was written.
    """
    step, expected = _read_manifest(folder)
    try:
        found = _walk(folder)
        missing = sorted(expected.keys() - found)
        extra = sorted(found - expected.keys() - {_MANIFEST})
        if missing or extra:
            what = [
                f"{word} {listed(names, 3)}"
                for word, names in (("without", missing), ("with", extra))
                if names
            ]
            raise _damaged(folder, f"the folder stands {' and '.join(what)}")
        for name, (size, digest) in sorted(expected.items()):
            path = folder / name
            if path.stat().st_size != size:
                raise _damaged(folder, f"{shown(name)} has {path.stat().st_size:,} bytes and not {size:,}")
            if _sha256(path) != digest:
                raise _damaged(folder, f"{shown(name)} is not what was written (sha256)")
    except OSError as error:
        raise _damaged(folder, f"it cannot be read: {error}") from error
    return Checkpoint(folder, step, expected)


def drop_later(root: Path, step: int) -> tuple[str, ...]:
    """Remove the checkpoints after a step, so that a run that goes on from there is not overtaken by them.

    Args:
        root: Folder of the checkpoints.
        step: The step that is gone on from; its own checkpoint stays.

    Returns:
        Names of the removed folders.

    Raises:
        FolderWriteError: One cannot be removed.
    """
    later = sorted(folder for folder in _step_folders(root) if _step_of(folder) > step)
    with writing(root):
        _remove(root, later)
    return tuple(folder.name for folder in later)


def _check_arguments(
    step: int, tensors: Mapping[str, object], documents: Mapping[str, object], keep: int
) -> None:
    for name in (*tensors, *documents):
        if not _NAME.fullmatch(name) or f"{name}.json" == _MANIFEST or name == _MODEL:
            raise InvalidValueError(
                "checkpoint-name",
                f"the name {shown(str(name))!r}",
                expected="small letters, digits, - and _, at most 48; not 'manifest' or 'model'",
                where="checkpoint",
            )
    for value, code, most in ((step, "checkpoint-step", 10**12 - 1), (keep, "checkpoint-keep", 10**9)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise InvalidValueError(
                code, f"{value!r}", expected=f"a whole number from 0 to {most}", where="checkpoint"
            )


def _write_files(
    folder: Path,
    save_model: Callable[[Path], object],
    tensors: Mapping[str, Mapping[str, Tensor]],
    documents: Mapping[str, Any],
) -> None:
    from safetensors.torch import save_file

    save_model(folder / _MODEL)
    fault_point("after-model")
    for name, values in tensors.items():
        # The format knows no views: each tensor is written as it is seen.
        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in values.items()},
            folder / f"{name}.safetensors",
        )
    fault_point("after-tensors")
    for name, value in documents.items():
        (folder / f"{name}.json").write_bytes(json_bytes(value, f"{name}.json"))
    sync_tree(folder)
    fault_point("after-documents")


def _describe(folder: Path) -> dict[str, tuple[int, str]]:
    return {name: ((folder / name).stat().st_size, _sha256(folder / name)) for name in sorted(_walk(folder))}


def _walk(folder: Path) -> set[str]:
    """Relative POSIX paths of everything that is no folder; links are not followed."""
    found = set()
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if Path(base, name).is_symlink()]
        found |= {Path(base, name).relative_to(folder).as_posix() for name in (*files, *links)}
    odd = sorted(name for name in found if not stat.S_ISREG((folder / name).lstat().st_mode))
    if odd:
        raise _damaged(folder, f"{listed(odd, 3)} is no plain file")
    return found


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _read_manifest(folder: Path) -> tuple[int, dict[str, tuple[int, str]]]:
    name = _STEP_FOLDER.fullmatch(folder.name)
    if name is None or folder.is_symlink():
        raise _damaged(folder, "it is no folder named like step-000123")
    manifest = _read_json(folder, folder / _MANIFEST)
    if not isinstance(manifest, dict) or set(manifest) != {"format", "version", "step", "files"}:
        raise _damaged(folder, f"{_MANIFEST} is none of a checkpoint")
    if (manifest["format"], manifest["version"]) != (FORMAT, VERSION):
        raise _damaged(folder, f"{_MANIFEST} is of another format or version")
    step, files = manifest["step"], manifest["files"]
    if type(step) is not int or f"step-{step:06d}" != folder.name:
        raise _damaged(folder, f"{_MANIFEST} is that of step {shown(str(step))}")
    if not isinstance(files, dict) or not all(map(_is_record, files.values())):
        raise _damaged(folder, f"{_MANIFEST} has a record without size and sha256")
    return step, {path: (record["bytes"], record["sha256"]) for path, record in files.items()}


def _is_record(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"bytes", "sha256"}
        and type(value["bytes"]) is int
        and isinstance(value["sha256"], str)
        and _SHA256.fullmatch(value["sha256"]) is not None
    )


def _read_json(folder: Path, path: Path) -> Any:
    try:
        return read_json(path, limit_bytes=_JSON_BYTES, where=path.name)
    except ModelFolderError as error:
        raise _damaged(folder, f"{path.name}: {error.came}") from error


def _step_folders(root: Path) -> list[Path]:
    try:
        return [entry for entry in root.iterdir() if _STEP_FOLDER.fullmatch(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-"))


def _prune(root: Path, written: Path, keep: int) -> None:
    if not keep:
        return
    # The new one first, then the earlier ones from the nearest; later ones are of a run given up.
    here = _step_of(written)
    earlier = sorted((f for f in _step_folders(root) if _step_of(f) < here), key=_step_of, reverse=True)
    later = sorted((f for f in _step_folders(root) if _step_of(f) > here), key=_step_of)
    with writing(root):
        _remove(root, [*later, *earlier[keep - 1 :]])


def _remove(root: Path, folders: list[Path]) -> None:
    if not folders:
        return
    # Moved out of sight first: a kill while it is being deleted must not leave half a checkpoint.
    away = scratch.claim(root, _TEMPORARY)
    try:
        for folder in folders:
            folder.rename(away.folder / folder.name)
            fault_point("while-pruning")
        sync(root)
    finally:
        scratch.release(away)


def _damaged(folder: Path, came: str) -> CheckpointError:
    return CheckpointError(
        "checkpoint-damaged",
        came,
        expected="a checkpoint as it was written",
        where=shown(folder.name),
        fix="Resume from the checkpoint before it",
    )
