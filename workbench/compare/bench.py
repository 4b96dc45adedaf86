"""A benchmark from start to end: a stream of progress, and last the result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from workbench.compare.bench_corpora import Corpus, corpus
from workbench.compare.bench_plan import BenchPlan, Variant, plan_hash, stated, variants_of
from workbench.compare.bench_quality import gold_correlation, quality_of
from workbench.compare.bench_results import BenchProgress, BenchResult, Measured, NotRun, case_name
from workbench.compare.bench_shares import time_shares
from workbench.compare.bench_tradeoff import Tradeoff, measure_tradeoff
from workbench.compare.bench_verdict import verdicts, with_ratios
from workbench.compare.busy import Busy, BusyMeter
from workbench.compare.conditions import conditions, cpu_cores
from workbench.compare.flops import EncoderSizes, encoder_sizes
from workbench.compare.gemm_peak import GemmPeak, gemm_peak
from workbench.compare.interleaved import interleaved, seconds_of
from workbench.compare.memory import FreshProcess, in_fresh_process
from workbench.compare.settings import settings_for
from workbench.compare.speed import whole_pass
from workbench.contenders.contract import Contender, ModelPaths, TokenCount
from workbench.contenders.registry import contender_kind
from workbench.data.texts import check_texts
from workbench.errors import Cancelled, WorkbenchError
from workbench.models.folder import CheckedModel, open_model

# What the stages take where nothing is known yet, in seconds, for the time that is left.
_GUESS = {
    "open": 1.5,
    "first": 1.0,
    "shares": 1.0,
    "quality": 1.5,
    "peak": 3.0,
    "tradeoff": 12.0,
    "memory": 6.0,
}
_MOST_OWN_TEXTS = 1000
# What a library may raise for a setting that it cannot follow, beside our own refusals.
_REFUSALS = (WorkbenchError, ImportError, RuntimeError, KeyError, ValueError, TypeError)


@dataclass
class _Bench:
    """What has come together so far."""

    plan: BenchPlan
    model: CheckedModel
    stop: Callable[[], bool]
    left: dict[str, float]
    begun: float = field(default_factory=time.perf_counter)
    opened: dict[Variant, Contender] = field(default_factory=dict)
    not_run: list[NotRun] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    busy: dict[str, Busy] = field(default_factory=dict)
    peaks: list[GemmPeak] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    tradeoff: Tradeoff | None = None

    def tell(self, stage: str, label: str, spent: float = 0.0) -> BenchProgress:
        """Progress, after ``spent`` of the stage's estimate; also the place where a wish to stop is heard."""
        if self.stop():
            raise Cancelled
        self.left[stage] = max(0.0, self.left.get(stage, 0.0) - spent)
        left = sum(self.left.values())
        elapsed = time.perf_counter() - self.begun
        return BenchProgress(stage, label, elapsed / (elapsed + left) if left else 1.0, left)

    def drop(self, variant: Variant, error: Exception) -> None:
        """A variant that cannot be measured, with its reason."""
        self.opened.pop(variant, None)
        self.measured = [one for one in self.measured if one.variant != variant]
        self.not_run.append(NotRun(variant, *reason_of(error)))


def run_bench(
    plan: BenchPlan, *, cancelled: Callable[[], bool] | None = None
) -> Iterator[BenchProgress | BenchResult]:
    """Measure a plan.

    Every variant is opened and called once on its texts, which is its first call and its warm-up; then
    come the interleaved rounds, corpus by corpus. What others do on the machine is watched during the
    rounds alone. Everything else is measured after them.

    Args:
        plan: As `bench_plan.checked_plan` gives it.
        cancelled: Asked between any two calls.

    Yields:
        Progress, then the result.

    Raises:
        Cancelled: ``cancelled`` said so.
        WorkbenchError: The model or the texts are refused.
    """
    model = open_model(plan.model)
    plan = stated(plan, model.max_length)
    texts = {name: _checked(corpus(name, plan.words, plan.own_texts)) for name in plan.corpora}
    bench = _Bench(plan, model, cancelled or (lambda: False), _estimates(plan))
    yield from _open(bench)
    for name in plan.corpora:
        for device in plan.devices:
            yield from _measure(bench, texts[name], device)
    yield from _look_closer(bench, texts)
    bench.measured = with_ratios(bench.measured, plan.baseline)
    yield BenchResult(
        plan=plan,
        plan_hash=plan_hash(plan),
        model_sha256=model.admitted.sha256,
        measured=tuple(bench.measured),
        not_run=tuple(bench.not_run),
        verdicts=verdicts(bench.measured, bench.busy),
        busy=bench.busy,
        peaks=tuple(bench.peaks),
        tradeoff=bench.tradeoff,
        notices=tuple(bench.notices),
        conditions=conditions(),
        seconds=time.perf_counter() - bench.begun,
    )


def reason_of(error: Exception) -> tuple[str, str]:
    """Code and sentence of why something did not run."""
    if isinstance(error, WorkbenchError):
        return error.code, error.message
    if isinstance(error, ImportError):
        return "package-missing", str(error)[:400]
    return "not-supported", f"{type(error).__name__}: {str(error)[:400]}"


def _estimates(plan: BenchPlan) -> dict[str, float]:
    variants = len(variants_of(plan))
    calls = variants * len(plan.corpora)
    return {
        "open": _GUESS["open"] * variants,
        "first": _GUESS["first"] * calls,
        "rounds": plan.budget_seconds,
        "shares": _GUESS["shares"] * calls,
        "quality": _GUESS["quality"] * variants,
        "peak": _GUESS["peak"] * len(plan.precisions) * len(plan.devices),
        "tradeoff": _GUESS["tradeoff"] if plan.tradeoff else 0.0,
        "memory": _GUESS["memory"] * variants if plan.memory else 0.0,
    }


def _checked(found: Corpus) -> Corpus:
    return replace(found, texts=tuple(check_texts(list(found.texts), limit=_MOST_OWN_TEXTS).texts))


def _open(bench: _Bench) -> Iterator[BenchProgress]:
    for variant in variants_of(bench.plan):
        yield bench.tell("open", variant.label)
        try:
            bench.opened[variant] = _opened(bench, variant)
        except _REFUSALS as error:
            bench.drop(variant, error)
        yield bench.tell("open", variant.label, _GUESS["open"])


def _opened(bench: _Bench, variant: Variant) -> Contender:
    settings = settings_for(
        bench.model,
        precision=variant.precision,
        batch_size=variant.batch_size,
        device=variant.device,
        max_length=bench.plan.max_length,
        threads=bench.plan.threads,
    )
    paths = ModelPaths(bench.model.root, bench.model.encoder)
    return contender_kind(variant.contender).open(paths, settings)


def _measure(bench: _Bench, texts: Corpus, device: str) -> Iterator[BenchProgress]:
    """First calls, then the interleaved rounds of one corpus on one device."""
    calls: dict[str, Callable[[], object]] = {}
    first: dict[str, Measured] = {}
    for variant in [one for one in bench.opened if one.device == device]:
        yield bench.tell("first", variant.label)
        try:
            contender = bench.opened[variant]
            call = whole_pass(contender, texts.texts)
            seconds = seconds_of(call)
            tokens = sum(count.kept for count in contender.token_counts(texts.texts))
        except _REFUSALS as error:
            bench.drop(variant, error)
        else:
            calls[variant.label] = call
            first[variant.label] = Measured(variant, texts.name, len(texts.texts), tokens, seconds, ())
        yield bench.tell("first", variant.label, _GUESS["first"])
    if not calls:
        return
    cases = len(bench.plan.corpora) * len(bench.plan.devices)
    budget = bench.plan.budget_seconds / cases
    expected = min(budget, bench.plan.rounds * sum(one.first_call_seconds for one in first.values()))
    bench.left["rounds"] = max(0.0, bench.left["rounds"] - budget) + expected
    share = expected / (bench.plan.rounds * len(calls))
    timed: dict[str, list[float]] = {label: [] for label in calls}
    meter = BusyMeter(cpu_cores())
    meter.begin()
    for one in interleaved(calls, rounds=bench.plan.rounds, budget_seconds=budget, stop=bench.stop):
        timed[one.label].append(one.seconds)
        yield bench.tell("rounds", f"{texts.name} · {one.label}", share)
    meter.end()
    bench.left["rounds"] = max(0.0, bench.left["rounds"] - expected)
    bench.busy[case_name(texts.name, device)] = meter.found()
    bench.measured += [replace(one, seconds=tuple(timed[label])) for label, one in first.items()]


def _look_closer(bench: _Bench, texts: Mapping[str, Corpus]) -> Iterator[BenchProgress]:
    """What is measured outside the rounds: shares, quality, peak, trade-off, memory."""
    yield from _shares(bench, texts)
    yield from _quality(bench, texts)
    yield from _peaks(bench, texts)
    if bench.plan.tradeoff:
        yield from _tradeoff(bench)
    if bench.plan.memory:
        yield from _memory(bench, texts)


def _shares(bench: _Bench, texts: Mapping[str, Corpus]) -> Iterator[BenchProgress]:
    for place, one in enumerate(bench.measured):
        yield bench.tell("shares", one.variant.label)
        found = time_shares(bench.opened[one.variant], texts[one.corpus].texts)
        bench.measured[place] = replace(one, shares=found)
        bench.left["shares"] -= _GUESS["shares"]


def _quality(bench: _Bench, texts: Mapping[str, Corpus]) -> Iterator[BenchProgress]:
    reference = _reference(bench)
    if reference is None:
        return
    if reference.contender != bench.plan.baseline or reference.precision != "float32":
        bench.notices.append(f"Quality is measured against {reference.label}: the baseline has no float32.")
    exact: dict[str, NDArray[np.float32]] = {}
    gold: dict[tuple[str, str, str], float | None] = {}
    for place, one in enumerate(bench.measured):
        yield bench.tell("quality", one.variant.label)
        contender = bench.opened[one.variant]
        if one.corpus not in exact:
            exact[one.corpus] = bench.opened[reference].encode(texts[one.corpus].texts)
        # The batch size changes no more than rounding.
        key = (one.variant.contender, one.variant.precision, one.variant.device)
        if key not in gold:
            gold[key] = gold_correlation(contender)
        rows = contender.encode(texts[one.corpus].texts)
        bench.measured[place] = replace(one, quality=quality_of(rows, exact[one.corpus], gold[key]))
    bench.left["quality"] = 0.0


def _reference(bench: _Bench) -> Variant | None:
    """The baseline in float32, else the first in float32, else the first of all."""
    ran = [variant for variant in bench.opened if any(one.variant == variant for one in bench.measured)]
    exact = [variant for variant in ran if variant.precision == "float32"]
    named = [variant for variant in exact if variant.contender == bench.plan.baseline]
    return next(iter([*named, *exact, *ran]), None)


def _peaks(bench: _Bench, texts: Mapping[str, Corpus]) -> Iterator[BenchProgress]:
    sizes = _sizes(bench.model)
    if sizes is None:
        bench.notices.append("The share of the peak is not known for this architecture.")
        return
    found: dict[tuple[str, str], GemmPeak] = {}
    for variant in bench.opened:
        key = (variant.device, variant.precision)
        if key in found:
            continue
        yield bench.tell("peak", f"{variant.device}, {variant.precision}")
        peak = gemm_peak(sizes, variant.precision, variant.device, bench.plan.threads)
        if peak is not None:
            found[key] = peak
    bench.peaks = list(found.values())
    bench.left["peak"] = 0.0
    counts: dict[str, list[TokenCount]] = {}
    for place, one in enumerate(bench.measured):
        known = found.get((one.variant.device, one.variant.precision))
        if known is None:
            continue
        if one.corpus not in counts:
            counts[one.corpus] = bench.opened[one.variant].token_counts(texts[one.corpus].texts)
        work = sizes.of_texts([count.kept for count in counts[one.corpus]])
        reached = work / (one.p50_ms / 1000) / 1e9
        bench.measured[place] = replace(one, peak_share=reached / known.gflops)


def _sizes(model: CheckedModel) -> EncoderSizes | None:
    path = model.encoder / "config.json"
    # Checked by the schema when the model was opened; a static embedding has none.
    return encoder_sizes(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _tradeoff(bench: _Bench) -> Iterator[BenchProgress]:
    names = list(bench.plan.contenders)
    name = "own" if "own" in names else names[0]
    device, size = bench.plan.devices[0], bench.plan.batch_sizes[0]
    opened: dict[str, Contender] = {}
    missing: dict[str, str] = {}
    for precision in ("float32", "bfloat16", "int8"):
        yield bench.tell("tradeoff", f"{name} · {precision}")
        variant = Variant(name, precision, size, device)
        try:
            opened[precision] = bench.opened.get(variant) or _opened(bench, variant)
        except _REFUSALS as error:
            missing[precision] = reason_of(error)[1]
    steps = measure_tradeoff(name, opened, missing, bench.stop)
    while True:
        try:
            label = next(steps)
        except StopIteration as end:
            bench.tradeoff = end.value
            break
        yield bench.tell("tradeoff", label, _GUESS["tradeoff"] / 50)
    bench.left["tradeoff"] = 0.0


def _memory(bench: _Bench, texts: Mapping[str, Corpus]) -> Iterator[BenchProgress]:
    """Each variant in a process of its own, on the corpus with the longest texts, which needs the most."""
    paths = ModelPaths(bench.model.root, bench.model.encoder)
    longest = max((one.tokens / one.texts for one in bench.measured), default=0.0)
    for place, one in enumerate(bench.measured):
        if one.tokens / one.texts < longest:
            continue
        yield bench.tell("memory", one.variant.label)
        try:
            fresh: FreshProcess = in_fresh_process(
                one.variant.contender,
                paths,
                bench.opened[one.variant].settings,
                texts[one.corpus].texts,
            )
        except WorkbenchError as error:
            bench.notices.append(f"Memory of {one.variant.label}: {error.message}")
        else:
            bench.measured[place] = replace(one, fresh=fresh)
        bench.left["memory"] -= _GUESS["memory"]
