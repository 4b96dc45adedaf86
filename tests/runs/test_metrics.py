"""Metrics: appended whole, read from where one left off, torn lines and repeated steps told apart."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runs.metrics import Metrics, MetricsWriter, effective, finite, last_report, read_since


def line(step: int, attempt: int = 1) -> dict[str, object]:
    return {"step": step, "total": 9, "attempt": attempt, "seconds": 0.1, "values": {"loss": 1.0 / step}}


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert read_since(path, 50) == Metrics((), 0)
    writer, offset, seen = MetricsWriter(path), 0, []
    for step in range(1, 20):
        writer.append(line(step))
        if step % 3 == 0:
            found = read_since(path, offset)
            offset, seen = found.offset, [*seen, *found.lines]
    writer.close()
    seen += read_since(path, offset).lines
    assert seen == [line(step) for step in range(1, 20)]
    assert read_since(path, path.stat().st_size).lines == ()
    # Beyond the end or before the beginning: from the start.
    assert len(read_since(path, 10**9).lines) == len(read_since(path, -1).lines) == 19


@settings(max_examples=60)
@given(cut=st.integers(1, 400), limit=st.integers(100, 1000))
def test_a_torn_line_costs_itself_alone(
    cut: int, limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / "metrics.jsonl"
    whole = b"".join(json.dumps(line(step)).encode() + b"\n" for step in range(1, 6))
    path.write_bytes(whole[: min(cut, len(whole))])
    complete = whole[:cut].count(b"\n")
    assert len(read_since(path).lines) == complete
    report = last_report(path)
    assert (report["step"] if report else 0) == complete
    writer = MetricsWriter(path)
    writer.append(line(7, attempt=2))
    writer.close()
    offset, found, damaged = 0, [], 0
    while True:
        page = read_since(path, offset, limit=limit)
        found += [one["step"] for one in page.lines]
        damaged += page.damaged
        if page.offset == offset:
            break
        offset = page.offset
    # A cut just before the line's end leaves a whole line.
    lost_end = whole[:cut].endswith(b"}}") and cut < len(whole)
    assert found == [*range(1, complete + 1 + lost_end), 7]
    assert damaged == (0 if lost_end or whole[:cut].endswith(b"\n") else 1)


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"5",
        b"null",
        b"{",
        b"\xff",
        b'{"step": "1"}',
        b'{"step": true}',
        b'{"step": 1.5}',
        b'{"step": -1}',
        b'{"step": 99999999999999999999}',
        b'{"step": 1, "values": 5}',
        b'{"resumed_from": null}',
        b"[" * 5000,
        b"x" * 3000,
    ],
    ids=lambda text: f"{text[:24]!r}",
)
def test_what_is_no_report_is_counted(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(text + b"\n" + json.dumps(line(3)).encode() + b"\n")
    found = read_since(path)
    assert (found.lines, found.damaged) == ((line(3),), 1)


def test_a_line_without_end_does_not_stop_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"x" * 5000 + b"\n" + json.dumps(line(3)).encode() + b"\n")
    offset, steps = 0, []
    for _ in range(20):
        page = read_since(path, offset, limit=1000)
        offset, steps = page.offset, [*steps, *(one["step"] for one in page.lines)]
        if not page.more:
            break
    assert steps == [3]


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=5), st.floats(), max_size=4))
def test_numbers_that_json_does_not_know_keep_their_reason(values: dict[str, float]) -> None:
    kept, reasons = finite(values)
    json.dumps(kept, allow_nan=False)
    for name, value in values.items():
        assert kept[name] == (value if math.isfinite(value) else None)
        assert (name in reasons) != math.isfinite(value)


def test_a_resumed_curve_has_every_step_once() -> None:
    lines = [*map(line, range(1, 8)), {"resumed_from": 4, "attempt": 2}, *(line(n, 2) for n in range(5, 10))]
    kept = effective(lines)
    assert [one["step"] for one in kept] == list(range(1, 10))
    assert [one["attempt"] for one in kept] == [1] * 4 + [2] * 5
