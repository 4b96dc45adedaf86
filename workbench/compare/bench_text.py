"""A benchmark as text: tables for a terminal, CSV, and the commands that measure it again."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from workbench.compare.bench_corpora import OWN_TEXTS
from workbench.compare.bench_history import Earlier
from workbench.compare.bench_plan import BenchPlan
from workbench.compare.bench_results import BenchResult, BenchVerdict, Measured
from workbench.compare.bench_shares import PARTS
from workbench.compare.bench_statistics import Ratio

_HEAD = (
    "corpus", "contender", "precision", "batch", "device", "sentences/s", "tokens/s", "p50 ms", "p95 ms",
    "p99 ms", "first ms", "ratio", "interval", "of peak", "min cosine", "Spearman", "gold",
)  # fmt: skip
CSV_COLUMNS = (
    "corpus", "contender", "precision", "batch_size", "device", "threads", "max_length", "rounds", "texts",
    "tokens", "sentences_per_second", "tokens_per_second", "p50_ms", "p95_ms", "p99_ms", "first_call_ms",
    "ratio", "ratio_low", "ratio_high", "peak_share", *(f"share_{part}" for part in PARTS), "mean_cosine",
    "min_cosine", "spearman", "gold_spearman", "peak_mb", "start_seconds", "not_run",
)  # fmt: skip


def as_text(result: BenchResult) -> str:
    """The figures, the verdicts, what did not run, and what was around."""
    parts = [_table(_HEAD, [_row(one) for one in result.measured])]
    shares = [
        (one.corpus, one.variant.label, *(f"{one.shares[part]:.0%}" for part in PARTS))
        for one in result.measured
        if one.shares is not None
    ]
    if shares:
        parts.append(_table(("corpus", "variant", *PARTS), shares))
    fresh = [
        (one.variant.label, f"{one.fresh.peak_mb:,.0f}", f"{one.fresh.start_seconds:.1f}")
        for one in result.measured
        if one.fresh is not None
    ]
    if fresh:
        parts.append(_table(("variant", "peak MB", "start to first embedding, s"), fresh))
    if result.tradeoff is not None:
        points = [
            (
                point.precision, str(point.dim), point.form, f"{point.ndcg:.4f}",
                f"{point.low:+.4f} {point.high:+.4f}", str(point.bytes_a_vector),
                f"{point.queries_per_second:,.0f}",
            )
            for point in result.tradeoff.points
        ]  # fmt: skip
        head = ("encoder", "dim", "stored", "nDCG@10", "to float32 in full", "bytes", "queries/s")
        parts.append(_table(head, points))
    parts += [f"not run: {one.variant.label}: {one.reason}" for one in result.not_run]
    parts += [
        f"peak {peak.device} {peak.precision}: {peak.gflops:,.1f} GFLOP/s, {peak.threads} threads, {peak.way}"
        for peak in result.peaks
    ]
    parts += [
        f"{case}: other processes used {busy.share:.1%} of {busy.cores} cores"
        + (f" ({', '.join(name for name, _ in busy.names)})" if busy.names else "")
        for case, busy in result.busy.items()
    ]
    parts += result.notices
    parts += [verdict_text(one) for one in result.verdicts]
    conditions = result.conditions
    parts.append(
        f"{conditions.cpu}, {conditions.cores} cores, {result.plan.threads} threads, "
        f"GPU {conditions.gpu or 'none'}, plan {result.plan_hash}, {result.seconds:.0f} s"
    )
    return "\n\n".join(parts)


def verdict_text(verdict: BenchVerdict) -> str:
    """One sentence: the winner, or why there is none."""
    head = f"{verdict.corpus}, {verdict.device}, {verdict.precision}: "
    values = verdict.reason_values
    tail = {
        "winner": f"{verdict.winner} is {_ratio(verdict.ratio)} times as fast as {verdict.over}",
        "busy": "no winner, because others used {share:.0%} of the cores (limit {limit:.0%}): {names}",
        "interval": f"no winner, because the interval of {verdict.fastest} over {verdict.over} spans 1: "
        f"{_ratio(verdict.ratio)}",
        "few-rounds": "no winner, because {rounds} rounds are too few for an interval (least {least})",
        "alone": "no winner, because nobody else was measured",
    }[verdict.reason_key]
    return head + (tail.format(**values) if values else tail)


def history_text(earlier: Sequence[Earlier]) -> str:
    """Earlier results of the same plan, each with what was different."""
    parts = []
    for one in earlier:
        rows = [
            (change.corpus, change.label, _ratio(change.before), _ratio(change.now), _ratio(change.change))
            for change in one.changes
        ]
        notes = [f"{name}: {before} → {now}" for name, before, now in one.differences]
        if not one.same_machine:
            notes.insert(0, "another machine: the change says little")
        if one.busy:
            notes.insert(0, "other processes were busy: the change says little")
        head = ("corpus", "variant", "ratio then", "ratio now", "change")
        parts.append("\n".join([f"since {one.date_utc}", *notes, _table(head, rows)]))
    return "\n\n".join(parts)


def as_csv(result: BenchResult) -> str:
    """A row a variant and corpus, those that did not run with their reason."""
    written = io.StringIO()
    writer = csv.DictWriter(written, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in result.measured:
        writer.writerow({**_variant(one, result), **_figures(one)})
    for refused in result.not_run:
        writer.writerow({**_variant(refused, result), "not_run": _one_line(refused.reason)})
    return written.getvalue()


def command_of(plan: BenchPlan, texts_file: str = "texts.txt") -> str:
    """The command line that measures a plan; texts that were brought are read from a file."""
    defaults = BenchPlan()
    words = ["python", "-m", "workbench", "bench"]
    options = {
        "contenders": "--contender", "precisions": "--precision", "batch_sizes": "--batch-size",
        "corpora": "--corpus", "devices": "--device",
    }  # fmt: skip
    for field in fields(BenchPlan):
        value = getattr(plan, field.name)
        if value == getattr(defaults, field.name) or field.name == "own_texts":
            continue
        if field.name in options:
            words += [word for one in value if one != OWN_TEXTS for word in (options[field.name], str(one))]
        elif isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{field.name}")
        else:
            name = {"budget_seconds": "budget", "max_length": "max-length"}.get(field.name, field.name)
            words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    if OWN_TEXTS in plan.corpora:
        words += ["--file", texts_file]
    return shlex.join(words)


def _row(one: Measured) -> tuple[str, ...]:
    quality = one.quality
    interval = (
        "–" if one.ratio is None or one.ratio.low is None else f"{one.ratio.low:.2f}–{one.ratio.high:.2f}"
    )
    return (
        one.corpus,
        one.variant.contender,
        one.variant.precision,
        str(one.variant.batch_size),
        one.variant.device,
        f"{one.sentences_per_second:,.1f}",
        f"{one.tokens_per_second:,.0f}",
        f"{one.p50_ms:,.0f}",
        f"{one.p95_ms:,.0f}",
        f"{one.p99_ms:,.0f}",
        f"{one.first_call_seconds * 1000:,.0f}",
        "–" if one.ratio is None else f"{one.ratio.value:.2f}",
        interval,
        _number(one.peak_share, ".0%"),
        _number(quality.min_cosine if quality else None, ".6f"),
        _number(quality.spearman if quality else None, ".6f"),
        _number(quality.gold_spearman if quality else None, ".4f"),
    )


def _variant(one: Any, result: BenchResult) -> dict[str, object]:
    variant = one.variant
    return {
        "contender": variant.contender,
        "precision": variant.precision,
        "batch_size": variant.batch_size,
        "device": variant.device,
        "threads": result.plan.threads,
        "max_length": result.plan.max_length,
    }


def _figures(one: Measured) -> dict[str, object]:
    ratio, quality, fresh = one.ratio, one.quality, one.fresh
    found: dict[str, object] = {
        "corpus": one.corpus,
        "rounds": len(one.seconds),
        "texts": one.texts,
        "tokens": one.tokens,
        "sentences_per_second": one.sentences_per_second,
        "tokens_per_second": one.tokens_per_second,
        "p50_ms": one.p50_ms,
        "p95_ms": one.p95_ms,
        "p99_ms": one.p99_ms,
        "first_call_ms": one.first_call_seconds * 1000,
        "peak_share": one.peak_share,
    }
    if ratio is not None:
        found |= {"ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high}
    if one.shares is not None:
        found |= {f"share_{part}": one.shares[part] for part in PARTS}
    if quality is not None:
        found |= {
            name: getattr(quality, name)
            for name in ("mean_cosine", "min_cosine", "spearman", "gold_spearman")
        }
    if fresh is not None:
        found |= {"peak_mb": fresh.peak_mb, "start_seconds": fresh.start_seconds}
    return {name: "" if value is None else value for name, value in found.items()}


def _one_line(text: str) -> str:
    # A cell that begins like a formula would be one in a spreadsheet.
    line = " ".join(text.split())
    return f"'{line}" if line[:1] in "=+-@" else line


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "–"
    if ratio.low is None:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _number(value: float | None, spec: str) -> str:
    return "–" if value is None else format(value, spec)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
