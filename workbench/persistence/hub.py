"""Fetching a model from the Hub: decided from its list of files, pinned to a commit, checked by hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from workbench.errors import InvalidTypeError, ModelSourceError
from workbench.persistence import hub_cache, hub_http
from workbench.persistence.atomic import check_free_space, writing
from workbench.persistence.hub_listing import Listing, RemoteFile, ask
from workbench.persistence.json_reader import read_json, scan_keys
from workbench.persistence.names import MODEL_BYTES, check_sizes, select

Progress = Callable[[int, int], None]

# Faults of the Hub or of the network, for which a copy in the cache is as good.
_PASSING = frozenset({"hub-unreachable", "hub-rate-limited", "hub-server-error", "hub-download-broken"})
_RESUMES = 2
_TOKEN = re.compile(r"[!-~]{1,500}", re.ASCII)


@dataclass(frozen=True)
class Fetched:
    """A model folder, as fetched into the cache or as it lies on disk.

    Attributes:
        folder: Its files; in the cache they are links.
        link_roots: Where those links may lead.
        commit: Full commit hash; empty for a folder.
        sha256: Admitted file → hash that the Hub tells; only for large files, empty when offline.
        notices: What the user should be told.
    """

    folder: Path
    link_roots: tuple[Path, ...]
    commit: str
    sha256: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def fetch(
    repo: str,
    *,
    revision: str = "",
    token: str | None = None,
    local_files_only: bool = False,
    limit_bytes: int = MODEL_BYTES,
    endpoint: str | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Bring the admitted files of a model into the Hub's cache.

    If the Hub is out of reach or busy, what the cache holds of the revision is used, and a notice says so.

    Args:
        repo: ``owner/name``, already checked by ``source.resolve``.
        revision: Branch, tag or commit; empty for the default branch.
        token: Sent only if given; a token of the environment or of a login is never used.
        local_files_only: Do not ask the Hub.
        limit_bytes: Most bytes of all admitted files, decided before a byte is downloaded.
        endpoint: Address of the Hub; by default huggingface_hub's.
        cache_dir: Root of the cache; by default huggingface_hub's.
        progress: Called in another thread with bytes done and bytes in all.

    Raises:
        ModelSourceError: ``hub-…``, one code for each kind of fault.
        ModelFolderError: What the list of files already shows: ``weights-missing``, ``weights-pickle-only``,
            ``model-is-adapter``, ``model-custom-code``, ``model-too-big``, ``model-file-too-big``,
            ``model-too-many-files``.
        FolderWriteError: ``disk-full`` or ``not-writable``.
        InvalidTypeError: ``hub-token``.
    """
    _check_token(token)
    cache = hub_cache.repo_cache(repo, cache_dir)
    if local_files_only:
        return _from_cache(cache, repo, revision, limit_bytes, reason=None)
    base = _endpoint(endpoint)
    try:
        listing = ask(repo, revision=revision, token=token, endpoint=base)
        check_sizes({name: file.size for name, file in listing.files.items()}, limit_bytes)
        _download(listing, repo, cache, token=token, endpoint=base, progress=progress)
    except ModelSourceError as error:
        if error.code not in _PASSING:
            raise
        return _from_cache(cache, repo, revision, limit_bytes, reason=error)
    with writing(cache.folder):
        hub_cache.remember(cache, revision, listing.commit)
        if "modules.json" not in listing.files:
            hub_cache.mark_absent(cache, listing.commit, "modules.json")
    hashes = {name: listing.files[name].sha256 for name in listing.selection.admitted}
    return Fetched(
        cache.snapshot(listing.commit),
        cache.link_roots,
        listing.commit,
        {name: value for name, value in hashes.items() if value},
        listing.selection.notices,
    )


def _download(
    listing: Listing,
    repo: str,
    cache: hub_cache.RepoCache,
    *,
    token: str | None,
    endpoint: str,
    progress: Progress | None,
) -> None:
    commit = listing.commit
    with writing(cache.folder):
        wanted = {
            name: file
            for name, file in listing.files.items()
            if not hub_cache.holds(cache, commit, name, file.size)
            and not hub_cache.link_known(cache, commit, name, file.etag, file.size)
        }
        total = sum(file.size for file in wanted.values())
        cache.folder.mkdir(parents=True, exist_ok=True)
        check_free_space(cache.folder, total)
    done = 0
    # Small files first: a config that asks for code is refused before its weights are fetched.
    for name, file in sorted(wanted.items(), key=lambda item: item[1].size):
        url = f"{endpoint}/{repo}/resolve/{commit}/{quote(name)}"
        with writing(cache.folder):
            temporary = hub_cache.temporary_blob(cache, file.etag)
            try:
                _download_file(url, temporary, file, repo, token, _shifted(progress, done, total))
                if name.endswith("config.json"):
                    scan_keys(read_json(temporary, where=name), name)
                hub_cache.put(cache, commit, name, file.etag, temporary)
            finally:
                temporary.unlink(missing_ok=True)
        done += file.size


def _download_file(
    url: str, target: Path, file: RemoteFile, repo: str, token: str | None, progress: Progress | None
) -> None:
    fault = hub_http.broken(repo, "no bytes for some seconds")

    def task(beat: hub_http.Beat) -> None:
        with target.open("wb") as sink:
            for attempt in range(_RESUMES + 1):
                before = sink.tell()
                try:
                    for chunk in hub_http.stream(url, token=token, where=repo, beat=beat, start=before):
                        if not chunk:  # The server starts anew.
                            sink.seek(0)
                            sink.truncate()
                        sink.write(chunk)
                        if sink.tell() > file.size:
                            raise _corrupt_download(repo, target)
                        if progress:
                            progress(sink.tell(), file.size)
                except ModelSourceError as error:
                    # Worth going on from here only if this attempt brought something.
                    if error.code != fault.code or sink.tell() <= before or attempt == _RESUMES:
                        raise
                else:
                    break

    hub_http.watched(task, fault)
    if target.stat().st_size < file.size:
        raise hub_http.broken(repo, f"{target.stat().st_size:,} of {file.size:,} bytes")
    if not _has_hash(target, file):
        raise _corrupt_download(repo, target)


def _has_hash(path: Path, file: RemoteFile) -> bool:
    # git hashes a header with the content; SHA-1 here names content, it does not protect it.
    digest = (
        hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    )
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest() == file.etag


def _shifted(progress: Progress | None, done: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda now, _: progress(done + now, total)


def _from_cache(
    cache: hub_cache.RepoCache,
    repo: str,
    revision: str,
    limit_bytes: int,
    *,
    reason: ModelSourceError | None,
) -> Fetched:
    try:
        commit = hub_cache.cached_commit(cache, revision)
        files = hub_cache.cached_files(cache, commit) if commit else {}
    except OSError:  # A cache that may not be read holds nothing for us.
        commit, files = "", {}
    selection = select(files)
    # Other programs cache parts of a model. Without its modules.json a model would be pooled otherwise
    # than it was trained, so either that file is here or the Hub is known not to have one.
    is_whole = "modules.json" in files or hub_cache.is_absent(cache, commit, "modules.json")
    if not is_whole or not any(name.endswith(".safetensors") for name in selection.admitted):
        if reason is not None:
            raise reason
        raise ModelSourceError(
            "hub-not-cached",
            "the model is not in the cache",
            where=repo,
            fix="Load it once with a network (local_files_only=False)",
        )
    check_sizes({name: files[name] for name in selection.admitted}, limit_bytes)
    notices: tuple[str, ...] = ()
    if reason is not None:
        notices = (f"{reason.came}; the copy of commit {commit[:12]} in the cache is used.",)
    return Fetched(cache.snapshot(commit), cache.link_roots, commit, notices=notices)


def _check_token(token: str | None) -> None:
    if token is not None and not (isinstance(token, str) and _TOKEN.fullmatch(token)):
        # The value is not shown: it may be a real token with a stray line end.
        raise InvalidTypeError(
            "hub-token",
            f"a token that is none (a {type(token).__name__})",
            expected="the text of a Hub token, or None",
            where="token",
            fix="Pass the token itself; a token of the environment or of a login is never used",
        )


def _endpoint(endpoint: str | None) -> str:
    from huggingface_hub import constants

    return (endpoint or constants.ENDPOINT).rstrip("/")


def _corrupt_download(repo: str, path: Path) -> ModelSourceError:
    return ModelSourceError(
        "hub-file-corrupt",
        "a downloaded file is not the one the Hub lists (size or hash differ)",
        where=f"{repo} {path.name}",
        fix="Try again; a proxy on the way may change files",
    )
