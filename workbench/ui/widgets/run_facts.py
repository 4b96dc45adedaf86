"""One run opened: what it is, how it stands, why it ended, what it came to, the end of its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.ui.errors import box_html
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.curve_points import Line
from workbench.ui.widgets.html import Safe, decimal, element, join, readable, table
from workbench.ui.widgets.run_table import (
    clock_time,
    name_of,
    outcome_badge,
    outcomes_of,
    progress_of,
    state_badge,
    what_of,
)

if TYPE_CHECKING:
    from workbench.runs.record import Run

LOG_BYTES = 16_384
_REASON_CHARACTERS = 1_000
# Of so many reports the pace is taken.
_PACE_REPORTS = 40


def facts_html(run: Run, language: Language, lines: Sequence[Line] = ()) -> Safe:
    """Name, state, what it does, times, and the reason where it ended short.

    Args:
        run: The run.
        language: Of the words.
        lines: Its reports, for the time that is left.
    """
    from workbench.runs.text import duration

    standing = [state_badge(run, language), progress_of(run)]
    left = seconds_left(run, lines)
    if left is not None:
        key = "run.left" if run.step < run.total else "run.last_steps"
        standing.append(element("span", say(language, key, time=duration(left)), class_="wb-dim"))
    facts = [
        ("state", join(standing, " ")),
        ("what", what_of(run, language)),
        ("time", word(language, "run.time_of", time=duration(run.seconds), starts=run.attempt)),
        ("created", clock_time(run.created_at)),
        ("id", element("code", run.id)),
    ]
    if run.rerun_of:
        facts.append(("rerun_of", element("code", run.rerun_of)))
    rows = join(
        join([element("dt", say(language, f"run_fact.{key}")), element("dd", value)]) for key, value in facts
    )
    parts = [
        element("h2", name_of(run), data_run=run.id),
        element("dl", rows, class_="wb-facts"),
    ]
    if run.reason:
        told = f"{readable(run.reason.message, _REASON_CHARACTERS)} [{readable(run.reason.code, 60)}]"
        tone = "bad" if run.state == "failed" else "info"
        parts.append(box_html(told, tone, title=say(language, f"run_reason.{run.state}")))
    return join(parts)


def seconds_left(run: Run, lines: Sequence[Line]) -> float | None:
    """Time until the last step, by the pace of the newest reports; None where that is not known."""
    recent = [
        line for line in lines[-_PACE_REPORTS:] if "seconds" in line and line.get("attempt") == run.attempt
    ]
    if run.state != "running" or run.stopping or not run.total or len(recent) < 2:
        return None
    first, last = recent[0], recent[-1]
    steps = last["step"] - first["step"]
    if steps <= 0:
        return None
    return float(max(0, run.total - last["step"]) * (last["seconds"] - first["seconds"]) / steps)


def result_html(result: Mapping[str, Any] | None, language: Language) -> Safe:
    """The trainings of a complete run and the verdicts of its proofs; plain numbers of any other job."""
    if not result:
        return Safe("")
    trainings = result.get("trainings")
    if not isinstance(trainings, list) and "plan_hash" in result:
        return _panel("run.result", _speeds(result, language), language)
    if not isinstance(trainings, list):
        from workbench.runs.side_by_side import flattened

        plain = [(readable(key, 80), readable(str(value), 80)) for key, value in flattened(result).items()]
        return _panel("run.result", table(("", word(language, "run.result")), plain), language)
    heads = [word(language, f"run_result.{name}") for name in ("way", "seed", "score", "loss", "seconds")]
    rows = [
        (
            readable(str(one.get("way", "")), 40),
            one.get("seed", ""),
            number(one.get("best_score")),
            number(one.get("final_loss")),
            number(one.get("seconds"), 1),
        )
        for one in trainings
        if isinstance(one, Mapping)
    ]
    badges = join((outcome_badge(outcome, language) for outcome in outcomes_of(result)), " ")
    parts = [element("p", join([say(language, "run.verdict"), " ", badges])) if badges else Safe("")]
    return _panel("run.result", join([*parts, table(heads, rows)]), language)


def _speeds(result: Mapping[str, Any], language: Language) -> Safe:
    """A benchmark in short: its page shows the rest."""
    heads = [say(language, f"lab.head_{name}") for name in ("variant", "corpus", "sentences", "ratio")]
    rows = []
    for one in result.get("measured") or ():
        variant, ratio = one.get("variant") or {}, one.get("ratio") or {}
        name = " · ".join(str(variant.get(part, "")) for part in ("contender", "precision", "batch_size"))
        rate = (one.get("derived") or {}).get("sentences_per_second")
        rows.append(
            (
                readable(name, 80),
                readable(str(one.get("corpus", "")), 40),
                number(rate, 1),
                number(ratio.get("value"), 2),
            )
        )
    return table(heads, rows)


def log_html(log: str, language: Language) -> Safe:
    """The end of what the run's process printed, as it stands."""
    lines = log.rstrip("\n").split("\n") if log.strip() else []
    if not lines:
        return element("p", say(language, "run.log_empty"), class_="wb-note")
    # A line that a progress bar has rewritten is shown as it was last.
    shown = "\n".join(readable(line.rstrip("\r").rsplit("\r", 1)[-1], 500) for line in lines[-200:])
    return element("pre", shown, class_="wb-log", tabindex="0", aria_label=word(language, "run.log"))


def number(value: object, digits: int = 4) -> str:
    """A number of a result; a dash where there is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return decimal(float(value), digits)
    return "–"


def _panel(key: str, content: Safe, language: Language) -> Safe:
    return join([element("h4", say(language, key)), content])
