"""``python -m workbench``: the command line, and the app among its commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import app as cli

__all__ = ["cli"]


@cli.command("app")
def open_app(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for the whole network")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; by default the first free one from 7860 on")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Name under which a proxy reaches this app; repeat it")
    ] = None,
    models_root: Annotated[
        Path | None, typer.Option(help="Folder below which the page may load models; by default this one")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="Folder of the runs; by default WORKBENCH_HOME, else ./runs")
    ] = None,
) -> None:
    """Open the app in the browser: three pipelines side by side."""
    from workbench.ui.server import serve

    serve(host=host, port=port, allow_hosts=allow_host or (), models_root=models_root, home=home)


if __name__ == "__main__":
    cli(prog_name="python -m workbench")
