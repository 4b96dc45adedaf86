"""The test command itself: it must run every check, and fail when one of them does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import __main__ as command

PASS = (sys.executable, "-c", "print('passing')")
FAIL = (sys.executable, "-c", "raise SystemExit(5)")


def test_every_check_runs_and_one_failure_decides(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "CHECKS", {"first": FAIL, "missing": ("/no/such/tool",), "last": PASS})
    assert command.main([]) == 1
    printed = capfd.readouterr().out
    assert "passing" in printed
    assert [line.split()[:2] for line in printed.splitlines()[-3:]] == [
        ["first", "FAILED"],
        ["missing", "FAILED"],
        ["last", "passed"],
    ]
    monkeypatch.setattr(command, "CHECKS", {"last": PASS})
    assert command.main([]) == 0


def test_the_long_form_runs_the_long_tests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def record(name: str, arguments: tuple[str, ...]) -> tuple[str, bool, float]:
        asked.append(arguments)
        return name, True, 0.0

    monkeypatch.setattr(command, "_run", record)
    assert command.main(["--full", "--", "-x"]) == 0
    assert all(one[1:3] == ("-m", "pytest") for one in asked)
    assert [one[one.index("--full") :] for one in asked] == [
        ("--full", "-m", "full and not browser", "-n", "2", "--dist", "loadfile", "-x"),
        ("--full", "-m", "full and browser", "-x"),
    ]


LOSING = """
import sys
if "-n" in sys.argv:
    print("[gw0] node down: Not properly terminated")
    print("FAILED tests/test_main.py::test_a[x y] - worker crashed")
    raise SystemExit(1)
print("again:", *sys.argv[1:])
raise SystemExit(int(sys.argv[2]))
"""


@pytest.mark.parametrize("code", [0, 1])
def test_a_lost_worker_is_given_one_more_try_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    check = (sys.executable, "-c", LOSING, "-m", str(code), "-n", "2", "--dist", "loadfile")
    monkeypatch.setattr(command, "CHECKS", {"tests": check})
    assert command.main([]) == code
    assert f"again: -m {code} tests/test_main.py" in capfd.readouterr().out


def test_a_run_that_waits_for_a_lost_worker_is_stopped_and_made_again_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    waiting = LOSING.replace("raise SystemExit(1)", "import time; sys.stdout.flush(); time.sleep(600)")
    waiting = waiting.replace('print("FAILED tests/test_main.py::test_a[x y] - worker crashed")', "")
    monkeypatch.setattr(command, "_SILENT", 0.5)
    monkeypatch.setattr(
        command, "CHECKS", {"tests": (sys.executable, "-c", waiting, "-m", "0", "-n", "2", "--dist", "x")}
    )
    assert command.main([]) == 0
    printed = capfd.readouterr().out
    assert "silent after a lost worker" in printed and "again: -m 0\n" in printed


def test_what_passed_is_not_run_again_and_what_failed_is(tmp_path: Path) -> None:
    module = tmp_path / "test_made_up.py"
    module.write_text(
        "import pytest\n\n\n"
        "@pytest.fixture\ndef breaks():\n    yield\n    raise OSError\n\n\n"
        "def test_passes(): pass\ndef test_fails(): assert False\ndef test_is_left_badly(breaks): pass\n",
        encoding="utf-8",
    )
    run = [sys.executable, "-m", "pytest", "-vv", "-p", "tests.conftest", "--rootdir", tmp_path, module]
    passed = str(tmp_path / "passed")
    # Not as a worker of the run that this test belongs to.
    own = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
    told = [
        subprocess.run(
            run, env={**own, name: passed}, cwd=command.ROOT, capture_output=True, text=True
        ).stdout
        for name in ("TESTS_PASSED", "TESTS_NOT_AGAIN")
    ]
    assert all("test_fails" in one and "test_is_left_badly" in one for one in told)
    assert ["test_passes" in one for one in told] == [True, False]


def test_a_long_form_without_a_test_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = (sys.executable, "-m", "pytest", "--full", "-m", "full", "tests/test_offline.py")
    monkeypatch.setattr(command, "FULL_CHECKS", {"long tests": nothing})
    assert command.main(["--full"]) == 1
