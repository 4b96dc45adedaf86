"""The test command itself: it must run every check, and fail when one of them does."""

from __future__ import annotations

import sys

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


def test_a_long_form_without_a_test_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = (sys.executable, "-m", "pytest", "--full", "-m", "full", "tests/test_offline.py")
    monkeypatch.setattr(command, "FULL_CHECKS", {"long tests": nothing})
    assert command.main(["--full"]) == 1
