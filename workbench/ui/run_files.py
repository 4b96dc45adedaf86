"""What a visitor can take of a run: its settings, a program, the proofs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UnknownNameError
from workbench.ui.download import kept_file
from workbench.ui.run_reports import folder_of

if TYPE_CHECKING:
    from workbench.ui.run_reports import Runs

# A proof holds drawings and some texts; what is larger was not written by this app.
_MAX_BYTES = 16 << 20


def run_file(runs: Runs, owner: str, run_id: str, kind: object) -> Path:
    """Write one of ``KINDS`` into a file for the visitor.

    Raises:
        UnknownNameError: ``run-unknown``, ``unknown-format``, ``proof-missing``.
        InvalidValueError: ``run-without-program``.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnknownNameError("unknown-format", repr(kind)[:40], expected=f"one of {', '.join(KINDS)}")
    name, data = KINDS[kind](runs, owner, run_id)
    return kept_file(name, data)


def _yaml(runs: Runs, owner: str, run_id: str) -> tuple[str, bytes]:
    from workbench.runs.exports import to_yaml

    return f"run-{run_id}.yaml", to_yaml(runs.show(owner, run_id)).encode()


def _python(runs: Runs, owner: str, run_id: str) -> tuple[str, bytes]:
    from workbench.runs.exports import to_python

    return f"run-{run_id}.py", to_python(runs.show(owner, run_id)).encode()


def _proof(ending: str) -> Callable[[Any, str, str], tuple[str, bytes]]:
    def read(runs: Runs, owner: str, run_id: str) -> tuple[str, bytes]:
        folder = folder_of(runs, owner, run_id)
        # A way a proof; the names are the job's, and a link is not followed.
        paths = sorted(
            path
            for path in folder.glob(f"proof-*.{ending}")
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_BYTES
        )
        if not paths:
            raise UnknownNameError(
                "proof-missing", "no proof", expected="a complete run with one", where=run_id
            )
        if len(paths) == 1:
            return f"run-{run_id}-proof.{ending}", paths[0].read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.writestr(path.name, path.read_bytes())
        return f"run-{run_id}-proofs-{ending}.zip", packed.getvalue()

    return read


# What can be taken → the name of the file and its bytes.
KINDS: dict[str, Callable[[Any, str, str], tuple[str, bytes]]] = {
    "yaml": _yaml,
    "python": _python,
    "proof": _proof("html"),
    "proof_json": _proof("json"),
}
