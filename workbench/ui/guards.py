"""What stands before every request: whose it is, where it goes, how large it is, what its answer says."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
_UPLOAD = f"{API}/upload"
# Routes of Gradio that the app has no use for, each of which does something for whoever asks: keep
# a session's values on disk, fetch an address, run ffmpeg.
_CLOSED = (
    f"{API}/deep_link",
    f"{API}/process_recording",
    f"{API}/proxy=",
    f"{API}/file=http:",
    f"{API}/file=https:",
    f"{API}/vibe-",
)
# Routes that run a callback, or look one up by a name or number of the client's.
CALLS = (f"{API}/call/", f"{API}/run/", f"{API}/api/", f"{API}/queue/join", f"{API}/component_server")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co",
}


@dataclass(frozen=True)
class Hosts:
    """Whose requests are answered; names in lower case, without a port.

    Attributes:
        names: Accepted in ``Host``, beside the addresses of this machine itself.
        pages: Accepted in ``Origin``, beside the page's own host.
        any_host: Do not look at ``Host``: a Space's proxy chooses it, and its page is public anyway.
        any_address: Accept every IP address as ``Host``. A hostile page can make a name of its own
            point here (DNS rebinding), but an address it cannot.
    """

    names: frozenset[str] = frozenset()
    pages: frozenset[str] = frozenset()
    any_host: bool = False
    any_address: bool = False

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header is ours."""
        name = _host_name(host)
        if self.any_host or name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.any_address or address.is_loopback

    def admits(self, origin: str, host: str) -> bool:
        """Whether a page of this ``Origin`` may send to this ``Host``: another port is another page."""
        netloc = origin.lower().partition("://")[2]
        return bool(netloc) and (netloc == host.lower() or _host_name(netloc) in self.pages)


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def own_hosts(server_name: str, allowed: Sequence[str] = ()) -> Hosts:
    """The hosts of this process: the Space's, or this machine's under the address it is bound to.

    Args:
        server_name: The address the server listens on.
        allowed: Further names under which a proxy of the user's hands requests on.
    """
    extra = {name.strip().lower() for name in allowed} - {""}
    if on_a_space():
        own = {name.strip().lower() for name in os.environ.get("SPACE_HOST", "").split(",")} - {""}
        return Hosts(pages=frozenset(own | extra), any_host=True)
    names = extra | {"localhost"}
    beyond_this_machine = not Hosts(frozenset(names)).knows(server_name)
    if beyond_this_machine:
        names |= {server_name.lower(), socket.gethostname().lower()}
    return Hosts(frozenset(names), frozenset(extra), any_address=beyond_this_machine)


def on_a_space() -> bool:
    """Whether this process is a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


class OwnHostsOnly:
    """Answers 403 to a foreign Host or Origin, so that no other page can use a local app."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origins = headers.get("host", ""), headers.getlist("origin")
        if not self.hosts.knows(host):
            refusal = (
                "This app does not answer to that host name; start it with --allow-host NAME. [foreign-host]"
            )
        elif not all(self.hosts.admits(origin, host) for origin in origins):
            refusal = "A page of another site may not use this app. [foreign-origin]"
        else:
            await self.app(scope, receive, send)
            return
        await PlainTextResponse(refusal, status_code=403)(scope, receive, send)


class OwnRoutesOnly:
    """Answers 404 on Gradio's routes that this app does not use."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].lower().startswith(_CLOSED):
            response = PlainTextResponse("Not here. [route-closed]", status_code=404)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body beyond its limit, announced or not, without holding it in memory."""

    def __init__(self, app: ASGIApp, json_bytes: int, upload_bytes: int) -> None:
        self.app = app
        self.json_bytes = json_bytes
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = scope["path"].rstrip("/") == _UPLOAD
        limit = self.upload_bytes if upload else self.json_bytes
        refusal = f"The request is larger than the maximum allowed size of {limit:,} bytes. [body-too-large]"
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            await PlainTextResponse(refusal, status_code=413)(scope, receive, send)
            return
        counted = _counted(
            receive, limit, MultiPartException(refusal) if upload else HTTPException(413, refusal)
        )
        await self.app(scope, _told_of_a_break(counted) if upload else counted, send)


def _counted(receive: Receive, limit: int, refusal: Exception) -> Receive:
    received = 0

    async def next_message() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise refusal
        return message

    return next_message


def _told_of_a_break(receive: Receive) -> Receive:
    """Hand a broken-off upload on as a bad one: Gradio removes its temporary file only for those."""
    complete = False

    async def next_message() -> Message:
        nonlocal complete
        message = await receive()
        if message["type"] == "http.disconnect" and not complete:
            raise MultiPartException("The upload broke off. [upload-broken]")
        complete = complete or not message.get("more_body", False)
        return message

    return next_message


class NoAddresses:
    """Answers 422 to an address in place of an uploaded file: Gradio would fetch it for whoever asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(CALLS) or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            body = await _whole_body(receive)
        except HTTPException as error:
            await PlainTextResponse(error.detail, error.status_code)(scope, receive, send)
            return
        if body is None:
            return
        if _names_an_address(body):
            refusal = "A file is taken from an upload, not from an address. [address-refused]"
            await PlainTextResponse(refusal, status_code=422)(scope, receive, send)
            return
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        await self.app(scope, again, send)


async def _whole_body(receive: Receive) -> bytes | None:
    """The body, whose size ``BodyLimit`` bounds; None if the client left before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _names_an_address(body: bytes) -> bool:
    """Whether a JSON body holds a file that Gradio would fetch; what is no JSON is refused further in."""
    try:
        waiting = [json.loads(body)]
    except (ValueError, RecursionError):
        return False
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if "meta" in value and isinstance(path, str) and path.startswith(("http://", "https://")):
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False


class SafeHeaders:
    """Adds the headers that tell a browser not to guess types, leak addresses or frame the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self.app(scope, receive, sent)
