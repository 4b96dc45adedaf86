"""The events of the Trace page as functions: from the values of controls to changes by component name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.data.sentence_files import read_sentences
from workbench.errors import Cancelled, InvalidTypeError, InvalidValueError, WorkbenchError
from workbench.persistence.source import BUNDLED
from workbench.ui import trace_backend as backend
from workbench.ui.columns import model_name
from workbench.ui.download import kept_file, new_folder
from workbench.ui.errors import error_box, guarded
from workbench.ui.pages.trace_handlers import (
    EXAMPLE,
    STEPS,
    Step,
    chosen_text,
    compare_files,
    find,
    find_card,
    result_dict,
    texts_of,
    wanted_of,
)
from workbench.ui.pages.trace_view import Look, fix_code, render, text_choices
from workbench.ui.sentences import MAX_SENTENCES, stored_upload
from workbench.ui.session import new_token
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.trace_shown import TRACES, Shown
from workbench.ui.widgets.black_box_result import black_box_html
from workbench.ui.widgets.html import NOTHING, Safe
from workbench.ui.widgets.lint_findings import findings_html
from workbench.ui.widgets.progress_line import idle_html, stage_html

Changes = dict[str, Any]
_PROMPT_CHARACTERS = 2000
# Short texts: the search for the example shall not take long.
_SHORT = EXAMPLE[:4]
_SIDES = ("left", "right")


def find_stage(language: object, token: object, *values: object) -> Iterator[Changes]:
    """Compare the two pipelines of the form."""
    spoken, secret = as_language(language), _secret(token)
    yield from _stream(spoken, secret, lambda stop: find(wanted_of(values, spoken), stop))


def replay_card(key: object, language: object, token: object) -> Iterator[Changes]:
    """Replay a card of the gallery."""
    spoken, secret = as_language(language), _secret(token)
    yield from _stream(spoken, secret, lambda stop: find_card(key, stop))


def _secret(token: object) -> str:
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


def cancel_box(language: object, token: object) -> Changes:
    """Ask the search to stop before its next recipe."""
    TRACES.stop(str(token))
    return {"box_progress": stage_html(say(as_language(language), "tracestep.stopping"), 0, 1)}


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
    secret = _secret(token)
    shown = compare_files(_uploads(left), _uploads(right), language)
    TRACES.keep(secret, shown)
    done = _done(shown, shown.seconds, language)
    return {"token": secret, **shown_changes(shown, Look(language)), "progress": done, "chosen": None}


def _uploads(value: object) -> list[str]:
    files = value if isinstance(value, list | tuple) else [value]
    return [path for one in files[:8] if (path := stored_upload(one))]


def black_box(
    language: object, token: object, texts: object, vectors: object, model: object, prompt: object
) -> Iterator[Changes]:
    """Search for the fewest changes that make the uploaded vectors."""
    spoken, secret = as_language(language), _secret(token)
    yield from _searched(
        spoken, secret, lambda: (*_given(texts, vectors, spoken), model_name(model), _prompts(prompt))
    )


def black_box_example(language: object, token: object) -> Iterator[Changes]:
    """The same on vectors that are made on the spot."""
    yield from _searched(
        as_language(language), _secret(token), lambda: (_SHORT, backend.example_vectors(_SHORT), "", ())
    )


def _searched(spoken: Language, secret: str, given: Any) -> Iterator[Changes]:
    begun = time.monotonic()
    started = stage_html(say(spoken, "blackbox.searching"), 0, 1)
    yield {
        "token": secret,
        "box_progress": started,
        "box_result": NOTHING,
        "box_cancel": gr.update(visible=True),
    }
    stopped = {"box_cancel": gr.update(visible=False)}
    try:
        stop = TRACES.start(secret)
        texts, rows, model, prompts = given()
        found = backend.search(texts, rows, model, prompts, stop)
        TRACES.note(secret, "black box", found)
        seconds = f"{time.monotonic() - begun:.1f}"
        told = say(spoken, "blackbox.done", tried=f"{found.tried:,}", seconds=seconds)
        yield {"box_progress": idle_html(told), "box_result": black_box_html(found, spoken)} | stopped
    except Cancelled:
        yield {"box_progress": idle_html(say(spoken, "tracestep.cancelled"))} | stopped
    except Exception as error:
        yield {"box_progress": idle_html(NOTHING), "box_result": error_box(error, spoken)} | stopped
    finally:
        TRACES.stop(secret)


def _given(texts: object, vectors: object, language: Language) -> tuple[tuple[str, ...], Any]:
    """Texts and vectors of the two uploads."""
    files = stored_upload(texts), stored_upload(vectors)
    for file, key in zip(files, ("blackbox.no_texts", "blackbox.no_vectors"), strict=True):
        if not file:
            raise InvalidValueError("no-file", word(language, key))
    path = Path(files[0])
    found = read_sentences(path, path.name, limit=MAX_SENTENCES)
    return tuple(found.texts), backend.read_vectors(Path(files[1]))


def _prompts(value: object) -> tuple[str, ...]:
    if value is not None and not isinstance(value, str):
        raise InvalidTypeError("not-text", f"A {type(value).__name__} came", expected="text", where="prompt")
    if len(value or "") > _PROMPT_CHARACTERS:
        raise InvalidValueError(
            "text-too-long", f"{len(value or ''):,} characters", expected=f"at most {_PROMPT_CHARACTERS:,}"
        )
    return (value,) if value else ()


def lint(language: object, token: object, model: object) -> Iterator[Changes]:
    """Look a model folder over; a model of the Hub is fetched for it."""
    spoken, secret = as_language(language), _secret(token)
    yield {"token": secret, "lint_result": stage_html(say(spoken, "lint.reading"), 0, 1)}
    try:
        name = model_name(model) or BUNDLED
        findings, contract = backend.lint(name)
        TRACES.note(secret, "lint", (findings, name, contract))
        shown = findings_html(findings, name, spoken)
        yield {"lint_result": shown, "get_contract": gr.update(visible=True)}
    except Exception as error:
        yield {"lint_result": error_box(error, spoken), "get_contract": gr.update(visible=False)}


@guarded
def download_result(language: Language, token: object) -> Changes:
    """The result as JSON."""
    data = result_dict(_shown(token, language))
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    return {"file": str(kept_file("workbench-trace.json", text.encode("utf-8", "replace")))}


@guarded
def download_contract(language: Language, token: object) -> Changes:
    """The contract of the folder that was looked over."""
    noted = TRACES.noted(str(token), "lint")
    if noted is None:
        raise InvalidValueError("nothing-traced", word(language, "traceget.nothing"))
    text = json.dumps(noted[2], ensure_ascii=False, indent=2, default=str)
    return {"file": str(kept_file("embedding-contract.json", text.encode("utf-8", "replace")))}


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
