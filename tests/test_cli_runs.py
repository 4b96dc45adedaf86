"""``python -m workbench runs``: of a home that nobody has open, and of one that an app has open."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.runs.harness import ANN, BEN, QUICK, until
from workbench.__main__ import cli
from workbench.runs.channel import Channel
from workbench.runs.supervisor import Supervisor

_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    return folder


@pytest.fixture
def app(home: Path) -> Iterator[Supervisor]:
    """The runs as an app has them open."""
    with Supervisor(home, limits=QUICK) as runs:
        channel = Channel(runs, home)
        yield runs
        channel.close()


def _told(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["runs", *arguments])


def _said(*arguments: str) -> str:
    result = _told(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def _refused(*arguments: str) -> str:
    result = _told(*arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_help_is_there_and_needs_no_library():
    code = (
        "import sys; from workbench.__main__ import cli\n"
        "try: cli(['runs', *sys.argv[1:], '--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'torch', 'gradio', 'transformers', 'pandas', 'pyarrow'} & set(sys.modules)"
    )
    for arguments in ([], ["list"], ["resume"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=_ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert "Usage" in done.stdout


def test_a_home_without_runs_is_told_and_not_made(home):
    for arguments in (["list"], ["show", "x"], ["cancel", "x"], ["resume", "x"], ["compare", "x", "y"]):
        assert "runs-home-missing" in _refused(*arguments)
    assert not home.exists()
    assert "runs-home-missing" in _refused("list", "--home", str(home / "other"))


def test_runs_of_all_owners_are_listed_shown_and_compared(app):
    one = app.wait(ANN, app.submit(ANN, "count", {"steps": 3, "seed": 1}, name="one").id, 60)
    two = app.wait(BEN, app.submit(BEN, "count", {"steps": 3, "seed": 2}, name="two").id, 60)
    listed = _said("list")
    assert one.id in listed and two.id in listed and listed.count("complete") == 2
    assert two.id not in _said("list", "--text", "one")
    assert [run["id"] for run in json.loads(_said("list", "--json", "--limit", "1"))] == [two.id]
    assert _said("list", "--state", "failed") == "No runs.\n"
    assert "run-state" in _refused("list", "--state", "odd")
    shown = json.loads(_said("show", one.id, "--json"))
    assert shown["result"] == app.result(ANN, one.id) and shown["config"]["seed"] == 1
    assert "3/3" in _said("show", one.id)
    assert "run-unknown" in _refused("show", "20260101-000000-00000000")
    compared = json.loads(_said("compare", one.id, two.id, "--json"))
    assert compared["differences"] == {"seed": [1, 2]}
    assert "runs-to-compare" in _refused("compare", one.id)


def test_a_run_of_the_app_is_cancelled_and_resumed_by_asking_it(app):
    run = app.submit(ANN, "count", {"steps": 60, "step_seconds": 0.02})
    until(lambda: app.show(ANN, run.id).step > 2)
    assert "stopping" in _said("cancel", run.id)
    assert app.wait(ANN, run.id, 60).state == "cancelled"
    assert "cancelled" in _said("cancel", run.id)
    assert "complete" in _said("resume", run.id, "--wait")
    assert "run-complete" in _refused("resume", run.id)


def test_without_an_app_the_command_looks_after_the_run_itself(home):
    with Supervisor(home, limits=QUICK, starts=False) as runs:
        run = runs.submit(ANN, "count", {"steps": 5})
        runs.cancel(ANN, run.id)
    # The short form starts the child and leaves it alone; the next look finds its end.
    assert run.id in _said("resume", run.id)
    until(lambda: "complete" in _said("list"))
    assert json.loads(_said("show", run.id, "--json", "--home", str(home)))["step"] == 5


def test_looking_starts_nothing(home):
    with Supervisor(home, limits=QUICK, starts=False) as runs:
        run = runs.submit(ANN, "count", {"steps": 5})
    for _ in range(3):
        assert "queued (1)" in _said("list")
    assert f"{run.id} cancelled" in _said("cancel", run.id)


def test_the_app_is_given_a_home(monkeypatch, tmp_path):
    from workbench.ui import server

    asked = {}
    monkeypatch.setattr(server, "serve", lambda **values: asked.update(values))
    result = CliRunner().invoke(cli, ["app", "--home", str(tmp_path / "runs")])
    assert result.exit_code == 0, result.output
    assert asked["home"] == tmp_path / "runs"
