"""The events of the Trace page's other panels: the black box and the lint of a model folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from workbench.data.sentence_files import read_sentences
from workbench.errors import Cancelled, InvalidTypeError, InvalidValueError
from workbench.persistence.source import BUNDLED
from workbench.ui import trace_backend as backend
from workbench.ui.columns import model_name
from workbench.ui.download import kept_file
from workbench.ui.errors import error_box, guarded
from workbench.ui.pages.trace_events import Changes, secret_of
from workbench.ui.sentences import MAX_SENTENCES, stored_upload
from workbench.ui.texts import Language, as_language, say, word
from workbench.ui.trace_example import EXAMPLE
from workbench.ui.trace_shown import TRACES
from workbench.ui.widgets.black_box_result import black_box_html
from workbench.ui.widgets.html import NOTHING
from workbench.ui.widgets.lint_findings import findings_html
from workbench.ui.widgets.progress_line import idle_html, stage_html

_PROMPT_CHARACTERS = 2000
# Short texts: the search for the example shall not take long.
_SHORT = EXAMPLE[:4]


def black_box(
    language: object, token: object, texts: object, vectors: object, model: object, prompt: object
) -> Iterator[Changes]:
    """Search for the fewest changes that make the uploaded vectors."""
    spoken, secret = as_language(language), secret_of(token)
    yield from _searched(
        spoken, secret, lambda: (*_given(texts, vectors, spoken), model_name(model), _prompts(prompt))
    )


def black_box_example(language: object, token: object) -> Iterator[Changes]:
    """The same on vectors that are made on the spot."""
    yield from _searched(
        as_language(language), secret_of(token), lambda: (_SHORT, backend.example_vectors(_SHORT), "", ())
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
    spoken, secret = as_language(language), secret_of(token)
    yield {"token": secret, "lint_result": stage_html(say(spoken, "lint.reading"), 0, 1)}
    try:
        name = model_name(model) or BUNDLED
        findings, contract = backend.lint(name)
        TRACES.note(secret, "lint", (findings, name, contract))
        shown = findings_html(findings, name, spoken)
        yield {"lint_result": shown, "get_contract": gr.update(visible=True)}
    except Exception as error:
        yield {"lint_result": error_box(error, spoken), "get_contract": gr.update(visible=False)}


def cancel_box(language: object, token: object) -> Changes:
    """Ask the search to stop before its next recipe."""
    TRACES.stop(str(token))
    return {"box_progress": stage_html(say(as_language(language), "tracestep.stopping"), 0, 1)}


@guarded
def download_contract(language: Language, token: object) -> Changes:
    """The contract of the folder that was looked over."""
    noted = TRACES.noted(str(token), "lint")
    if noted is None:
        raise InvalidValueError("nothing-traced", word(language, "traceget.nothing"))
    text = json.dumps(noted[2], ensure_ascii=False, indent=2, default=str)
    return {"file": str(kept_file("embedding-contract.json", text.encode("utf-8", "replace")))}
