"""A whole benchmark on a tiny model, its storage, and what it refuses or lists with a reason."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tests.models.tiny import write_upstream
from workbench.compare import bench as module
from workbench.compare.bench import run_bench
from workbench.compare.bench_plan import checked_plan
from workbench.compare.bench_results import BenchProgress, BenchResult, bench_dict, bench_from_dict
from workbench.compare.bench_shares import PARTS, time_shares
from workbench.compare.settings import settings_for
from workbench.contenders.contract import ModelPaths
from workbench.contenders.registry import CONTENDERS, contender_kind
from workbench.errors import Cancelled, DataFileError
from workbench.models.folder import open_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_upstream(tmp_path_factory.mktemp("tiny") / "model", "bert"))


@pytest.fixture(scope="module")
def events(tiny: str) -> list[BenchProgress | BenchResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.compare.gemm_peak._SECONDS_A_WAY", 0.02)
        patch.setattr("workbench.compare.bench_tradeoff.INDEX_ROWS", 300)
        plan = checked_plan(
            {
                "model": tiny,
                "precisions": ["float32", "int8"],
                "contenders": ["own", "upstream", "manual"],
                "words": 300,
                "rounds": 5,
                "threads": 1,
                "memory": False,
            }
        )
        return list(run_bench(plan))


@pytest.fixture(scope="module")
def result(events: list[BenchProgress | BenchResult]) -> BenchResult:
    assert isinstance(events[-1], BenchResult)
    return events[-1]


def test_every_contender_is_measured_on_every_corpus(result: BenchResult) -> None:
    exact = [one for one in result.measured if one.variant.precision == "float32"]
    found = {(one.corpus, one.variant.contender) for one in exact}
    assert found == {(c, n) for c in ("sentences", "paragraphs") for n in ("own", "upstream", "manual")}
    for one in result.measured:
        assert len(one.seconds) == 5 and min(one.seconds) > 0
        assert one.p50_ms <= one.p95_ms <= one.p99_ms <= max(one.seconds) * 1000 + 1e-9
        assert one.sentences_per_second == pytest.approx(one.texts / np.median(one.seconds))
        assert one.ratio is not None and one.quality is not None
        assert one.shares is None or sum(one.shares.values()) == pytest.approx(1.0)
    for one in exact:
        assert one.peak_share is not None and 0 < one.peak_share < 1
        assert one.shares is not None and set(one.shares) == set(PARTS)
        assert one.quality is not None and one.quality.min_cosine == pytest.approx(1.0, abs=1e-5)
        assert one.quality.spearman == pytest.approx(1.0, abs=1e-4)
    same_tokens = {(one.corpus, one.tokens) for one in result.measured}
    assert len(same_tokens) == 2


def test_what_cannot_run_is_listed_with_its_reason(result: BenchResult) -> None:
    ran = {one.variant for one in result.measured}
    refused = {one.variant for one in result.not_run}
    assert not ran & refused
    assert len(ran | refused) == 6
    upstream = next(one for one in result.not_run if one.variant.contender == "upstream")
    assert upstream.variant.precision == "int8" and upstream.code and "int8" in upstream.reason


def test_progress_never_ends_before_the_result(events: list[BenchProgress | BenchResult]) -> None:
    told = [event for event in events if isinstance(event, BenchProgress)]
    assert {"open", "first", "rounds", "shares", "quality", "peak", "tradeoff"} <= {one.stage for one in told}
    assert all(0 <= one.done <= 1 and one.seconds_left >= 0 for one in told)


def test_rounds_go_from_one_to_the_next(events: list[BenchProgress | BenchResult]) -> None:
    told = [one.label for one in events if isinstance(one, BenchProgress) and one.stage == "rounds"]
    first = [label for label in told if label.startswith("sentences")]
    # Three in float32, and own in int8 too; upstream and manual have no such type.
    assert first == first[:4] * 5 and len(set(first[:4])) == 4


def test_the_tradeoff_has_every_point_and_a_reason_for_the_rest(result: BenchResult) -> None:
    found = result.tradeoff
    assert found is not None and found.contender == "own"
    assert {point.form for point in found.points} == {"float32", "int8", "binary"}
    dims = {point.dim for point in found.points}
    assert max(dims) == 32 and len(dims) == 5
    whole = next(p for p in found.points if (p.precision, p.dim, p.form) == ("float32", 32, "float32"))
    assert (whole.low, whole.high) == (0.0, 0.0) and whole.bytes_a_vector == 128
    assert all(0 <= p.ndcg <= 1 and p.queries_per_second > 0 and p.low <= p.high for p in found.points)
    ran = {speed.precision for speed in found.encode}
    assert ran | set(found.not_run) == {"float32", "bfloat16", "int8"}


def test_a_result_survives_its_storage(result: BenchResult) -> None:
    text = json.dumps(bench_dict(result), allow_nan=False)
    again = bench_from_dict(json.loads(text))
    assert again == bench_from_dict(bench_dict(result))
    assert again.measured[0].seconds == result.measured[0].seconds
    assert json.loads(text)["measured"][0]["derived"]["p50_ms"] == result.measured[0].p50_ms
    assert len(result.plan_hash) == 16 and result.conditions.cores >= 1


@pytest.mark.parametrize("broken", [None, {}, {"format": 1}, {"format": 1, "measured": 3}, []])
def test_what_is_no_result_is_refused(broken: object) -> None:
    with pytest.raises(DataFileError):
        bench_from_dict(broken)


def test_it_stops_between_calls(tiny: str) -> None:
    answers = iter([False, False, False, True])
    with pytest.raises(Cancelled):
        list(run_bench(checked_plan({"model": tiny, "threads": 1}), cancelled=lambda: next(answers)))


def test_a_contender_whose_package_is_missing_is_not_dropped_in_silence(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(paths: ModelPaths, settings: object) -> object:
        raise ImportError("No module named 'absent'")

    from dataclasses import replace

    kind = replace(CONTENDERS["manual"], open=missing)
    monkeypatch.setitem(CONTENDERS, "manual", kind)  # type: ignore[misc]
    plan = checked_plan(
        {
            "model": tiny,
            "contenders": ["own", "manual"],
            "baseline": "own",
            "corpora": ["yours"],
            "own_texts": ["one text", "another text", "a third"],
            "rounds": 1,
            "threads": 1,
            "memory": False,
            "tradeoff": False,
        }
    )
    monkeypatch.setattr(module, "gemm_peak", lambda *_: None)
    found = list(run_bench(plan))[-1]
    assert isinstance(found, BenchResult)
    assert [(one.variant.contender, one.code) for one in found.not_run] == [("manual", "package-missing")]
    assert "absent" in found.not_run[0].reason
    assert [one.corpus for one in found.measured] == ["yours"] and found.measured[0].texts == 3
    assert found.measured[0].peak_share is None and found.tradeoff is None
    assert found.verdicts[0].reason_key == "alone"


@pytest.mark.parametrize("name", ["own", "upstream", "manual"])
def test_shares_come_from_the_real_objects_and_leave_them_as_they_were(tiny: str, name: str) -> None:
    model = open_model(tiny)
    contender = contender_kind(name).open(
        ModelPaths(model.root, model.encoder), settings_for(model, threads=1)
    )
    texts = ["one text", "another text"] * 8
    before = contender.encode(texts)
    found = time_shares(contender, texts)
    assert found is not None and sum(found.values()) == pytest.approx(1.0)
    assert all(share >= 0 and math.isfinite(share) for share in found.values())
    assert found["forward"] > 0 and found["tokenize"] > 0
    assert np.array_equal(contender.encode(texts), before)
    held = getattr(contender, "model", None)
    for owner in (held, *(held.children() if held is not None else ())):
        assert not {"forward", "tokenize_texts", "preprocess", "tokenize"} & set(vars(owner))


def test_a_report_of_the_contenders_own_is_believed(tiny: str) -> None:
    class Report:
        seconds = {"tokenize": 1.0, "forward": 6.0, "pool": 2.0, "copy": 1.0}

    class Model:
        encode_report = Report()

    class Reporting:
        model = Model()

        def encode(self, texts: list[str]) -> None:
            return None

    found = time_shares(Reporting(), ["a"])  # type: ignore[arg-type]
    assert found == {"tokenize": 0.1, "forward": 0.6, "pool": 0.2, "copy": 0.1}


def test_a_contender_without_parts_has_no_shares() -> None:
    class Closed:
        def encode(self, texts: list[str]) -> None:
            return None

    assert time_shares(Closed(), ["a"]) is None  # type: ignore[arg-type]
