"""How the app is served: launch settings, queue, and the one function that starts it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from workbench.ui.guards import (
    CALLS,
    BodyLimit,
    NoAddresses,
    OwnHostsOnly,
    OwnRoutesOnly,
    SafeHeaders,
    on_a_space,
    own_hosts,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MAX_JSON_BYTES = 2_000_000
# One file at Gradio's own limit, and the lines that wrap it.
MAX_FILE_SIZE = "20mb"
MAX_UPLOAD_BYTES = 20 * 1024 * 1024 + 64 * 1024

# Nothing that opens a way in is left to Gradio's defaults, which also read the environment.
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


async def _unknown_callback(request: Request, error: Exception) -> Response:
    """404 where Gradio's look-up of a callback fails, which it leaves to end as 500."""
    if not request.url.path.startswith(CALLS) or not _raised_by_gradio(error):
        raise error
    return PlainTextResponse("No such callback. [callback-unknown]", status_code=404)


def _raised_by_gradio(error: Exception) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("gradio.")


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
        Middleware(NoAddresses),
    ]
    lookups = {KeyError: _unknown_callback, FnIndexInferError: _unknown_callback}
    return {
        **LAUNCH,
        "server_name": server_name,
        "theme": THEME,
        "css": CSS,
        "app_kwargs": {"middleware": guards, "exception_handlers": lookups},
    }


def serve(
    host: str | None = None,
    port: int | None = None,
    allow_hosts: Sequence[str] = (),
    models_root: Path | None = None,
    home: Path | None = None,
) -> None:
    """Build the app and serve it until it is stopped.

    Args:
        host: Address to listen on; by default this machine alone, on a Space every address.
        port: By default the first free one from 7860 on.
        allow_hosts: Further host names of this app, for a proxy before it.
        models_root: The one folder below which the page may load models; by default the current one. On a
            Space no folder is ever read.
        home: Folder of the runs; by default ``WORKBENCH_HOME``, else ``runs`` in the current folder.
    """
    if home is not None:
        os.environ["WORKBENCH_HOME"] = str(home.absolute())
    os.environ["WORKBENCH_MODELS_ROOT"] = str((models_root or Path()).resolve())
    # These are read when the libraries are imported; the page shows progress, the terminal need not.
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from workbench.ui.app import build_app
    from workbench.ui.backend import warm_up
    from workbench.ui.runs_home import wake

    host = host or os.environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_a_space() else "127.0.0.1")
    blocks = build_app().queue(**QUEUE)
    # Not before: two threads that import side by side hold each other up.
    warm_up()
    _, url, _ = blocks.launch(
        **launch_settings(host, allow_hosts), server_port=port, prevent_thread_lock=True, quiet=True
    )
    wake()
    print(f"Workbench on {url}  (Ctrl+C ends it)", flush=True)
    blocks.block_thread()
