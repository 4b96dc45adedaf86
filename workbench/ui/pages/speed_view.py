"""What the Speed page shows of a run: where it stands, and its result section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.ui.errors import box_html
from workbench.ui.gpu_note import gpu_note
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.bench_figures import corpus_name
from workbench.ui.widgets.bench_tables import (
    earlier_html,
    figures_html,
    memory_html,
    not_run_html,
    ratio_text,
    shares_html,
    tradeoff_html,
)
from workbench.ui.widgets.html import Safe, count, element, join, percent, readable
from workbench.ui.widgets.progress_line import stage_html

if TYPE_CHECKING:
    from workbench.compare.bench_history import Earlier
    from workbench.compare.bench_results import BenchResult, BenchVerdict
    from workbench.runs.record import Run

_TONES = {"complete": "good", "failed": "bad", "cancelled": "warn", "interrupted": "warn"}
_SIGNS = {"good": "▲", "warn": "=", "wait": "…"}


def status_html(run: Run, lines: Sequence[Mapping[str, Any]], language: Language) -> Safe:
    """One line: waiting, measuring with the time that is left, or how it ended."""
    from workbench.runs.bench_job import STAGES

    if run.state == "queued":
        return stage_html(say(language, "lab.queued", place=run.place), 0, 1)
    if run.state == "running":
        if run.stopping:
            return stage_html(say(language, "lab.stopping"), run.step, max(run.total, 1))
        values = next((line["values"] for line in reversed(lines) if line.get("values")), None)
        if values is None:
            return stage_html(say(language, "lab.starting"), 0, 1)
        stage = values.get("stage")
        name = STAGES[int(stage)] if isinstance(stage, int | float) and 0 <= stage < len(STAGES) else "memory"
        told = join(
            [
                say(language, f"lab.stage_{name}"),
                say(language, "lab.left", seconds=round(values.get("seconds_left") or 0)),
            ],
            " ",
        )
        return stage_html(told, run.step, max(run.total, 1))
    told = say(language, f"lab.state_{run.state}", seconds=round(run.seconds))
    if run.reason is not None:
        told = join([told, element("span", f"{readable(run.reason.message, 600)} [{run.reason.code}]")], " ")
    return element("div", told, class_=f"wb-box {_TONES.get(run.state, 'info')}", role="status")


def verdict_html(result: BenchResult, language: Language) -> Safe:
    """The winners, or why nobody is called one; the exact ones first."""
    if not result.verdicts:
        return box_html(say(language, "lab.nothing_measured"), "warn")
    ordered = sorted(result.verdicts, key=lambda one: one.precision != "float32")
    called = [bool(one.winner) for one in ordered if one.reason_key != "alone"]
    tone = "wait" if not called else "good" if all(called) else "warn"
    first, *others = [_sentence(one, language) for one in ordered]
    lines = [element("p", first, class_="wb-verdict-line")]
    lines += [element("p", other, class_="wb-why-line") for other in others]
    sign = element("span", _SIGNS[tone], class_="wb-sign", aria_hidden="true")
    return element(
        "div", join([sign, element("div", join(lines))]), class_=f"wb-verdict {tone}", role="status"
    )


def _sentence(verdict: BenchVerdict, language: Language) -> Safe:
    values = verdict.reason_values
    head = say(
        language,
        "lab.verdict_head",
        corpus=corpus_name(verdict.corpus, language),
        device=verdict.device.upper(),
        precision=verdict.precision,
    )
    told = say(
        language,
        f"lab.verdict_{verdict.reason_key}",
        winner=_short(verdict.fastest),
        over=_short(verdict.over),
        ratio=ratio_text(verdict.ratio),
        share=percent(float(values.get("share", 0.0))),
        limit=percent(float(values.get("limit", 0.0))),
        names=readable(str(values.get("names") or "–"), 120),
        rounds=values.get("rounds", 0),
        least=values.get("least", 0),
    )
    return join([head, " ", told])


def _short(label: str) -> str:
    """Contender and batch size of a variant's label; precision and device stand in the head."""
    parts = label.split(" · ")
    return f"{parts[0]} ({parts[2]})" if len(parts) == 4 else label


def around_html(result: BenchResult, language: Language) -> Safe:
    """The machine, its measured ceiling, and what others used of it meanwhile."""
    found = result.conditions
    lines = [
        word(
            language,
            "hardware.line",
            cpu=found.cpu,
            cores=found.cores,
            gpu=found.gpu or word(language, "hardware.no_gpu"),
            python=found.python,
            versions=" · ".join(f"{name} {version}" for name, version in found.versions.items()),
        ),
        word(
            language,
            "lab.conditions",
            threads=result.plan.threads,
            length=result.plan.max_length,
            date=found.date_utc[:16].replace("T", " "),
            plan=result.plan_hash,
        ),
        *(
            word(
                language,
                "lab.peak_line",
                precision=peak.precision,
                device=peak.device,
                gflops=count(peak.gflops),
                threads=peak.threads,
                way=peak.way,
            )
            for peak in result.peaks
        ),
        *(
            word(
                language,
                "lab.busy_line",
                corpus=corpus_name(case.split(" · ")[0], language),
                share=percent(busy.share),
                cores=busy.cores,
            )
            for case, busy in result.busy.items()
        ),
        *result.notices,
    ]
    return element("div", join(element("div", line) for line in lines), class_="wb-hardware")


def sections(result: BenchResult, earlier: Sequence[Earlier], language: Language) -> dict[str, Safe]:
    """The markup of a result by section."""
    wanted = "gpu" if any(one.startswith("cuda") for one in result.plan.devices) else "cpu"
    note = gpu_note(wanted, result.conditions.gpu, language)
    return {
        "verdict": join([verdict_html(result, language), note]),
        "figures": figures_html(result, language),
        "shares_table": shares_html(result, language),
        "memory": memory_html(result, language),
        "tradeoff_table": tradeoff_html(result, language),
        "not_run": not_run_html(result, language),
        "earlier": earlier_html(earlier, result.plan, language),
        "around": around_html(result, language),
    }
