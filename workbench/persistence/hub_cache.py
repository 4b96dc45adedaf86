"""The Hub's cache on disk, in huggingface_hub's own layout, so that other libraries find what was fetched."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.persistence.names import size_limit

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)


@dataclass(frozen=True)
class RepoCache:
    """The cache of one model.

    Attributes:
        cache: Root of the cache.
        folder: This model's folder in it: ``blobs``, ``snapshots`` and ``refs``.
    """

    cache: Path
    folder: Path

    def snapshot(self, commit: str) -> Path:
        """Folder of one commit; its files are links into ``blobs``."""
        return self.folder / "snapshots" / commit

    @property
    def link_roots(self) -> tuple[Path, ...]:
        """Where the links of a snapshot may lead: this model's folder, and the blobs that models share."""
        return (self.folder, self.cache / "blobs")


def is_commit(text: object) -> bool:
    """Whether a value is a full commit hash, and so safe as a folder's name."""
    return isinstance(text, str) and _COMMIT.fullmatch(text) is not None


def repo_cache(repo: str, cache_dir: Path | None = None) -> RepoCache:
    """The cache of a model, whether or not it exists.

    Args:
        repo: ``owner/name``, already checked.
        cache_dir: Root of the cache; by default huggingface_hub's.
    """
    from huggingface_hub import constants

    cache = Path(cache_dir or constants.HF_HUB_CACHE)
    return RepoCache(cache, cache / ("models--" + repo.replace("/", "--")))


def cached_commit(repo: RepoCache, revision: str) -> str:
    """The commit of a branch, tag or commit of which something is in the cache; empty if there is none.

    Args:
        repo: The cache of the model.
        revision: As asked for; empty for the default branch.
    """
    commit = revision
    if not is_commit(revision):
        try:
            commit = (repo.folder / "refs" / (revision or "main")).read_text("ascii").strip()
        except (OSError, ValueError):
            return ""
    return commit if is_commit(commit) and repo.snapshot(commit).is_dir() else ""


def holds(repo: RepoCache, commit: str, name: str, size: int) -> bool:
    """Whether a file of a commit is in the cache with the size that the Hub tells."""
    try:
        return (repo.snapshot(commit) / name).stat().st_size == size
    except OSError:
        return False


def temporary_blob(repo: RepoCache, etag: str) -> Path:
    """A path beside the blobs for a download that is under way."""
    blobs = repo.folder / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    return blobs / f"{etag}.{secrets.token_hex(4)}.incomplete"


def put(repo: RepoCache, commit: str, name: str, etag: str, downloaded: Path) -> None:
    """Move a checked download into the cache and link it from its commit.

    Args:
        repo: The cache of the model.
        commit: Commit it belongs to.
        name: An admitted relative POSIX path.
        etag: Name of the blob: sha256 of a large file, git's hash of a small one.
        downloaded: The temporary blob.
    """
    downloaded.replace(repo.folder / "blobs" / etag)
    _link(repo, commit, name, etag)


def link_known(repo: RepoCache, commit: str, name: str, etag: str, size: int) -> bool:
    """Link a file of a commit whose blob is in the cache already, from another commit; False if it is not."""
    try:
        known = (repo.folder / "blobs" / etag).stat().st_size == size
    except OSError:
        return False
    if known:
        _link(repo, commit, name, etag)
    return known


def _link(repo: RepoCache, commit: str, name: str, etag: str) -> None:
    blob = repo.folder / "blobs" / etag
    place = repo.snapshot(commit) / name
    place.parent.mkdir(parents=True, exist_ok=True)
    link = place.with_name(f".{secrets.token_hex(4)}.link")
    try:
        link.symlink_to(os.path.relpath(blob, place.parent))
    except OSError:
        # Windows without the right to make links: the layout then holds the file itself.
        blob.replace(place)
    else:
        link.replace(place)


def remember(repo: RepoCache, revision: str, commit: str) -> None:
    """Note which commit a branch or tag stood for, for the day the Hub is out of reach."""
    if is_commit(revision):
        return
    ref = repo.folder / "refs" / (revision or "main")
    ref.parent.mkdir(parents=True, exist_ok=True)
    temporary = ref.with_name(f".{secrets.token_hex(4)}.ref")
    temporary.write_text(commit, "ascii")
    temporary.replace(ref)


def mark_absent(repo: RepoCache, commit: str, name: str) -> None:
    """Note that the Hub has no such file at a commit, as huggingface_hub does."""
    marker = repo.folder / ".no_exist" / commit / name
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def is_absent(repo: RepoCache, commit: str, name: str) -> bool:
    """Whether the Hub is known to have no such file at a commit."""
    return (repo.folder / ".no_exist" / commit / name).is_file()


def cached_files(repo: RepoCache, commit: str) -> Mapping[str, int]:
    """Admitted files of a commit in the cache: relative POSIX path → bytes."""
    root = repo.snapshot(commit)
    found = {}
    for path in (*root.glob("*"), *root.glob("[0-9]_*/*")):
        name = path.relative_to(root).as_posix()
        if size_limit(name) is not None and path.is_file():
            found[name] = path.stat().st_size
    return found
