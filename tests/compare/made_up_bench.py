"""A benchmark's result with figures that were chosen, for whatever shows or compares results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.compare.bench_plan import BenchPlan, Variant, plan_hash
from workbench.compare.bench_results import BenchResult, Measured, NotRun, Quality, case_name
from workbench.compare.bench_tradeoff import EncodeSpeed, Tradeoff, TradeoffPoint
from workbench.compare.bench_verdict import verdicts, with_ratios
from workbench.compare.busy import Busy
from workbench.compare.gemm_peak import GemmPeak
from workbench.compare.memory import FreshProcess
from workbench.compare.results import Conditions

PLAN = BenchPlan(threads=2, max_length=256, precisions=("float32", "int8"))
# Contender → seconds of its rounds.
SECONDS = {
    "own": (1.0, 1.02, 0.98, 1.01, 1.0),
    "upstream": (2.0, 2.05, 1.95, 2.0, 2.02),
    "manual": (2.5, 2.4, 2.6, 2.5, 2.55),
}
CONDITIONS = Conditions({"torch": "2.13.0"}, "A processor", 2, None, "3.12.1", "2026-11-27T01:00:00+00:00")


def made_up(
    seconds: dict[str, tuple[float, ...]] | None = None, busy: float = 0.0, **changes: Any
) -> BenchResult:
    """Three contenders in float32 on two corpora; int8 did not run."""
    plan: BenchPlan = changes.pop("plan", PLAN)
    rows = [
        Measured(
            Variant(name, "float32", 32, "cpu"),
            corpus,
            texts=100,
            tokens=1500,
            first_call_seconds=3.0,
            seconds=found,
            peak_share=0.4,
            shares={"tokenize": 0.05, "forward": 0.9, "pool": 0.03, "copy": 0.02},
            quality=Quality(1.0, 0.9999999, 1.0, 0.39),
            fresh=FreshProcess(500.0, 2.5) if corpus == "paragraphs" else None,
        )
        for corpus in plan.corpora
        for name, found in (SECONDS if seconds is None else seconds).items()
    ]
    measured = with_ratios(rows, plan.baseline)
    around = {case_name(corpus, "cpu"): Busy(busy, 10.0, 2, (("compiler", busy),)) for corpus in plan.corpora}
    result = BenchResult(
        plan=plan,
        plan_hash=plan_hash(plan),
        model_sha256="ab" * 32,
        measured=tuple(measured),
        not_run=(NotRun(Variant("upstream", "int8", 32, "cpu"), "unknown-precision", "=No int8 there."),),
        verdicts=verdicts(measured, around),
        busy=around,
        peaks=(GemmPeak(200.0, "float32", "cpu", 2, "prepacked, a product each", (("linear", 180.0),)),),
        tradeoff=Tradeoff(
            "own",
            172,
            55,
            20_000,
            (
                TradeoffPoint("float32", 384, "float32", 0.63, 0.0, 0.0, 1536, 4000.0),
                TradeoffPoint("float32", 384, "binary", 0.61, -0.04, 0.01, 48, 9000.0),
                TradeoffPoint("bfloat16", 192, "int8", 0.59, -0.06, -0.01, 192, 7000.0),
            ),
            (EncodeSpeed("float32", 100.0), EncodeSpeed("bfloat16", 150.0)),
            {"int8": "No int8 there."},
        ),
        notices=(),
        conditions=CONDITIONS,
        seconds=50.0,
    )
    return replace(result, **changes)
