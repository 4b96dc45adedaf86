"""Stored GPU figures: dated, labelled, and never invented."""

from __future__ import annotations

import json

from workbench.ui.gpu_note import gpu_note, no_gpu_html
from workbench.ui.stored_speed import stored_speeds

_ROWS = [
    {"label": "own", "sentences_per_second": 9000.0, "device": "cuda"},
    {"label": "upstream", "sentences_per_second": 7000.0, "device": "cuda:0"},
    {"label": "manual", "sentences_per_second": 200.0, "device": "cpu"},
]


def _store(folder, name, date, gpu="A GPU <b>", rows=_ROWS):
    content = {"conditions": {"gpu": gpu, "date_utc": date}, "speeds": rows}
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_the_newest_stored_figures_come_with_gpu_and_date(tmp_path):
    _store(tmp_path, "speed_cuda_1.json", "2026-01-01")
    _store(tmp_path, "speed_cuda_2.json", "2026-05-01")
    _store(tmp_path, "speed_cpu.json", "2026-06-01")
    found = stored_speeds(tmp_path)
    assert [one.date for one in found] == ["2026-05-01", "2026-01-01"]
    # What was measured on the CPU is no GPU figure.
    assert dict(found[0].rows) == {"own": 9000.0, "upstream": 7000.0}
    markup = no_gpu_html(found, "en")
    assert "2026-05-01" in markup and "9,000" in markup and "not here and not now" in markup
    assert "<b>" not in markup


def test_what_is_no_figure_is_passed_over(tmp_path):
    (tmp_path / "a_cuda.json").write_text("{", encoding="utf-8")
    (tmp_path / "b_cuda.json").write_text("[1, 2]", encoding="utf-8")
    (tmp_path / "c_cuda.json").write_text('{"conditions": {}, "speeds": []}', encoding="utf-8")
    _store(tmp_path, "d_cuda.json", "2026-01-01", gpu=None)
    _store(tmp_path, "e_cuda.json", "2026-01-01", rows=[{"label": "own"}, 7])
    (tmp_path / "f_cuda.json").write_bytes(b" " * 1_000_001)
    assert stored_speeds(tmp_path) == ()
    assert stored_speeds(tmp_path / "nowhere") == ()


def test_without_figures_it_says_so_and_with_a_gpu_nothing():
    assert "Not measured on a GPU" in no_gpu_html((), "en")
    assert gpu_note("gpu", "A GPU", "en") == ""
    assert gpu_note("cpu", None, "en") == ""
    assert "There is no GPU" in gpu_note("both", None, "en")
    assert "GPU가 없습니다" in gpu_note("gpu", None, "ko")
