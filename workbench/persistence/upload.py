"""Putting a saved model folder on the Hub."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import ModelSourceError
from workbench.persistence.source import HUB_NAME

# Long enough for half a gigabyte over a slow line.
UPLOAD_SECONDS = 600.0
# -P: the folder of the model is no place to import from.
_CHILD = (sys.executable, "-P", "-m", "workbench.persistence.upload_child")


def upload_folder(
    folder: Path, repo_id: str, *, token: str, private: bool, message: str, endpoint: str | None = None
) -> str:
    """Create the repository where needed, and commit the folder to it.

    Args:
        folder: A saved model.
        repo_id: ``owner/name``.
        token: Access token with write rights.
        private: Whether a new repository is private.
        message: Of the commit.
        endpoint: Address of the Hub; by default the public one.

    Returns:
        Address of the commit.

    Raises:
        ModelSourceError: The Hub refused or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo_id, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message).commit_url)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise _failed(error, repo_id) from error


def upload_as_visitor(
    folder: Path, repo_id: str, *, token: str, private: bool, message: str, endpoint: str | None = None
) -> str:
    """Upload with the token of somebody else, into a namespace of his alone.

    As ``upload_folder``, and: what shall be private goes into no repository that is public already.

    Raises:
        ModelSourceError: ``hub-namespace``, ``hub-repo-public``, ``hub-upload-failed``.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi(endpoint=endpoint, token=token)
    try:
        who: dict[str, Any] = api.whoami()
        own = [str(who["name"]), *(str(org["name"]) for org in who.get("orgs") or ())]
        if repo_id.split("/")[0] not in own:
            raise ModelSourceError(
                "hub-namespace",
                f"The owner {repo_id.split('/')[0]!r}",
                expected=f"one of {', '.join(own)}",
                where=repo_id,
            )
        api.create_repo(repo_id, private=private, exist_ok=True)
        if private and not api.model_info(repo_id).private:
            raise ModelSourceError(
                "hub-repo-public",
                "The repository is there already and is public",
                expected="a new name or a private repository",
                where=repo_id,
            )
    except (HfHubHTTPError, HFValidationError, KeyError, TypeError, OSError) as error:
        if isinstance(error, ModelSourceError):
            raise
        raise _failed(error, repo_id) from error
    return upload_folder(folder, repo_id, token=token, private=private, message=message, endpoint=endpoint)


def upload_within(
    folder: Path,
    repo_id: str,
    *,
    token: str,
    private: bool,
    message: str,
    environment: Mapping[str, str],
    endpoint: str | None = None,
    seconds: float = UPLOAD_SECONDS,
) -> str:
    """``upload_as_visitor`` in a process of its own, which is ended when its time is over.

    That process opens no model. The token goes to it through a pipe: neither its command line nor its
    environment, which others on the machine may read, holds it.

    Args:
        folder, repo_id, token, private, message, endpoint: As ``upload_folder``.
        environment: Of the process; without secrets.
        seconds: Its time.

    Returns:
        Address of the commit.

    Raises:
        ModelSourceError: ``hub-repo-name``, ``hub-upload-time``, and what ``upload_as_visitor`` raises.
    """
    orders = {
        "folder": str(folder),
        "repo_id": checked_repo_id(repo_id),
        "token": token,
        "private": private,
        "message": message,
        "endpoint": endpoint,
    }
    try:
        done = subprocess.run(
            _CHILD,
            input=json.dumps(orders),
            stdout=subprocess.PIPE,
            # Libraries may tell there what they send.
            stderr=subprocess.DEVNULL,
            text=True,
            env={**environment, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            cwd=folder,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # Not from it: it holds what the process was given.
        raise ModelSourceError(
            "hub-upload-time",
            f"The upload was not done after {seconds:g} s",
            fix="Try again; what the Hub has received already is not sent twice",
            where=repo_id,
        ) from None
    except OSError as error:
        raise _failed(error, repo_id) from None
    return _answer(done.stdout, repo_id, token)


def checked_repo_id(repo_id: str) -> str:
    """The name of a repository, ``owner/name``.

    Raises:
        ModelSourceError: ``hub-repo-name``.
    """
    name = repo_id.strip()
    if HUB_NAME.fullmatch(name) is None or re.search(r"--|\.\.|\.git$", name):
        raise ModelSourceError(
            "hub-repo-name",
            repr(name[:100]),
            expected="owner/name of letters, digits, '-', '_' and '.', without '--', '..' and a last '.git'",
            fix="Write for example my-name/my-model",
        )
    return name


def _answer(text: str, repo_id: str, token: str) -> str:
    """The last line of the process: an address, or the error that it met."""
    try:
        found: dict[str, Any] = json.loads(text.strip().rsplit("\n", 1)[-1])
        if "url" in found:
            return str(found["url"])
        error = ModelSourceError(**found["error"])
    except (ValueError, TypeError, KeyError):
        raise ModelSourceError(
            "hub-upload-failed", "The process of the upload ended without an answer", where=repo_id
        ) from None
    # An answer of the Hub's may repeat what it was sent.
    if token in error.message:
        error = ModelSourceError(error.code, error.came.replace(token, "…"), where=repo_id)
    raise error


def _failed(error: Exception, repo_id: str) -> ModelSourceError:
    told = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return ModelSourceError(
        "hub-upload-failed",
        f"The Hub did not take the upload: {told}",
        fix="Check the name, the token's write rights and the connection",
        where=repo_id,
    )
