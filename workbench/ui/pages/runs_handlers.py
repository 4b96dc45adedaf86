"""What the Runs page shows, as functions of values: a visitor's wish in, markup and switches out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.errors import InvalidTypeError, UnknownNameError
from workbench.runs.layout import is_run_id
from workbench.runs.side_by_side import side_by_side
from workbench.runs.states import STATES, State
from workbench.ui.run_reports import REPORTS
from workbench.ui.runs_home import checked_owner
from workbench.ui.shell import PAGES
from workbench.ui.texts import Language, as_language, say
from workbench.ui.widgets.curve_points import Line, by_training
from workbench.ui.widgets.curves import curves
from workbench.ui.widgets.html import NOTHING, Safe, element, join
from workbench.ui.widgets.run_facts import LOG_BYTES, facts_html, log_html, result_html
from workbench.ui.widgets.run_table import MAX_COMPARED, name_of, outcomes_of, run_table
from workbench.ui.widgets.runs_compared import differences_html, metrics_html, results_html

if TYPE_CHECKING:
    from workbench.runs.record import Run
    from workbench.ui.run_reports import Runs

# So many rows at first, and so many more at a click: a table of all would weigh on every look.
ROWS = 30
_MOST_ROWS = 3_000
_MIN_COMPARED = 2


@dataclass(frozen=True)
class Wish:
    """What a visitor looks at.

    Attributes:
        language: Of the words.
        owner: The visitor's secret.
        text: Only runs with this in name, note, kind or id.
        state: Only runs in this state; None for all.
        rows: At most so many.
        opened: Id of the run whose details are on show; empty for none.
        chosen: Ids of the runs to lay side by side.
    """

    language: Language = "en"
    owner: str = ""
    text: str = ""
    state: State | None = None
    rows: int = ROWS
    opened: str = ""
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """What the page shows.

    Attributes:
        markup: Section → its markup.
        visible: Component → whether it is on show.
        active: Whether a run on show waits or runs, so that the page shall look again.
        run: The opened run.
    """

    markup: Mapping[str, Safe]
    visible: Mapping[str, bool]
    active: bool
    run: Run | None = None


def wish_of(
    language: object,
    owner: object,
    text: object = "",
    state: object = "",
    rows: object = ROWS,
    opened: object = "",
    chosen: object = (),
) -> Wish:
    """A wish from the values of controls, which a caller of the API may have set to anything.

    Raises:
        InvalidTypeError: ``not-text``.
    """
    if text is not None and not isinstance(text, str):
        raise InvalidTypeError("not-text", f"A {type(text).__name__} came", expected="text")
    whole = isinstance(rows, int) and not isinstance(rows, bool)
    return Wish(
        language=as_language(language),
        owner=checked_owner(owner),
        text=(text or "").strip(),
        state=next((known for known in STATES if known == state), None),
        rows=min(max(int(rows), 1), _MOST_ROWS) if whole else ROWS,  # type: ignore[call-overload]
        opened=opened if isinstance(opened, str) and is_run_id(opened) else "",
        chosen=ids_of(chosen),
    )


def ids_of(values: object) -> tuple[str, ...]:
    """The run ids in what the browser sent, each once, at most so many as can be compared."""
    found = values if isinstance(values, list | tuple) else ()
    return tuple(dict.fromkeys(one for one in found if is_run_id(one)))[:MAX_COMPARED]


def look(runs: Runs, wish: Wish) -> View:
    """Everything the page shows.

    Raises:
        WorkbenchError: What the filter cannot be; an opened run that is not the visitor's is no error.
    """
    found = runs.list(wish.owner, state=wish.state, text=wish.text, limit=wish.rows + 1)
    page = found[: wish.rows]
    results = {run.id: REPORTS.result(runs, wish.owner, run) for run in page}
    opened = _mine(runs, wish.owner, wish.opened)
    chosen = [run for one in wish.chosen if (run := _mine(runs, wish.owner, one))]
    ids = tuple(run.id for run in chosen)
    table = run_table(page, results, wish.language, opened=opened.id if opened else "", chosen=ids)
    markup = {"table": table, **_opened(runs, wish, opened), **_side_by_side(runs, wish, chosen)}
    visible = {
        "more": len(found) > wish.rows,
        "panel": opened is not None,
        "compared": bool(chosen),
        **_possible(opened),
        **_files(runs, wish.owner, opened),
    }
    active = any(run.active for run in (*page, *chosen, *((opened,) if opened else ())))
    return View(markup, visible, active, opened)


def cancel(runs: Runs, wish: Wish, _key: str) -> Wish:
    """Ask the opened run to stop."""
    runs.cancel(wish.owner, wish.opened)
    return wish


def resume(runs: Runs, wish: Wish, _key: str) -> Wish:
    """Put the opened run back into the queue."""
    runs.resume(wish.owner, wish.opened)
    return wish


def rerun(runs: Runs, wish: Wish, key: str) -> Wish:
    """Start a run with the opened one's settings, and open that; a second click under one key starts none."""
    return replace(wish, opened=runs.rerun(wish.owner, wish.opened, key=key or None).id)


def delete(runs: Runs, wish: Wish, _key: str) -> Wish:
    """Delete the opened run with its files."""
    runs.delete(wish.owner, wish.opened)
    REPORTS.forget(wish.opened)
    left = tuple(one for one in wish.chosen if one != wish.opened)
    return replace(wish, opened="", chosen=left)


# Button → what it does.
ACTIONS: Mapping[str, Callable[[Any, Wish, str], Wish]] = {
    "cancel": cancel,
    "resume": resume,
    "rerun": rerun,
    "delete_sure": delete,
}


def annotate(runs: Runs, wish: Wish, name: object, note: object) -> Run:
    """Change name and note of the opened run.

    Raises:
        InvalidTypeError: ``not-text``.
        InvalidValueError: ``run-text-too-long``, ``run-text-character``.
        UnknownNameError: ``run-unknown``.
    """
    for value in (name, note):
        if not isinstance(value, str):
            raise InvalidTypeError("not-text", f"A {type(value).__name__} came", expected="text")
    return runs.annotate(wish.owner, wish.opened, name=str(name).strip(), note=str(note))


def _mine(runs: Runs, owner: str, run_id: str) -> Run | None:
    if not run_id:
        return None
    try:
        return runs.show(owner, run_id)
    except UnknownNameError:
        # Deleted meanwhile, or someone else's, which is the same to this visitor.
        return None


def _opened(runs: Runs, wish: Wish, run: Run | None) -> dict[str, Safe]:
    if run is None:
        return dict.fromkeys(("facts", "curves", "result", "log"), NOTHING)
    lines = REPORTS.lines(runs, wish.owner, run.id)
    facts = facts_html(run, wish.language, lines)
    return {
        "facts": join([facts, _to_page(run, wish.language)]),
        "curves": curves(_trainings(run, lines), wish.language),
        "result": result_html(REPORTS.result(runs, wish.owner, run), wish.language),
        "log": log_html(runs.log_tail(wish.owner, run.id, LOG_BYTES), wish.language),
    }


def _trainings(run: Run, lines: list[Line]) -> dict[str, list[Line]]:
    """The reports of a run by training; a job of another kind is one."""
    ways = run.config.get("ways")
    parts = by_training(lines, ways if isinstance(ways, list) else ()) if run.kind == "train" else {}
    return parts or {name_of(run): lines}


# Kind of a run → the page that shows it in full, and what the link says.
_PAGES = {"train": ("train", "run.to_train"), "bench": ("speed", "run.to_speed")}


def _to_page(run: Run, language: Language) -> Safe:
    page, key = _PAGES.get(run.kind, ("", ""))
    if page not in PAGES or not key:
        return NOTHING
    tail = "" if language == "en" else f"&lang={language}"
    link = element("a", say(language, key), href=f"{page}?run={run.id}{tail}")
    return element("p", link, class_="wb-note")


def _side_by_side(runs: Runs, wish: Wish, chosen: list[Run]) -> dict[str, Safe]:
    if len(chosen) < _MIN_COMPARED:
        note = say(wish.language, "compared.choose", least=_MIN_COMPARED, most=MAX_COMPARED)
        return {"differences": element("p", note, class_="wb-note"), "overlaid": NOTHING, "metrics": NOTHING}
    names = _distinct([name_of(run) for run in chosen], [run.id for run in chosen])
    lines = [REPORTS.lines(runs, wish.owner, run.id) for run in chosen]
    results = [REPORTS.result(runs, wish.owner, run) for run in chosen]
    found = side_by_side(chosen, lines, results)
    parts = [_trainings(run, own) for run, own in zip(chosen, lines, strict=True)]
    overlaid = {name: next(iter(own.values())) for name, own in zip(names, parts, strict=True)}
    drawn = curves(overlaid, wish.language)
    if any(len(own) > 1 for own in parts):
        first = ", ".join(next(iter(own)) for own in parts)
        note = element("p", say(wish.language, "compared.first", names=first), class_="wb-note")
        drawn = join([drawn, note])
    metrics = [metrics_html(results, names, wish.language), results_html(found, names, wish.language)]
    return {
        "differences": differences_html(found, names, wish.language),
        "overlaid": drawn,
        "metrics": join(metrics),
    }


def _distinct(names: list[str], ids: list[str]) -> list[str]:
    return [
        f"{name} ({one[-8:]})" if names.count(name) > 1 else name
        for name, one in zip(names, ids, strict=True)
    ]


def _possible(run: Run | None) -> dict[str, bool]:
    return {
        "cancel": run is not None and run.active and not run.stopping,
        "resume": run is not None and run.resumable,
        "rerun": run is not None and not run.active,
        "delete": run is not None and run.state != "running",
    }


def _files(runs: Runs, owner: str, run: Run | None) -> dict[str, bool]:
    result = REPORTS.result(runs, owner, run) if run else None
    proven = bool(outcomes_of(result))
    return {
        "get_yaml": run is not None,
        "get_python": run is not None and run.kind == "train",
        "get_proof": proven,
        "get_proof_json": proven,
    }
