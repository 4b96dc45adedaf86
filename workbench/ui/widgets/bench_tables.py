"""The tables of a benchmark: figures, shares, memory and start, quality against speed, earlier results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.bench_figures import contender_colour, corpus_name, variant_name
from workbench.ui.widgets.html import (
    NOTHING,
    Safe,
    cosine,
    count,
    decimal,
    element,
    join,
    percent,
    readable,
    table,
    tag,
)

if TYPE_CHECKING:
    from workbench.compare.bench_history import Earlier
    from workbench.compare.bench_plan import BenchPlan, Variant
    from workbench.compare.bench_results import BenchResult, Measured
    from workbench.compare.bench_statistics import Ratio

_FIGURES = ("variant", "sentences", "tokens", "calls", "first", "ratio", "peak", "cosine", "spearman", "gold")
_PARTS = ("tokenize", "forward", "pool", "copy")
_REASON_CHARACTERS = 600
_EARLIER = 8


def figures_html(result: BenchResult, language: Language) -> Safe:
    """One table a corpus: rates, percentiles, first call, ratio, share of the peak, quality."""
    headings = [say(language, f"lab.head_{name}") for name in _FIGURES]
    parts = []
    for name in result.plan.corpora:
        rows = [one for one in result.measured if one.corpus == name]
        if rows:
            caption = word(
                language,
                "lab.corpus_caption",
                name=corpus_name(name, language),
                texts=f"{rows[0].texts:,}",
                tokens=f"{rows[0].tokens:,}",
                rounds=len(rows[0].seconds),
            )
            found = [_figures(one, result.plan) for one in rows]
            parts.append(table(headings, found, caption=caption, class_="wb-table wb-bench"))
    return join(parts)


def _figures(one: Measured, plan: BenchPlan) -> list[Safe]:
    quality = one.quality
    cells = (
        count(one.sentences_per_second),
        count(one.tokens_per_second),
        milliseconds(one.p50_ms, one.p95_ms, one.p99_ms),
        milliseconds(one.first_call_seconds * 1000),
        ratio_text(one.ratio),
        "–" if one.peak_share is None else percent(one.peak_share),
        "–" if quality is None or quality.min_cosine is None else cosine(quality.min_cosine),
        "–" if quality is None or quality.spearman is None else cosine(quality.spearman),
        "–" if quality is None or quality.gold_spearman is None else decimal(quality.gold_spearman),
    )
    return [named(one.variant, plan), *(element("span", cell, class_="wb-number") for cell in cells)]


def named(variant: Variant, plan: BenchPlan) -> Safe:
    """A variant's name beside its contender's colour."""
    return tag(variant_name(variant, plan), contender_colour(plan, variant.contender))


def shares_html(result: BenchResult, language: Language) -> Safe:
    """The shares as a table."""
    headings = [
        say(language, "lab.head_variant"),
        say(language, "lab.head_corpus"),
        *(say(language, f"lab.part_{part}") for part in _PARTS),
    ]
    rows = [
        [
            named(one.variant, result.plan),
            corpus_name(one.corpus, language),
            *(element("span", percent(one.shares[part]), class_="wb-number") for part in _PARTS),
        ]
        for one in result.measured
        if one.shares is not None
    ]
    return _folded(table(headings, rows), language)


def memory_html(result: BenchResult, language: Language) -> Safe:
    """Peak memory and the time from the start of a process to its first embedding."""
    rows = [one for one in result.measured if one.fresh is not None]
    if not rows:
        return element("p", say(language, "lab.memory_none"), class_="wb-note")
    most = max(one.fresh.peak_mb for one in rows if one.fresh is not None)
    headings = [say(language, f"lab.head_{name}") for name in ("variant", "memory", "start")]
    found = []
    for one in rows:
        if one.fresh is not None:
            colour = contender_colour(result.plan, one.variant.contender)
            bar = element(
                "i", "", class_=f"wb-speedbar c{colour}", style=f"width:{one.fresh.peak_mb / most:.1%}"
            )
            memory = element("span", f"{one.fresh.peak_mb:,.0f} MB", class_="wb-number")
            found.append(
                [
                    named(one.variant, result.plan),
                    element(
                        "span",
                        join([memory, element("span", bar, class_="wb-speedtrack")]),
                        class_="wb-speedcell",
                    ),
                    element("span", f"{one.fresh.start_seconds:.1f} s", class_="wb-number"),
                ]
            )
    note = say(language, "lab.memory_note", corpus=corpus_name(rows[0].corpus, language))
    return join([table(headings, found), element("p", note, class_="wb-note")])


def tradeoff_html(result: BenchResult, language: Language) -> Safe:
    """Every point of quality against speed, and how fast each precision encoded."""
    found = result.tradeoff
    if found is None:
        return NOTHING
    note = say(
        language,
        "lab.tradeoff_note",
        contender=found.contender,
        queries=f"{found.queries:,}",
        documents=f"{found.documents:,}",
        rows=f"{found.index_rows:,}",
    )
    speeds = table(
        [say(language, "lab.head_encoder"), say(language, "lab.head_sentences")],
        [
            [one.precision, element("span", count(one.sentences_per_second), class_="wb-number")]
            for one in found.encode
        ],
    )
    missing = [
        element("li", join([element("b", precision), " ", readable(why, _REASON_CHARACTERS)]))
        for precision, why in found.not_run.items()
    ]
    heads = ("encoder", "dim", "form", "quality", "difference", "bytes", "queries")
    rows = [
        [
            point.precision,
            *(
                element("span", cell, class_="wb-number")
                for cell in (
                    point.dim,
                    point.form,
                    decimal(point.ndcg, 3),
                    f"{decimal(point.low, 3)} – {decimal(point.high, 3)}",
                    count(point.bytes_a_vector),
                    count(point.queries_per_second),
                )
            ),
        ]
        for point in found.points
    ]
    points = table([say(language, f"lab.head_{name}") for name in heads], rows)
    parts = [element("p", note, class_="wb-note"), _folded(join([points, speeds]), language)]
    if missing:
        parts.append(element("ul", join(missing), class_="wb-list"))
    return join(parts)


def not_run_html(result: BenchResult, language: Language) -> Safe:
    """What was asked for and could not be measured, with the reason."""
    if not result.not_run:
        return NOTHING
    rows = [
        [one.variant.label, element("span", readable(one.reason, _REASON_CHARACTERS), class_="wb-wrapped")]
        for one in result.not_run
    ]
    return join(
        [
            element("h2", say(language, "lab.not_run")),
            table([say(language, "lab.head_variant"), say(language, "lab.head_reason")], rows),
        ]
    )


def earlier_html(earlier: Sequence[Earlier], plan: BenchPlan, language: Language) -> Safe:
    """Earlier results of the same plan: the ratio then and now, and what was different."""
    if not earlier:
        return element("p", say(language, "lab.earlier_none"), class_="wb-note")
    heads = [say(language, f"lab.head_{name}") for name in ("variant", "corpus", "then", "now", "change")]
    parts = []
    for one in earlier[:_EARLIER]:
        rows = [
            [
                change.label,
                corpus_name(change.corpus, language),
                *(
                    element("span", ratio_text(ratio), class_="wb-number")
                    for ratio in (change.before, change.now, change.change)
                ),
            ]
            for change in one.changes
        ]
        notes = []
        if not one.same_machine:
            notes.append(say(language, "lab.other_machine"))
        if one.busy:
            notes.append(say(language, "lab.earlier_busy"))
        notes += [
            element("span", f"{name}: {readable(before, 80)} → {readable(now, 80)}")
            for name, before, now in one.differences
        ]
        told = element("p", join(notes, " · "), class_="wb-note") if notes else NOTHING
        caption = word(language, "lab.since", date=one.date_utc[:16].replace("T", " "))
        parts.append(join([table(heads, rows, caption=caption), told]))
    return join(parts)


def ratio_text(ratio: Ratio | None) -> str:
    """A ratio with its interval."""
    if ratio is None:
        return "–"
    if ratio.low is None or ratio.high is None:
        return decimal(ratio.value, 2)
    return f"{decimal(ratio.value, 2)} ({decimal(ratio.low, 2)}–{decimal(ratio.high, 2)})"


def milliseconds(*values: float) -> str:
    """Times in milliseconds under one unit; in seconds from ten of them on.

    Example:
        >>> milliseconds(20, 25.4)
        '20 / 25 ms'
    """
    if max(values) >= 10_000:
        return " / ".join(f"{value / 1000:,.1f}" for value in values) + " s"
    return " / ".join(f"{value:,.0f}" for value in values) + " ms"


def _folded(content: Safe, language: Language) -> Safe:
    summary = element("summary", say(language, "lab.as_table"))
    return element("details", join([summary, element("div", content, class_="wb-tall")]), class_="wb-asked")
