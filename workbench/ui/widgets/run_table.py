"""The table of a visitor's runs: a row each, with a box to compare it and a button to open it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.ui.texts import Language, say, word
from workbench.ui.widgets.curve_points import tick_label
from workbench.ui.widgets.html import Safe, decimal, element, join, readable

if TYPE_CHECKING:
    from workbench.runs.record import Run

MAX_COMPARED = 4
_NAME_CHARACTERS = 60
_TONES = {"running": "good", "complete": "good", "failed": "bad", "interrupted": "warn", "cancelled": "warn"}
_HEADS = ("compare", "name", "state", "score", "time", "started")


def run_table(
    runs: Sequence[Run],
    results: Mapping[str, Mapping[str, Any] | None],
    language: Language,
    *,
    opened: str = "",
    chosen: Collection[str] = (),
) -> Safe:
    """The table.

    Args:
        runs: The newest first.
        results: Id of a run → its result; None or missing where it has none.
        language: Of the words.
        opened: Id of the run whose details are on show.
        chosen: Ids of the runs to compare.

    Returns:
        Markup; a sentence where there is no run.
    """
    if not runs:
        return element("p", say(language, "runs.none"), class_="wb-note")
    heads = join(
        element("th", say(language, f"runs_head.{name}"), scope="col", class_=f"rt-{name}") for name in _HEADS
    )
    full = len(chosen) >= MAX_COMPARED
    rows = join(
        _row(run, results.get(run.id), language, run.id == opened, run.id in chosen, full) for run in runs
    )
    body = join([element("thead", element("tr", heads)), element("tbody", rows)])
    return element("div", element("table", body, class_="wb-table wb-runs"), class_="wb-scroll")


def name_of(run: Run) -> str:
    """What a run is called: its name, or what it does and its id's end."""
    return readable(run.name, _NAME_CHARACTERS) if run.name else f"{run.kind} {run.id[-8:]}"


def what_of(run: Run, language: Language) -> str:
    """What a run does in a line: ways, loss, data, model, seeds."""
    training = run.config.get("training")
    if run.kind != "train" or not isinstance(training, Mapping):
        return readable(run.kind, _NAME_CHARACTERS)
    training = _stated(training)
    ways = run.config.get("ways") or [training.get("trainer", "own")]
    seeds = run.config.get("seeds", 1)
    parts = [
        " + ".join(str(way) for way in ways) if isinstance(ways, list) else "",
        _inner(training, "loss", "name"),
        _inner(training, "data", "source"),
        _inner(training, "model", "name"),
        word(language, "runs.seeds", seeds=seeds) if isinstance(seeds, int) and seeds > 1 else "",
    ]
    return " · ".join(readable(part, _NAME_CHARACTERS) for part in parts if part)


def state_badge(run: Run, language: Language) -> Safe:
    """The state of a run, and its place where it waits."""
    if run.stopping:
        return element("span", say(language, "runstate.stopping"), class_="wb-badge warn")
    said = say(language, f"runstate.{run.state}")
    if run.place:
        said = say(language, "runstate.place", place=run.place)
    return element("span", said, class_=f"wb-badge {_TONES.get(run.state, 'wait')}")


def progress_of(run: Run) -> Safe:
    """Steps done of how many; a bar while it goes on."""
    if not run.total:
        return element("span", f"{run.step:,}" if run.step else "", class_="wb-number")
    said = element("span", f"{run.step:,} / {run.total:,}", class_="wb-number")
    if not run.active:
        return said
    width = f"width:{min(max(run.step / run.total, 0.02), 1.0):.0%}"
    return join([element("span", element("i", "", style=width), class_="wb-bar"), said])


def best_score(result: Mapping[str, Any] | None) -> float | None:
    """The highest score among the trainings of a result."""
    trainings = (result or {}).get("trainings")
    scores = [one.get("best_score") for one in trainings or () if isinstance(one, Mapping)]
    return max((score for score in scores if isinstance(score, int | float)), default=None)


def outcomes_of(result: Mapping[str, Any] | None) -> list[str]:
    """The verdicts of a result's proofs, one a way."""
    proofs = (result or {}).get("proofs")
    found = [one.get("verdict", {}).get("outcome") for one in proofs or () if isinstance(one, Mapping)]
    return [outcome for outcome in found if outcome in OUTCOME_TONES]


OUTCOME_TONES = {"better": "good", "worse": "bad", "not shown": "wait"}


def outcome_badge(outcome: str, language: Language) -> Safe:
    """A verdict in a word."""
    return element("span", say(language, f"outcome.{outcome}"), class_=f"wb-badge {OUTCOME_TONES[outcome]}")


def clock_time(iso: str) -> Safe:
    """A moment in UTC, which the page shows in the visitor's own time."""
    if not iso:
        return Safe("")
    return element("time", f"{iso[:10]} {iso[11:16]} UTC", datetime=iso, class_="wb-number")


def _row(
    run: Run, result: Mapping[str, Any] | None, language: Language, is_open: bool, is_chosen: bool, full: bool
) -> Safe:
    from workbench.runs.text import duration

    name = name_of(run)
    box = element(
        "input",
        type="checkbox",
        data_choose=run.id,
        data_key=f"choose-{run.id}",
        aria_label=word(language, "runs.choose", name=name),
        checked="" if is_chosen else None,
        disabled="" if full and not is_chosen else None,
    )
    opener = element("button", name, type="button", data_open=run.id, data_key=f"open-{run.id}")
    what = element("small", what_of(run, language))
    cells = {
        "name": element("th", join([opener, what]), scope="row", class_="rt-name"),
        "state": element("td", join([state_badge(run, language), progress_of(run)]), class_="rt-state"),
        "score": element("td", _score(run, result, language), class_="rt-score"),
        "time": element("td", duration(run.seconds), class_="rt-time wb-number"),
        "started": element("td", clock_time(run.started_at or run.created_at), class_="rt-started"),
    }
    first = element("td", box, class_="rt-compare")
    return element("tr", join([first, *cells.values()]), class_="on" if is_open else None)


def _score(run: Run, result: Mapping[str, Any] | None, language: Language) -> Safe:
    score = best_score(result)
    if score is not None:
        badges = [outcome_badge(outcome, language) for outcome in outcomes_of(result)]
        return join([element("span", decimal(score), class_="wb-number"), *badges], " ")
    if run.loss is None:
        return Safe("")
    return element("small", say(language, "runs.loss", loss=tick_label(run.loss)), class_="wb-number")


def _stated(training: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the defaults of what was left out; as it is where it is no config."""
    from workbench.recipe.config import checked_config

    try:
        return checked_config(dict(training)).model_dump()
    except WorkbenchError:
        return training


def _inner(training: Mapping[str, Any], group: str, name: str) -> str:
    inner = training.get(group)
    value = inner.get(name) if isinstance(inner, Mapping) else None
    return value if isinstance(value, str) else ""
