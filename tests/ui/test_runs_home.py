"""The app's connection to the runs: opened late, once, shared with another app, and never in the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import UnknownNameError
from workbench.runs.client import Client
from workbench.runs.supervisor import Supervisor
from workbench.ui import runs_home

_ROOT = Path(__file__).resolve().parents[2]
_ANN, _BEN = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    runs_home.close()
    yield folder
    runs_home.close()


def test_the_home_is_opened_at_the_first_call_and_only_once(home):
    assert not home.exists()
    runs = runs_home.runs()
    assert isinstance(runs, Supervisor) and runs.folder == home
    assert runs_home.runs() is runs
    assert runs_home.notices_html("en") == ""


def test_what_was_handed_in_is_there_when_it_is_opened_again(home):
    run = runs_home.runs().submit(_ANN, "count", {"steps": 1})
    runs_home.close()
    assert runs_home.runs().show(_ANN, run.id).config == {"steps": 1}
    with pytest.raises(UnknownNameError):
        runs_home.runs().show(_BEN, run.id)


def test_a_start_looks_after_what_waits_and_makes_no_home(home):
    runs_home.wake().join()
    assert not home.exists()
    with Supervisor(home, starts=False) as earlier:
        run = earlier.submit(_ANN, "count", {"steps": 1})
    runs_home.wake().join()
    assert runs_home.runs().wait(_ANN, run.id, 60).state == "complete"


def test_a_second_app_asks_the_first_and_takes_its_place_when_it_ends(home):
    first = Supervisor(home)
    from workbench.runs.channel import Channel

    channel = Channel(first, home)
    asked = runs_home.runs()
    assert isinstance(asked, Client)
    run = asked.submit(_ANN, "count", {"steps": 1})
    assert first.show(_ANN, run.id).id == run.id
    channel.close()
    first.close()
    assert isinstance(runs_home.runs(), Supervisor)
    assert runs_home.runs().show(_ANN, run.id).id == run.id


def test_a_home_that_cannot_be_written_is_told_and_runs_go_on_in_a_makeshift(home):
    home.write_text("a file where the folder should be")
    run = runs_home.runs().submit(_ANN, "count", {"steps": 1})
    assert runs_home.runs().show(_ANN, run.id).id == run.id
    assert "not kept beyond this session" in runs_home.notices_html("en")
    assert "남지 않습니다" in runs_home.notices_html("ko")


def test_the_browsers_secret_is_kept_and_anything_else_is_replaced():
    assert runs_home.checked_owner(_ANN) == _ANN
    for other in (None, "", "A" * 32, "a" * 31, "a" * 33, f"{_ANN}\n", 5, [_ANN], {"a": 1}):
        made = runs_home.checked_owner(other)
        assert made != other and runs_home.checked_owner(made) == made
    assert runs_home.checked_owner("") != runs_home.checked_owner("")


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())))
def test_whatever_the_browser_sends_a_good_secret_comes_of_it(value):
    secret = runs_home.checked_owner(value)
    assert len(secret) == 32 and set(secret) <= set("0123456789abcdef")


def test_the_secret_lies_under_the_same_key_in_every_process():
    program = "from workbench.ui.runs_home import owner_state as o; s = o(); print(s.storage_key, s.secret)"
    here = runs_home.owner_state()
    there = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert there.stdout.split() == [here.storage_key, here.secret]


def test_the_room_of_the_runs_is_not_imported_before_it_is_needed():
    program = (
        "import sys; import workbench.ui.runs_home; "
        "print([name for name in sys.modules if name.startswith(('workbench.runs', 'torch'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
