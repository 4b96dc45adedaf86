"""What the Hub says of a model at one commit: its files, sizes and hashes, before anything is downloaded."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from workbench.errors import ModelFolderError
from workbench.persistence import hub_cache, hub_http
from workbench.persistence.names import Selection, check_weights, select, shown

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub lists it: size in bytes; sha256 for a large file, git's blob hash for a small one."""

    size: int
    sha256: str
    git_hash: str

    @property
    def etag(self) -> str:
        """Name of the blob in the cache."""
        return self.sha256 or self.git_hash


@dataclass(frozen=True)
class Listing:
    """What the Hub says of a model at one commit."""

    commit: str
    files: Mapping[str, RemoteFile]
    selection: Selection


def ask(repo: str, *, revision: str = "", token: str | None = None, endpoint: str) -> Listing:
    """Ask the Hub for the commit and the files of a model; answers or fails within five seconds.

    Args:
        repo: ``owner/name``.
        revision: Branch, tag or commit; empty for the default branch.
        token: Sent only if given.
        endpoint: Address of the Hub.

    Raises:
        ModelSourceError: ``hub-…``.
        ModelFolderError: ``model-custom-code``.
    """
    url = f"{endpoint}/api/models/{repo}"
    if revision:
        url += f"/revision/{quote(revision, safe='')}"
    answer = hub_http.watched(
        lambda beat: hub_http.get_json(f"{url}?blobs=true", token=token, where=repo, beat=beat),
        hub_http.unreachable(repo, "no answer in time"),
        lot_bytes=math.inf,
    )
    return _listing(answer, repo, token)


def _listing(answer: Any, repo: str, token: str | None) -> Listing:
    if not isinstance(answer, dict) or not hub_cache.is_commit(answer.get("sha")):
        raise hub_http.bad_answer("no commit", repo)
    if answer.get("disabled"):
        raise hub_http.refusal("DisabledRepoError", repo)
    if answer.get("gated") and not token:
        raise hub_http.refusal("GatedRepoError", repo)
    config = answer.get("config")
    asks_for_code = isinstance(config, dict) and config.get("auto_map")
    tags = answer.get("tags")
    if asks_for_code or (isinstance(tags, list) and "custom_code" in tags):
        raise ModelFolderError(
            "model-custom-code",
            "the model asks for Python code of its own",
            expected="a model type that Transformers knows",
            where=repo,
            fix="Choose another model: code that comes with a model is never run here",
        )
    siblings = answer.get("siblings")
    if not isinstance(siblings, list):
        raise hub_http.bad_answer("no list of files", repo)
    files = {}
    for entry in siblings:
        if not isinstance(entry, dict) or not isinstance(entry.get("rfilename"), str):
            raise hub_http.bad_answer("a file without a name", repo)
        files[entry["rfilename"]] = entry
    selection = select(files)
    admitted = {name: _remote_file(files[name], repo) for name in selection.admitted}
    check_weights(selection, files)
    return Listing(answer["sha"], admitted, selection)


def _remote_file(entry: dict[str, Any], repo: str) -> RemoteFile:
    lfs = entry.get("lfs")
    size, git_hash = entry.get("size"), entry.get("blobId")
    sha256 = lfs.get("sha256", "") if isinstance(lfs, dict) else ""
    # Both hashes become file names in the cache.
    hashes_fit = (not sha256 or (isinstance(sha256, str) and _SHA256.fullmatch(sha256))) and (
        sha256 or hub_cache.is_commit(git_hash)
    )
    if type(size) is not int or size < 0 or not hashes_fit:
        raise hub_http.bad_answer(f"no size or hash of {shown(entry['rfilename'])}", repo)
    return RemoteFile(size, sha256, "" if sha256 else str(git_hash))
