"""Putting a saved model folder on the Hub."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import ModelSourceError


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
        raise ModelSourceError(
            "hub-upload-failed",
            f"The Hub did not take the upload: {str(error).splitlines()[0][:200]}",
            fix="Check the name, the token's write rights and the connection",
            where=repo_id,
        ) from error
