"""A comparison from start to end: the real pipelines, faults put into them, and what goes wrong around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from tests.compare.columns import FakeContender
from tests.contenders.test_upstream import dense_folder
from tests.models.tiny import write_upstream
from workbench.compare.pool import ContenderPool
from workbench.compare.results import (
    Agreement,
    Column,
    ColumnFailed,
    Comparison,
    Coverage,
    EncodedColumn,
    Event,
    NoiseFloor,
    Progress,
    Speed,
)
from workbench.compare.run import encode_in_chunks, run_comparison
from workbench.contenders import registry
from workbench.contenders.contract import Settings
from workbench.data.presets import PRESETS
from workbench.errors import Cancelled, InvalidTypeError, InvalidValueError, WorkbenchError

BUNDLED = "all-MiniLM-L6-v2"
FOLDER = Settings()
TEXTS = list(PRESETS["english"].texts)

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "m512": (
        {"max_length": 512},
        "m512 reads up to 512 tokens, upstream 256: 1 of 8 texts is longer than 256 tokens",
    ),
    "first": ({"pooling": "cls"}, "pooling: mean in upstream against cls in first"),
    "padded": ({"use_mask": False}, "padded ignores the mask in pooling"),
    "raw": ({"normalize": False}, "raw does not normalise: its embeddings have lengths from"),
    "cased": ({"lowercase": False}, "lower-casing: default in upstream against off in cased"),
    "prompted": (
        {"prompt": "query: "},
        "prompt: '' before each text in upstream against 'query: ' in prompted",
    ),
}


def column(label: str, contender: str = "manual", model: str = BUNDLED, **change: Any) -> Column:
    return Column(label, contender, model, replace(FOLDER, **change))


def finished(columns: Sequence[Column], texts: object, **options: Any) -> Comparison:
    last = list(run_comparison(columns, texts, **options))[-1]
    assert isinstance(last, Comparison)
    return last


@pytest.fixture(scope="module")
def compared() -> Comparison:
    columns = [column(name, name) for name in ("own", "upstream", "manual")]
    columns += [column(label, **change) for label, (change, _) in FAULTS.items()]
    columns.append(column("bf16", "upstream", precision="bfloat16"))
    return finished(columns, TEXTS, pool=ContenderPool(most=1))


def row(comparison: Comparison, left: str, right: str) -> Agreement:
    return next(found for found in comparison.agreements if (found.left, found.right) == (left, right))


def test_the_three_pipelines_agree(compared: Comparison) -> None:
    for left, right in (("own", "upstream"), ("own", "manual"), ("upstream", "manual")):
        found = row(compared, left, right)
        assert found.verdict in ("identical", "float noise")
        assert found.max_abs < 1e-6


def test_upstreams_column_is_plain_sentence_transformers(compared: Comparison, bundled: Path) -> None:
    torch.set_num_threads(1)
    plain = SentenceTransformer(str(bundled), device="cpu").encode(TEXTS, show_progress_bar=False)
    found = next(one for one in compared.columns if one.column.label == "upstream")
    assert np.array_equal(found.embeddings, plain)


@pytest.mark.parametrize("label", FAULTS)
def test_each_fault_is_found_and_named(compared: Comparison, label: str) -> None:
    found = row(compared, "upstream", label)
    assert found.verdict == "different"
    assert FAULTS[label][1] in found.reason
    assert found.max_abs > 1e-2
    causes = found.reason_values["causes"]
    assert isinstance(causes, tuple)
    assert len(causes) == 1


def test_a_longer_input_concerns_the_long_text_alone(compared: Comparison) -> None:
    assert row(compared, "upstream", "m512").differing_texts == (7,)


def test_bfloat16_is_precision(compared: Comparison) -> None:
    assert row(compared, "upstream", "bf16").verdict == "precision"


def test_a_dense_layer_that_one_leaves_out_is_named(tmp_path: Path) -> None:
    folder = str(dense_folder(tmp_path))
    stated = {"max_length": 64}
    columns = [column(name, name, folder, **stated) for name in ("own", "upstream", "manual")]
    found = finished(columns, TEXTS[:3])
    assert row(found, "own", "upstream").verdict in ("identical", "float noise")
    other = row(found, "upstream", "manual")
    assert other.verdict == "different"
    assert "manual leaves out a module that the model has: Dense" in other.reason


def events_of(comparison: Iterator[Event]) -> list[str]:
    names = []
    for event in comparison:
        if isinstance(event, tuple):
            kinds = {type(one).__name__ for one in event}
            names.append("+".join(kinds) or "()")
        elif not isinstance(event, Progress):
            names.append(type(event).__name__)
    return names


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Contenders ``fake`` and ``bad`` in the table; gives the name of a tiny model for them."""

    def open_bad(*_: object) -> FakeContender:
        raise RuntimeError("CUDA out of memory")

    def open_nan(paths: object, stated: Settings) -> FakeContender:
        return FakeContender("nan", stated, noise=float("nan"))

    manual = registry.CONTENDERS["manual"]
    opens = {
        "fake": lambda paths, stated: FakeContender("fake", stated),
        "bad": open_bad,
        "nan": open_nan,
    }
    for name, opened in opens.items():
        monkeypatch.setitem(registry.CONTENDERS, name, replace(manual, open=opened))
    return str(write_upstream(tmp_path_factory.mktemp("model"), "bert"))


def fake(label: str, model: str, contender: str = "fake", **change: Any) -> Column:
    return Column(label, contender, model, replace(FOLDER, max_length=64, **change))


def test_the_order_of_events(fakes: str) -> None:
    columns = [fake("a", fakes), fake("b", fakes, pooling="cls")]
    seen = events_of(run_comparison(columns, ["x", "yy"], speed_rounds=2, pool=ContenderPool()))
    assert seen == [
        "EncodedColumn",
        "Coverage",
        "EncodedColumn",
        "Coverage",
        "NoiseFloor",
        "Agreement",
        "Speed",
        "Comparison",
    ]


def test_without_speed_none_is_measured(fakes: str) -> None:
    found = finished([fake("a", fakes)], ["x"], pool=ContenderPool())
    assert found.speeds == found.agreements == ()


def test_progress_runs_from_none_to_all(fakes: str) -> None:
    texts = [f"text {index}" for index in range(150)]
    events = list(run_comparison([fake("a", fakes)], texts, pool=ContenderPool()))
    done = [event.done for event in events if isinstance(event, Progress) and event.stage == "encoding"]
    assert done == [0, 64, 128, 150]


@pytest.mark.parametrize("contender", ["bad", "nan", "theirs"])
def test_a_failing_column_leaves_the_others(fakes: str, contender: str) -> None:
    columns = [fake("one", fakes), fake("broken", fakes, contender), fake("two", fakes)]
    events = list(run_comparison(columns, ["x", "yy", "zzz"], speed_rounds=1, pool=ContenderPool()))
    failed = [event for event in events if isinstance(event, ColumnFailed)]
    assert [event.label for event in failed] == ["broken"]
    codes = {"bad": "contender-failed", "nan": "embeddings-not-finite", "theirs": "unknown-contender"}
    assert failed[0].error.code == codes[contender]
    last = events[-1]
    assert isinstance(last, Comparison)
    assert [one.column.label for one in last.columns] == ["one", "two"]
    assert dict(last.failures) == {"broken": failed[0].error}
    assert [(found.left, found.right) for found in last.agreements] == [("one", "two")]
    assert len(last.speeds) == len(last.coverage) == 2


def test_a_library_error_keeps_its_words(fakes: str) -> None:
    found = finished([fake("broken", fakes, "bad")], ["x"], pool=ContenderPool())
    assert "RuntimeError: CUDA out of memory" in found.failures["broken"].message
    assert (found.columns, found.noise_floor, found.agreements) == ((), None, ())


def test_settings_are_checked_against_the_model(fakes: str) -> None:
    found = finished([fake("far", fakes, batch_size=0)], ["x"], pool=ContenderPool())
    assert found.failures["far"].code == "setting-range"


def test_a_model_that_is_not_there_is_a_failed_column() -> None:
    found = finished([column("gone", model="/nowhere/at/all")], ["x"])
    assert isinstance(found.failures["gone"], WorkbenchError)


def test_it_stops_when_asked(fakes: str) -> None:
    texts = [f"text {index}" for index in range(300)]
    asked: list[bool] = []
    columns = [fake("a", fakes), fake("b", fakes)]
    events = run_comparison(columns, texts, cancelled=lambda: bool(asked), pool=ContenderPool())
    with pytest.raises(Cancelled):
        for event in events:
            assert not isinstance(event, EncodedColumn | Coverage | NoiseFloor)
            if isinstance(event, Progress) and event.done == 128:
                asked.append(True)


@pytest.mark.parametrize(
    ("columns", "texts", "code"),
    [
        ([], ["x"], "no-columns"),
        ([column("a")], [], "no-texts"),
        ([column("a"), column("a", "own")], ["x"], "labels-not-unique"),
        ([column("a")], "one string", "texts-not-a-list"),
        ([column("a")], ["x", None], "text-not-a-string"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(columns: list[Column], texts: object, code: str) -> None:
    with pytest.raises((InvalidValueError, InvalidTypeError)) as caught:
        list(run_comparison(columns, texts))
    assert caught.value.code == code


@given(st.lists(st.text(max_size=20), min_size=1, max_size=200), st.integers(1, 90))
@settings(max_examples=40)
def test_chunks_hold_whole_batches_and_rows_come_back_in_order(texts: list[str], batch_size: int) -> None:
    log: list[tuple[str, int]] = []
    contender = FakeContender(settings=replace(FOLDER, batch_size=batch_size), log=log)
    steps = [(done, rows.copy()) for done, rows in encode_in_chunks(contender, texts)]
    counts = [count for _, count in log]
    assert np.array_equal(steps[-1][1], FakeContender().encode(texts))
    assert steps[-1][0] == sum(counts) == len(texts)
    assert all(count % batch_size == 0 for count in counts[:-1])
    assert max(counts) <= max(64, batch_size)


def test_memory_is_measured_where_asked(fakes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.compare.run.peak_memory_mb", lambda *_: 12.5)
    found = finished([fake("a", fakes)], ["x"], speed_rounds=1, measure_memory=True, pool=ContenderPool())
    assert [speed.peak_memory_mb for speed in found.speeds] == [12.5]

    def no_room(*_: object) -> float:
        raise WorkbenchError("memory-child-failed", "no room")

    monkeypatch.setattr("workbench.compare.run.peak_memory_mb", no_room)
    found = finished([fake("a", fakes)], ["x"], speed_rounds=1, measure_memory=True, pool=ContenderPool())
    assert [(type(speed), speed.peak_memory_mb) for speed in found.speeds] == [(Speed, None)]
