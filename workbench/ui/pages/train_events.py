"""The events of a run on the Train page: begun, looked at, cancelled, resumed, found again after a reload."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import gradio as gr

from workbench.errors import UnknownNameError, WorkbenchError
from workbench.ui.errors import box_html, error_box, guarded
from workbench.ui.pages.train_data import inputs_of
from workbench.ui.pages.train_form import FormError, Place, Wish, new_key, wish_of
from workbench.ui.pages.train_live import Changes, gone_html, live_changes, status_html
from workbench.ui.pages.train_results import estimate_html, proof_changes
from workbench.ui.runs_home import checked_owner, notices_html, runs
from workbench.ui.texts import Language, as_language, say
from workbench.ui.widgets.html import NOTHING, element
from workbench.ui.widgets.progress_line import idle_html, stage_html

if TYPE_CHECKING:
    from workbench.runs.record import Run

# Part of the form → where its errors are shown.
_PLACES: Mapping[Place, str] = {"data": "data_error", "modules": "loss_note", "settings": "error"}


def ways_offered() -> tuple[str, ...]:
    """The trainers that a run can be trained by: those that its job knows."""
    from workbench.runs import train_job

    return train_job.WAYS


def arrive(language: object, owner: object, request: gr.Request) -> Changes:
    """The page's load: the visitor's secret, and the run that the address names or that is still going on."""
    spoken, secret = as_language(language), checked_owner(owner)
    changes: Changes = {
        "state.owner": secret,
        "state.key": new_key(),
        "button.ways": gr.update(visible=len(ways_offered()) > 1),
    }
    found = _runs_of(secret)
    going_on = next((run.id for run in found if run.active and run.kind == "train"), "")
    asked = request.query_params.get("run") or going_on
    changes |= _estimate_found(secret, found)
    if notices := notices_html(spoken):
        changes["error"] = notices
    attached = _attached(spoken, secret, asked) if asked else {}
    if "state.measure" in changes:
        # The clock of a run that has ended must not stop that of the measurement.
        attached.pop("timer", None)
    return changes | attached


def _runs_of(owner: str) -> Sequence[Run]:
    """The newest runs of this visitor."""
    try:
        return runs().list(owner, limit=20)
    except WorkbenchError:
        return ()


def _estimate_found(owner: str, found: Sequence[Run]) -> Changes:
    """A measurement whose page was closed before it ended: its estimate is shown now, older ones go."""
    measured = [run for run in found if run.kind == "measure"]
    for run in measured[1:]:
        if not run.active:
            with contextlib.suppress(WorkbenchError):
                runs().delete(owner, run.id)
    return {"state.measure": measured[0].id, "timer": gr.Timer(active=True)} if measured else {}


def _attached(language: Language, owner: str, run_id: str) -> Changes:
    try:
        changes, seen = live_changes(language, owner, run_id, "")
    except UnknownNameError:
        return {"error": gone_html(language)}
    return {
        **changes,
        **proof_changes(language, owner, run_id),
        "state.run": run_id,
        "state.seen": seen,
    }


def start(
    ways: str, language: object, owner: object, key: object, columns: object, *values: object
) -> Changes:
    """Put a run into the queue.

    Args:
        ways: ``own``, or ``all`` for every trainer there is.
        language: Of the words.
        owner: The visitor's secret.
        key: This press counts once under it.
        columns: Of the table that the role controls stand for.
        values: The form.
    """
    spoken = as_language(language)
    try:
        wish = wish_of(values, columns)
        secret = checked_owner(owner)
        chosen = list(ways_offered()) if ways == "all" else ["own"]
        settings = {
            "training": wish.config.model_dump(mode="json"),
            "ways": chosen,
            "seeds": wish.seeds,
            "others": list(wish.others),
            "prove": True,
        }
        with inputs_of(wish.data) as inputs:
            run = runs().submit(
                secret, "train", settings, name=run_name(wish), key=_press(key, ways), inputs=inputs
            )
        changes, seen = live_changes(spoken, secret, run.id, "")
    except Exception as error:
        return refused(error, spoken)
    return {
        **changes,
        **cleared(),
        "timer": gr.Timer(active=True),
        "proof": NOTHING,
        "compare_link": NOTHING,
        "state.owner": secret,
        "state.run": run.id,
        "state.seen": seen,
        "state.key": new_key(),
    }


start_own = partial(start, "own")
start_all = partial(start, "all")


def _press(key: object, what: str) -> str | None:
    return f"{key}-{what}" if isinstance(key, str) and key else None


def run_name(wish: Wish) -> str:
    """What a run is called in lists: its loss and its data."""
    data = wish.config.data
    source = {
        "support-desk": f"support desk, {data.view}, {data.language}",
        "paste": "pasted pairs",
        "file": wish.data.path.name if wish.data.path else "file",
        "hub": wish.data.hub_name,
    }[wish.data.source]
    kept = "".join(char for char in source if char.isprintable())
    return f"{wish.config.loss.name} · {kept}"[:200]


def cleared() -> Changes:
    """No error anywhere."""
    return {"error": NOTHING, "data_error": NOTHING}


def refused(error: Exception, language: Language) -> Changes:
    """An error where it belongs, and a word beside the button that was pressed."""
    if not isinstance(error, FormError):
        return {**cleared(), "error": error_box(error, language)}
    box = error_box(error.error, language)
    place = _PLACES[error.place]
    if place == "error":
        return {**cleared(), "error": box}
    told = box_html(say(language, f"train.see_{error.place}"), "bad")
    return {**cleared(), place: box, "error": told}


def poll(language: object, owner: object, run_id: object, measure: object, seen: object) -> Changes:
    """One look at the run and at the measurement; it stops by itself when neither goes on."""
    spoken = as_language(language)
    changes: Changes = {}
    active = False
    if isinstance(run_id, str) and run_id:
        try:
            found, now = live_changes(spoken, str(owner), run_id, str(seen))
        except WorkbenchError as error:
            return {"error": error_box(error, spoken), "state.run": "", "timer": gr.Timer(active=False)}
        changes |= found
        if now != seen:
            changes["state.seen"] = now
            if " complete " in now:
                changes |= proof_changes(spoken, str(owner), run_id)
        active = any(f" {state} " in now for state in ("queued", "running"))
    if isinstance(measure, str) and measure:
        measured, waiting = _measured(spoken, str(owner), measure)
        changes |= measured
        active = active or waiting
    changes["timer"] = gr.Timer(active=active)
    return changes


def _measured(language: Language, owner: str, run_id: str) -> tuple[Changes, bool]:
    """The estimate where the measurement has ended; it leaves no run behind."""
    try:
        run = runs().show(owner, run_id)
        if run.active:
            told = say(language, "train.measuring") if run.state == "running" else None
            return {
                "estimate": stage_html(told, run.step, 4) if told else status_html(run, (), language)
            }, True
        result = runs().result(owner, run_id)
        runs().delete(owner, run_id)
    except UnknownNameError:
        # Another page of the same visitor has shown it and put it away.
        return {"estimate": NOTHING, "state.measure": ""}, False
    except WorkbenchError as error:
        return {"estimate": error_box(error, language), "state.measure": ""}, False
    if result is None:
        why = run.reason.message if run.reason else say(language, "error.cancelled")
        return {"estimate": box_html(why, "warn"), "state.measure": ""}, False
    return {"estimate": estimate_html(result, language), "state.measure": ""}, False


def measure(language: object, owner: object, key: object, columns: object, *values: object) -> Changes:
    """Measure three real steps of the run that the form asks for, in a process of its own."""
    spoken = as_language(language)
    try:
        wish = wish_of(values, columns)
        secret = checked_owner(owner)
        settings = {
            "training": wish.config.model_dump(mode="json"),
            "seeds": wish.seeds,
            "others": list(wish.others),
        }
        with inputs_of(wish.data) as inputs:
            run = runs().submit(
                secret, "measure", settings, name="estimate", key=_press(key, "measure"), inputs=inputs
            )
    except Exception as error:
        return refused(error, spoken)
    return {
        **cleared(),
        "estimate": stage_html(say(spoken, "train.measuring"), 0, 4),
        "state.measure": run.id,
        "state.owner": secret,
        "state.key": new_key(),
        "timer": gr.Timer(active=True),
    }


@guarded
def cancel(language: Language, owner: object, run_id: object) -> Changes:
    """Ask the run to stop at the next step."""
    run = runs().cancel(str(owner), str(run_id))
    changes: Changes = {"status": status_html(run, (), language)}
    return changes | ({"timer": gr.Timer(active=True)} if run.active else _now(language, owner, run_id))


@guarded
def resume(language: Language, owner: object, run_id: object) -> Changes:
    """Put a run that stopped short back into the queue."""
    runs().resume(str(owner), str(run_id))
    return {**_now(language, owner, run_id), "timer": gr.Timer(active=True)}


def _now(language: Language, owner: object, run_id: object) -> Changes:
    changes, seen = live_changes(language, str(owner), str(run_id), "")
    return {**changes, "state.seen": seen}


def waiting(language: object) -> Changes:
    """Say at once that the press was heard."""
    told = element("span", say(as_language(language), "train.preparing"))
    return {"run_panel": gr.update(visible=True), "status": idle_html(told)}


def spoken_again(language: object, owner: object, run_id: object) -> Changes:
    """What the server wrote of the run, in another language."""
    spoken = as_language(language)
    if not isinstance(run_id, str) or not run_id:
        return {}
    return _attached(spoken, str(owner), run_id)
