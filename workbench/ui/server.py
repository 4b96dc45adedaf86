"""How the app is served: launch settings, queue, and the guards that stand before every request."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
MAX_JSON_BYTES = 2_000_000
# One file at Gradio's own limit, and the lines that wrap it.
MAX_FILE_SIZE = "20mb"
MAX_UPLOAD_BYTES = 20 * 1024 * 1024 + 64 * 1024

# Nothing is left to Gradio's defaults that opens a way in: faults A.1 names the reason for each.
LAUNCH: dict[str, Any] = {
    "share": False,
    "allowed_paths": [],
    "max_file_size": MAX_FILE_SIZE,
    "show_error": False,
    "enable_monitoring": False,
    "strict_cors": True,
    "ssr_mode": False,
    "state_session_capacity": 500,
    "mcp_server": False,
    "run_history": False,
    "footer_links": ["api", "settings"],
    "pwa": False,
    # Its workers would answer uploads and files past the guards below.
    "num_workers": 0,
}
QUEUE: dict[str, Any] = {"max_size": 64, "default_concurrency_limit": 2}

# Routes of Gradio that the app has no use for, each of which does something for whoever asks: keep
# a session's values on disk, fetch an address, run ffmpeg.
_CLOSED = (
    f"{_API}/deep_link",
    f"{_API}/process_recording",
    f"{_API}/proxy=",
    f"{_API}/file=http:",
    f"{_API}/file=https:",
    f"{_API}/vibe-",
    "/monitoring",
)
# Routes that look a callback up by a name or number of the client's.
_CALLS = (f"{_API}/call/", f"{_API}/run/", f"{_API}/api/", f"{_API}/queue/join", f"{_API}/component_server")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co",
}


@dataclass(frozen=True)
class Hosts:
    """Whose requests are answered.

    Attributes:
        names: Host names that are ours, lower case, without a port.
        any_host: Do not look at ``Host``: a Space's proxy chooses it, and its page is public anyway.
        any_address: Accept an IP address as ``Host``. A hostile page can make a name of its own point
            here (DNS rebinding), but an address it cannot.
    """

    names: frozenset[str]
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
        """Whether a page of this ``Origin`` may send to this ``Host``: its own page, or a name of ours."""
        netloc = urlsplit(origin).netloc.lower()
        return bool(netloc) and (netloc == host.lower() or _host_name(netloc) in self.names)


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def own_hosts(server_name: str, extra: Sequence[str] = ()) -> Hosts:
    """The hosts of this process: the Space's, or this machine's under the address it is bound to.

    Args:
        server_name: The address the server listens on.
        extra: Further names under which a proxy of the user's hands requests on.
    """
    names = {name.lower() for name in extra}
    if on_a_space():
        names |= {name.strip().lower() for name in os.environ.get("SPACE_HOST", "").split(",")}
        return Hosts(frozenset(names - {""}), any_host=True)
    names |= {"localhost", server_name.lower()}
    beyond_this_machine = not Hosts(frozenset({"localhost"})).knows(server_name)
    if beyond_this_machine:
        names.add(socket.gethostname().lower())
    return Hosts(frozenset(names - {""}), any_address=beyond_this_machine)


def on_a_space() -> bool:
    """Whether this process is a Hugging Face Space."""
    return bool(os.environ.get("SPACE_ID"))


class OwnHostsOnly:
    """Answers 403 to a foreign Host or Origin, so that no other page can use a local app (U18, U19)."""

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
        if scope["type"] == "http" and scope["path"].startswith(_CLOSED):
            response = PlainTextResponse("Not here. [route-closed]", status_code=404)
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)


class BodyLimit:
    """Answers 413 to a body beyond its limit, announced or not, without holding it in memory (U13)."""

    def __init__(self, app: ASGIApp, json_bytes: int, upload_bytes: int) -> None:
        self.app = app
        self.json_bytes = json_bytes
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.upload_bytes if scope["path"].rstrip("/") == _UPLOAD else self.json_bytes
        refusal = f"The request is larger than {limit:,} bytes. [body-too-large]"
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            response = PlainTextResponse(refusal, status_code=413)
            await response(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, refusal)
            return message

        await self.app(scope, counted, send)


class SafeHeaders:
    """Adds the headers that tell a browser not to guess types, leak addresses or frame the app (U4, U21)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self.app(scope, receive, sent)


async def _unknown_callback(request: Request, error: Exception) -> Response:
    """404 where Gradio's look-up of a callback fails, which it leaves to end as 500 (U10).

    A KeyError cannot be one of a callback's: those are caught where the callback runs.
    """
    if not request.url.path.startswith(_CALLS):
        raise error
    return PlainTextResponse("No such callback. [callback-unknown]", status_code=404)


def launch_settings(server_name: str = "127.0.0.1", allow_hosts: Sequence[str] = ()) -> dict[str, Any]:
    """Everything ``Blocks.launch`` is called with, the port aside.

    Args:
        server_name: Address to listen on.
        allow_hosts: Further host names of this app, for a proxy before it.
    """
    from gradio.route_utils import FnIndexInferError

    from workbench.ui.theme import CSS, THEME

    guards = [
        Middleware(SafeHeaders),
        Middleware(OwnHostsOnly, hosts=own_hosts(server_name, allow_hosts)),
        Middleware(OwnRoutesOnly),
        Middleware(BodyLimit, json_bytes=MAX_JSON_BYTES, upload_bytes=MAX_UPLOAD_BYTES),
    ]
    lookups = {KeyError: _unknown_callback, FnIndexInferError: _unknown_callback}
    return {
        **LAUNCH,
        "server_name": server_name,
        "theme": THEME,
        "css": CSS,
        "app_kwargs": {"middleware": guards, "exception_handlers": lookups},
    }
