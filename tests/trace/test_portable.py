"""Traces in files: what is written comes back, what is broken is refused, and parity is one assertion."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.trace.tiny_pipelines import TEXTS, sound
from workbench.errors import DataFileError
from workbench.trace.diff import diff
from workbench.trace.faults import inject
from workbench.trace.parity import assert_parity
from workbench.trace.pipelines import manual_pipeline, record
from workbench.trace.portable import load_trace, save_trace


@pytest.fixture(scope="module")
def trace():
    return record(manual_pipeline(sound("bert"), "left"), TEXTS)


def test_a_whole_trace_comes_back_bit_for_bit(trace, tmp_path: Path) -> None:
    save_trace(trace, tmp_path / "t", token_rows=None)
    again = load_trace(tmp_path / "t.json")
    assert again.texts == trace.texts and again.floors == trace.floors
    for key, stage in trace.stages.items():
        assert json.loads(json.dumps(dict(stage.plain))) == json.loads(
            json.dumps(dict(again.stage(key).plain))
        )
        for name, arrays in stage.arrays.items():
            for one, other in zip(arrays, again.stage(key).arrays[name], strict=True):
                assert np.array_equal(one.astype(np.float32), other)
    assert diff(trace, again).verdict == "identical"


def test_a_cut_trace_still_names_the_stage(trace, tmp_path: Path) -> None:
    save_trace(trace, tmp_path / "left", token_rows=12)
    right = record(manual_pipeline(inject(sound("bert"), ["cls-pooling"]), "right"), TEXTS)
    save_trace(right, tmp_path / "right", token_rows=12)
    found = diff(load_trace(tmp_path / "left"), load_trace(tmp_path / "right"))
    assert found.first is not None and (found.first.stage, found.verdict) == ("pooling", "different")
    assert found.cause is not None and found.cause.key == "pooling-cls"


def test_parity_passes_on_noise_and_fails_with_the_cause(trace, tmp_path: Path) -> None:
    save_trace(trace, tmp_path / "golden", token_rows=None)
    assert_parity(tmp_path / "golden.json", record(manual_pipeline(sound("bert", batch_size=1)), TEXTS))
    faulty = record(manual_pipeline(inject(sound("bert"), ["no-normalize"]), "right"), TEXTS)
    with pytest.raises(
        AssertionError, match=r"(?s)stage of the fault: modules.*does not normalise.*normalize\("
    ):
        assert_parity(tmp_path / "golden.json", faulty)


def test_other_texts_are_refused(trace) -> None:
    with pytest.raises(ValueError, match="trace-texts-differ"):
        diff(trace, replace(trace, texts=tuple(reversed(trace.texts))))


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 2},
        {"texts": []},
        {"stages": {"nonsense": {}}},
        {"stages": {"text": {"plain": {"prepared": ["one"]}}}},
        {"stages": {"pooling": {"arrays": {"pooled": [-1]}}}},
        {"stages": {"pooling": {"arrays": {"missing": [-1] * len(TEXTS)}}}},
        {"surplus": 1},
    ],
    ids=lambda change: next(iter(change)) + str(next(iter(change.values())))[:20],
)
def test_a_broken_file_is_refused(trace, tmp_path: Path, change) -> None:
    json_file, _ = save_trace(trace, tmp_path / "t")
    content = json.loads(json_file.read_text(encoding="utf-8"))
    json_file.write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_trace(json_file)
    assert caught.value.code == "trace-file"


def test_files_that_are_no_trace_are_refused(trace, tmp_path: Path) -> None:
    with pytest.raises(DataFileError):
        load_trace(tmp_path / "nothing")
    json_file, arrays = save_trace(trace, tmp_path / "t")
    arrays.write_bytes(arrays.read_bytes()[:100])
    with pytest.raises(DataFileError):
        load_trace(json_file)
    json_file.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(DataFileError):
        load_trace(json_file)
