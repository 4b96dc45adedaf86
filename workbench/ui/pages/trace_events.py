"""The events of the Trace page as functions: from the values of controls to changes by component name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from workbench.errors import Cancelled, InvalidValueError, WorkbenchError
from workbench.ui import trace_backend as backend
from workbench.ui.download import kept_file, new_folder
from workbench.ui.errors import error_box, guarded
from workbench.ui.pages.trace_files import compare_files, result_dict
from workbench.ui.pages.trace_handlers import (
    STEPS,
    Step,
    chosen_text,
    find,
    find_card,
    texts_of,
    wanted_of,
)
from workbench.ui.pages.trace_view import Look, fix_code, render, text_choices
from workbench.ui.sentences import stored_upload
from workbench.ui.session import new_token
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.trace_shown import TRACES, Shown
from workbench.ui.widgets.black_box_result import black_box_html
from workbench.ui.widgets.html import NOTHING, Safe
from workbench.ui.widgets.lint_findings import findings_html
from workbench.ui.widgets.progress_line import idle_html, stage_html

Changes = dict[str, Any]
_SIDES = ("left", "right")


def find_stage(language: object, token: object, *values: object) -> Iterator[Changes]:
    """Compare the two pipelines of the form."""
    spoken, secret = as_language(language), secret_of(token)
    yield from _stream(spoken, secret, lambda stop: find(wanted_of(values, spoken), stop))


def replay_card(key: object, language: object, token: object) -> Iterator[Changes]:
    """Replay a card of the gallery."""
    spoken, secret = as_language(language), secret_of(token)
    yield from _stream(spoken, secret, lambda stop: find_card(key, stop))


def secret_of(token: object) -> str:
    """The visitor's token; a new one where there is none."""
    return token if isinstance(token, str) and token else new_token()


def _stream(spoken: Language, secret: str, begin: Any) -> Iterator[Changes]:
    """Show each step as it comes; every error ends in a box on the page."""
    begun = time.monotonic()
    try:
        stop = TRACES.start(secret)
        for step in begin(stop):
            changes: Changes = {"token": secret, "notices": NOTHING, "cancel": gr.update(visible=True)}
            if step.shown is not None:
                TRACES.keep(secret, step.shown)
                changes |= shown_changes(step.shown, Look(spoken))
                changes["chosen"] = None
            yield changes | {"progress": _progress(step, spoken)}
        yield {"progress": _done(TRACES.shown(secret), time.monotonic() - begun, spoken)} | _NO_CANCEL
    except Cancelled:
        yield {"progress": idle_html(say(spoken, "tracestep.cancelled"))} | _NO_CANCEL
    except Exception as error:
        box = error_box(error, spoken)
        yield {"token": secret, "notices": box, "progress": idle_html(NOTHING)} | _NO_CANCEL
    finally:
        # The visitor may have left: Gradio then closes this generator.
        TRACES.stop(secret)


_NO_CANCEL: Changes = {"cancel": gr.update(visible=False)}


def _progress(step: Step, language: Language) -> Safe:
    key = "tracestep.swap" if step.stage == "end" else f"tracestep.{step.stage}"
    return stage_html(say(language, key, name=step.name), step.done, STEPS)


def _done(shown: Shown | None, seconds: float, language: Language) -> Safe:
    count = len(shown.texts) if shown else 0
    return idle_html(say(language, "tracestep.done", texts=count, seconds=f"{seconds:.1f}"))


def shown_changes(shown: Shown, look: Look) -> Changes:
    """Everything that shows two pipelines compared."""
    text = chosen_text(shown, look.text)
    return {
        **render(shown, look),
        "results": gr.update(visible=True),
        "fix": fix_code(shown, look.language),
        "text": gr.update(choices=text_choices(shown, look.language), value=text),
        "traces": gr.update(visible=False, value=None),
    }


def cancel(language: object, token: object) -> Changes:
    """Ask what runs to stop at the next step."""
    TRACES.stop(str(token))
    return {"progress": stage_html(say(as_language(language), "tracestep.stopping"), 0, 1)}


def waiting(language: object) -> Changes:
    """What is said from the click on until a place is free."""
    return {"progress": stage_html(say(as_language(language), "progress.queued"), 0, 1)}


def describe(language: object, *values: object) -> Changes:
    """The line that names the two pipelines, and the box for pasted texts where it is wanted.

    A value that is still being typed is no error yet: the run will tell.
    """
    spoken = as_language(language)
    source = values[-2] if len(values) > 1 else ""
    return {"pasted": gr.update(visible=source == "paste"), **_against(spoken, values)}


def _against(language: Language, values: Sequence[object]) -> Changes:
    try:
        wanted = wanted_of(values, language)
    except WorkbenchError:
        return {}
    left, right = wanted.names
    return {"against": say(language, "trace.against", left=left, right=right, texts=len(wanted.texts))}


@guarded
def choose_text(language: Language, token: object, index: object) -> Changes:
    """Show the tokens of another text."""
    shown = TRACES.shown(str(token))
    if shown is None:
        return {}
    return {"tokens": render(shown, Look(language, index))["tokens"], "chosen": index}


@guarded
def diff_files(language: Language, token: object, left: object, right: object) -> Changes:
    """Compare two uploaded traces."""
    secret = secret_of(token)
    shown = compare_files(_uploads(left), _uploads(right), language)
    TRACES.keep(secret, shown)
    done = _done(shown, shown.seconds, language)
    return {"token": secret, **shown_changes(shown, Look(language)), "progress": done, "chosen": None}


def _uploads(value: object) -> list[str]:
    files = value if isinstance(value, list | tuple) else [value]
    return [path for one in files[:8] if (path := stored_upload(one))]


@guarded
def download_result(language: Language, token: object) -> Changes:
    """The result as JSON."""
    data = result_dict(_shown(token, language))
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    return {"file": str(kept_file("workbench-trace.json", text.encode("utf-8", "replace")))}


@guarded
def download_traces(language: Language, token: object) -> Changes:
    """The traces of both sides, two files each."""
    shown = _shown(token, language)
    folder = new_folder()
    files = [
        str(file)
        for side, trace in zip(_SIDES, (shown.left, shown.right), strict=True)
        for file in backend.save_trace(trace, folder / f"trace-{side}")
    ]
    return {"traces": gr.update(visible=True, value=files)}


def _shown(token: object, language: Language) -> Shown:
    shown = TRACES.shown(str(token))
    if shown is None:
        raise InvalidValueError("nothing-traced", word(language, "traceget.nothing"))
    return shown


@guarded
def speak(language: Language, token: object, chosen: object, *values: object) -> Changes:
    """Everything the server wrote, in another language."""
    secret = str(token)
    shown = TRACES.shown(secret)
    look = Look(language, chosen)
    changes: Changes = shown_changes(shown, look) if shown else dict(render(None, look))
    changes |= {"progress": idle_html(NOTHING), "notices": NOTHING, "box_progress": idle_html(NOTHING)}
    found, noted = TRACES.noted(secret, "black box"), TRACES.noted(secret, "lint")
    if found is not None:
        changes["box_result"] = black_box_html(found, language)
    if noted is not None:
        changes["lint_result"] = findings_html(noted[0], noted[1], language)
    return {**changes, **_against(language, values)}


def arrive(language: object, *values: object) -> Any:
    """What the server wrote, in the language in which the visitor arrived; English stands there already."""
    return {} if as_language(language) == "en" else speak(language, *values)


def first_line(language: Language) -> Safe:
    """The line under the title before anything was changed."""
    texts = len(texts_of("example", "", language))
    return say(language, "trace.against", left="own", right="manual", texts=texts)
