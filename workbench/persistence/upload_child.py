"""The process of one upload: its orders come through stdin, its answer goes to stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from workbench.errors import ModelSourceError
from workbench.persistence.upload import upload_as_visitor


def main() -> None:
    """Upload as ordered, and print one line: ``{"url": …}`` or ``{"error": {…}}``."""
    orders: dict[str, Any] = json.loads(sys.stdin.read())
    folder = Path(orders.pop("folder"))
    repo_id = orders.pop("repo_id")
    try:
        answer: dict[str, Any] = {"url": upload_as_visitor(folder, repo_id, **orders)}
    except ModelSourceError as error:
        names = ("code", "came", "expected", "fix", "where")
        answer = {"error": {name: getattr(error, name) for name in names}}
    except Exception as error:
        # Whatever a library for the transfer raises.
        told = f"{type(error).__name__}: {str(error)[:200]}"
        answer = {"error": {"code": "hub-upload-failed", "came": told, "where": repo_id}}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
