"""Admitting a model: its folder is walked without leaving it, its files are copied, the copy is checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workbench.errors import ModelFolderError, ModelSourceError
from workbench.persistence.admitted import AdmittedFolder
from workbench.persistence.hub import Fetched, Progress, fetch
from workbench.persistence.json_reader import read_json, scan_keys
from workbench.persistence.names import (
    MODEL_BYTES,
    MODULE_FOLDER,
    Selection,
    check_sizes,
    check_weights,
    select,
    shown,
)
from workbench.persistence.private_copy import FoundFile, PrivateCopy, copy_files, file_state
from workbench.persistence.source import resolve

_MAX_ENTRIES = 10_000
# The keys of a vocabulary are tokens, and a token may be any word.
_VOCABULARIES = frozenset({"tokenizer.json", "vocab.json", "added_tokens.json"})

_copies: dict[tuple[FoundFile, ...], PrivateCopy] = {}


def admit(
    name_or_path: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    root: Path | None = None,
    limit_bytes: int = MODEL_BYTES,
    endpoint: str | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> AdmittedFolder:
    """Find a model, fetch it if it is on the Hub, and copy the files that may be loaded.

    The copy is private to this process, removed at its end, and shared by all models with the same bytes.
    A folder that did not change since is not read again. Code and pickles are never opened.

    Args:
        name_or_path: Bundled name, folder, ``owner/name`` or a bare classic name.
        revision: Branch, tag or commit on the Hub.
        token: Token for the Hub; none of the environment is ever used.
        local_files_only: Do not ask the Hub.
        root: The one folder below which folders may be read; see ``source.resolve``.
        limit_bytes: Most bytes of all admitted files.
        endpoint: Address of the Hub; by default huggingface_hub's.
        cache_dir: Root of the Hub's cache; by default huggingface_hub's.
        progress: Called in another thread with bytes downloaded and bytes in all.

    Raises:
        ModelSourceError: The model cannot be found or fetched.
        ModelFolderError: Something in the folder is refused.
        FolderWriteError: ``disk-full`` or ``not-writable``.
        MissingExtraError: The bundled model is not installed.
    """
    source = resolve(name_or_path, revision=revision, root=root)
    if source.folder is not None:
        unused = ("A revision applies only to a model on the Hub; it was not used.",) if revision else ()
        fetched = Fetched(source.folder, (source.folder,), "", notices=unused)
    else:
        fetched = fetch(
            source.repo,
            revision=source.revision,
            token=token,
            local_files_only=local_files_only,
            limit_bytes=limit_bytes,
            endpoint=endpoint,
            cache_dir=cache_dir,
            progress=progress,
        )
    files, selection = _walk(fetched.folder, fetched.link_roots)
    check_sizes({file.name: file.size for file in files}, limit_bytes)
    copy = _copy_once(tuple(files))
    _compare_hashes(copy, fetched.sha256, source.repo)
    return AdmittedFolder(
        name=source.name,
        kind=source.kind,
        revision=fetched.commit,
        path=copy.path,
        files=copy.files,
        sha256=copy.sha256,
        notices=tuple(dict.fromkeys((*fetched.notices, *selection.notices))),
    )


def _copy_once(files: tuple[FoundFile, ...]) -> PrivateCopy:
    copy = _copies.get(files)
    if copy is None or not copy.path.is_dir():
        copy = copy_files(files, _check_json)
        _copies[files] = copy
    return copy


def _check_json(folder: Path) -> None:
    """Every JSON file must parse strictly, and none but a vocabulary may hold a refused key."""
    for path in sorted(folder.rglob("*.json")):
        where = path.relative_to(folder).as_posix()
        value = read_json(path, where=where)
        if path.name not in _VOCABULARIES:
            scan_keys(value, where)


def _walk(folder: Path, link_roots: Sequence[Path]) -> tuple[list[FoundFile], Selection]:
    """Find the admitted files of a folder and of its module folders; other folders are not entered."""
    root = Path(os.path.realpath(folder))
    roots = [os.path.realpath(place) for place in link_roots]
    entries: dict[str, os.DirEntry[str]] = {}
    for entry in _entries(root):
        if not entry.is_dir(follow_symlinks=False):
            entries[entry.name] = entry
        elif MODULE_FOLDER.fullmatch(entry.name):
            inner = _entries(Path(entry.path))
            entries.update({f"{entry.name}/{child.name}": child for child in inner})
        else:
            entries[f"{entry.name}/"] = entry
        if entry.is_symlink() and MODULE_FOLDER.fullmatch(entry.name):
            raise _refused_link(entry.name)
    selection = select(entries)
    check_weights(selection, entries)
    return [_found(name, entries[name], roots) for name in selection.admitted], selection


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            for number, entry in enumerate(found):
                if number >= _MAX_ENTRIES:
                    raise ModelFolderError(
                        "model-too-many-files",
                        f"more than {_MAX_ENTRIES:,} entries",
                        expected="the files of one model",
                        where=shown(folder.name),
                        fix="Check that this is the folder of a model",
                    )
                yield entry
    except OSError as error:
        raise ModelFolderError(
            "model-file-unreadable",
            f"the folder cannot be read: {error.strerror}",
            where=shown(folder.name),
            fix="Check who may read the folder",
        ) from error


def _found(name: str, entry: os.DirEntry[str], roots: Sequence[str]) -> FoundFile:
    real = os.path.realpath(entry.path)
    if not any(real.startswith(root.rstrip(os.sep) + os.sep) for root in roots):
        raise _refused_link(name)
    try:
        status = Path(real).lstat()
    except OSError as error:
        raise ModelFolderError(
            "model-file-unreadable",
            "a link that leads nowhere" if entry.is_symlink() else f"cannot be read: {error.strerror}",
            where=name,
            fix="Fetch or copy the model again",
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelFolderError(
            "model-file-kind",
            "neither a file nor a link to one",
            expected="a regular file",
            where=name,
            fix="Remove it from the folder",
        )
    return FoundFile(name, real, file_state(status))


def _refused_link(name: str) -> ModelFolderError:
    return ModelFolderError(
        "model-link-refused",
        "a link that leads out of the folder",
        expected="files that lie in the folder",
        where=shown(name),
        fix="Copy the folder with its links resolved (cp -rL); "
        "for a model in the Hub's cache, pass its name and revision instead",
    )


def _compare_hashes(copy: PrivateCopy, told: Mapping[str, str], repo: str) -> None:
    for name, sha256 in told.items():
        if copy.files[name].sha256 != sha256:
            raise ModelSourceError(
                "hub-file-corrupt",
                "the file in the cache is not the one the Hub lists",
                where=f"{repo} {name}",
                fix="Remove this model from the Hub's cache (hf cache rm) and load it again",
            )
