"""What every command says on stderr: a line of progress, or the refusal that ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from workbench.errors import WorkbenchError


@contextmanager
def errors_told() -> Iterator[None]:
    """A refusal goes to stderr and ends with 2, without a traceback."""
    try:
        yield
    except WorkbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def tell(message: str) -> None:
    """One line on stderr: results alone go to stdout."""
    typer.echo(message, err=True)
