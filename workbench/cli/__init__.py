"""The command line, a file a group of commands. Nothing heavy is imported before the arguments are read."""

from __future__ import annotations

import typer

from workbench.cli.bench import bench
from workbench.cli.compare import compare, encode
from workbench.cli.runs import runs_app
from workbench.cli.trace import app as trace_app
from workbench.cli.train import evaluate, resume, train

app = typer.Typer(
    help="Train sentence-embedding models the classic way and compare pipelines side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (compare, encode, bench, train, resume, evaluate):
    app.command()(_command)
app.add_typer(trace_app, name="trace")
app.add_typer(runs_app, name="runs")
