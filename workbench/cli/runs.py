"""``runs list|show|cancel|resume|compare``: the runs of the app, from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.telling import errors_told, tell
from workbench.errors import UnknownNameError

if TYPE_CHECKING:
    from workbench.runs.text import Runs

runs_app = typer.Typer(
    help="The runs of the app: list, show, cancel, resume, compare. A running app is asked.",
    no_args_is_help=True,
)

Home = Annotated[
    Path | None,
    typer.Option(help="Folder of the runs; by default WORKBENCH_HOME, else ./runs", show_default=False),
]
RunId = Annotated[str, typer.Argument(help="Id of a run, as list shows it")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON")]


@runs_app.command("list")
def list_runs(
    state: Annotated[
        str | None, typer.Option(help="queued, running, cancelled, failed, interrupted or complete")
    ] = None,
    text: Annotated[str, typer.Option(help="Part of a name, a note, a kind or an id")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest first")] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The newest runs, of all owners."""
    with errors_told():
        from workbench.runs import text as told

        with _opened(home) as runs:
            typer.echo(told.list_runs(runs, state=state, text=text, limit=limit, as_json=as_json))


@runs_app.command("show")
def show_run(
    run_id: RunId,
    log_lines: Annotated[int, typer.Option(min=0, max=1000, help="Lines from the end of the log")] = 10,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One run: state, settings, result, the end of its log."""
    with errors_told():
        from workbench.runs import text as told

        with _opened(home) as runs:
            typer.echo(told.show_run(runs, run_id, as_json=as_json, log_lines=log_lines))


@runs_app.command("cancel")
def cancel_run(run_id: RunId, home: Home = None, as_json: AsJson = False) -> None:
    """Ask a run to stop; it keeps a checkpoint."""
    with errors_told():
        from workbench.runs import text as told

        with _opened(home) as runs:
            typer.echo(told.cancel_run(runs, run_id, as_json=as_json))


@runs_app.command("resume")
def resume_run(
    run_id: RunId,
    wait: Annotated[bool, typer.Option(help="Stay until the run ends; Ctrl+C lets it go on alone")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put a run that stopped short back into the queue; it goes on from its newest checkpoint."""
    with errors_told():
        from workbench.runs import text as told

        with _opened(home, starts=True) as runs:
            seconds = None if wait else 0.0
            typer.echo(told.resume_run(runs, run_id, wait_seconds=seconds, as_json=as_json))


@runs_app.command("compare")
def compare_runs(
    run_ids: Annotated[list[str], typer.Argument(help="Two to four ids")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Two to four runs side by side: settings that differ, last values, results."""
    with errors_told():
        from workbench.runs import text as told

        with _opened(home) as runs:
            typer.echo(told.compare_runs(runs, run_ids, as_json=as_json))


@contextmanager
def _opened(home: Path | None, *, starts: bool = False) -> Iterator[Runs]:
    """The runs of a home that is there: a look must not make one.

    Raises:
        UnknownNameError: ``runs-home-missing``.
    """
    from workbench.runs import layout
    from workbench.runs.connect import open_runs

    folder = home.absolute() if home is not None else layout.default_home()
    if not layout.runs_folder(folder).is_dir():
        raise UnknownNameError(
            "runs-home-missing",
            f"no runs in {folder}",
            expected="the folder that the app keeps its runs in",
            fix="Name it by --home DIR or WORKBENCH_HOME",
        )
    with open_runs(folder, starts=starts) as runs:
        for notice in runs.notices:
            tell(f"note: {notice.message} [{notice.code}]")
        yield runs
