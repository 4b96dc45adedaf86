"""Asking the Hub within time and size limits; each kind of fault gets its own code.

The requests go through huggingface_hub's session (proxies and certificates of the user), but with headers
of our own: no token unless one is passed, and no telemetry.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from workbench.errors import Cancelled, ModelFolderError, ModelSourceError, WorkbenchError
from workbench.persistence.json_reader import parse_json

# A request that shows no sign of life for this long is given up.
SILENCE_SECONDS = 4.5
_SOCKET_SECONDS = 4.0
_ANSWER_BYTES = 16 << 20
# Arriving bytes count as a sign of life by the lot: an answer that drips is as good as none.
LOT_BYTES = 1 << 16

T = TypeVar("T")
Beat = Callable[[int], None]


def watched(task: Callable[[Beat], T], fault: ModelSourceError, *, lot_bytes: float = LOT_BYTES) -> T:
    """Run a task in a thread and wait as long as it shows signs of life.

    Socket timeouts alone do not bound a request: name resolution and an answer that drips byte by byte
    pass under them.

    Args:
        task: Called with a function that it must call with the bytes that arrived at each step.
        fault: Raised if the task falls silent.
        lot_bytes: So many bytes are a sign of life; infinity gives the whole task ``SILENCE_SECONDS``.

    Raises:
        ModelSourceError: ``fault``; whatever the task raises, too.
    """
    last = time.monotonic()
    arrived = 0
    given_up = threading.Event()
    done = threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def beat(more_bytes: int) -> None:
        nonlocal last, arrived
        if given_up.is_set():
            raise Cancelled
        arrived += more_bytes
        if arrived >= lot_bytes:
            last, arrived = time.monotonic(), 0

    def work() -> None:
        try:
            outcome.append(task(beat))
        except BaseException as error:  # Handed to the waiting thread, whatever it is.
            failure.append(error)
        done.set()

    threading.Thread(target=work, daemon=True, name="hub-request").start()
    try:
        while not done.wait(max(0.01, last + SILENCE_SECONDS - time.monotonic())):
            if time.monotonic() - last >= SILENCE_SECONDS:
                raise fault
    finally:
        given_up.set()
    if failure:
        raise failure[0]
    return outcome[0]


def get_json(url: str, *, token: str | None, where: str, beat: Beat) -> Any:
    """Get one JSON answer of at most 16 MiB.

    Args:
        url: Where to ask.
        token: Sent only if given.
        where: The model's name.
        beat: Called with the bytes of each step.

    Raises:
        ModelSourceError: One code for each kind of fault.
    """
    data = bytearray()
    for chunk in stream(url, token=token, where=where, beat=beat):
        data += chunk
        if len(data) > _ANSWER_BYTES:
            raise bad_answer(f"more than {_ANSWER_BYTES:,} bytes", where)
    try:
        return parse_json(bytes(data), where)
    except ModelFolderError as error:
        raise bad_answer(error.came, where) from error


def stream(url: str, *, token: str | None, where: str, beat: Beat, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes behind an address as they come.

    Args:
        url: Where to ask.
        token: Sent only if given; dropped by the session on the way to another host.
        where: The model's name.
        beat: Called with the bytes of each step.
        start: First byte wanted. If the server cannot start there, the first chunk is empty and the
            file follows from its first byte.

    Raises:
        ModelSourceError: One code for each kind of fault; ``hub-download-broken`` if the connection breaks
            after the answer began.
    """
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    headers = {"user-agent": "workbench", "accept-encoding": "identity"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if start:
        headers["range"] = f"bytes={start}-"
    begun = False
    with _coded(where, lambda: begun, with_token=bool(token)):
        request = get_session().stream("GET", url, headers=headers, timeout=_SOCKET_SECONDS)
        with request as response:
            beat(LOT_BYTES)
            hf_raise_for_status(response)
            begun = True
            if start and response.status_code != 206:
                yield b""
            for piece in response.iter_bytes():
                beat(len(piece))
                yield piece


@contextmanager
def _coded(where: str, begun: Callable[[], bool], *, with_token: bool) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except HfHubHTTPError as error:
        raise _status_error(error, where, with_token) from error
    except OfflineModeIsEnabled as error:
        raise ModelSourceError(
            "hub-unreachable",
            "HF_HUB_OFFLINE is set, so the Hub is not asked",
            where=where,
            fix="Unset HF_HUB_OFFLINE, or use the bundled model 'all-MiniLM-L6-v2'",
        ) from error
    except WorkbenchError:
        raise
    except Exception as error:  # Whatever the session's library raises for a connection that fails.
        if begun():
            raise broken(where, type(error).__name__) from error
        raise unreachable(where, type(error).__name__) from error


def refusal(kind: str, where: str) -> ModelSourceError:
    """The Hub's refusal of one kind, named after huggingface_hub's error."""
    code, came, fix = _BY_KIND[kind]
    return ModelSourceError(code, came, where=where, fix=fix)


def bad_answer(came: str, where: str) -> ModelSourceError:
    """An answer that is none."""
    return ModelSourceError(
        "hub-answer",
        f"the Hub's answer cannot be used: {came}",
        where=where,
        fix="Try again later; check HF_ENDPOINT if it is set",
    )


def unreachable(where: str, reason: str) -> ModelSourceError:
    """The Hub did not answer at all."""
    return ModelSourceError(
        "hub-unreachable",
        f"the Hub did not answer ({reason})",
        where=where,
        fix="Check the network, or use the bundled model 'all-MiniLM-L6-v2', which needs none",
    )


def broken(where: str, reason: str) -> ModelSourceError:
    """A download that stopped before its end."""
    return ModelSourceError(
        "hub-download-broken",
        f"the download stopped before its end ({reason})",
        where=where,
        fix="Check the network and try again",
    )


def _status_error(error: Any, where: str, with_token: bool) -> ModelSourceError:
    status = error.response.status_code
    # Without a token the Hub says 401 of what is private or missing, and huggingface_hub knows it for
    # what it is only at the public address.
    kind = type(error).__name__
    if status == 401 and not with_token and kind == "HfHubHTTPError":
        kind = "RepositoryNotFoundError"
    code, came, fix = _BY_KIND.get(kind) or _BY_STATUS.get(status) or ("", "", "")
    if not code and 500 <= status <= 599:
        code, came, fix = "hub-server-error", f"the Hub failed with status {status}", "Try again later"
    if not code:
        code, came, fix = "hub-answer", f"the Hub answered with status {status}", "Check name and revision"
    return ModelSourceError(code, came, where=where, fix=fix)


_PRIVATE_FIX = "Check the spelling; a private model needs a token, passed as token= in the Python API"
_BY_KIND = {
    "GatedRepoError": (
        "hub-gated",
        "the model is gated: its author must grant access",
        "Ask for access on its page and pass token= in the Python API, or choose another model",
    ),
    "DisabledRepoError": ("hub-disabled", "the model is disabled on the Hub", "Choose another model"),
    "RepositoryNotFoundError": (
        "hub-not-found",
        "no such model, or it is private",
        _PRIVATE_FIX,
    ),
    "RevisionNotFoundError": (
        "hub-revision-not-found",
        "the model has no such revision",
        "Leave the revision out, or pass a commit of this model",
    ),
    "RemoteEntryNotFoundError": (
        "hub-file-missing",
        "the Hub lists a file that it does not have",
        "Try again later",
    ),
}
_BY_STATUS = {
    401: ("hub-token-refused", "the Hub refuses the token", "Pass a valid token, or none"),
    403: ("hub-private", "access to the model is refused", _PRIVATE_FIX),
    404: ("hub-not-found", "no such model, or it is private", _PRIVATE_FIX),
    408: ("hub-server-error", "the Hub timed out", "Try again later"),
    429: ("hub-rate-limited", "the Hub has had too many requests from here", "Wait a few minutes"),
}
